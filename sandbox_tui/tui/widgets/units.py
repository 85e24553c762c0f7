"""Sizes, rates, ages and shares in the fewest cells that still tell them apart.

Sizes count in 1024 (as memory limits do), rates in 1000 (as networks do).
"""

from __future__ import annotations

_SIZES = "KMGTPE"
_RATES = "kMGTP"
_AGES = (("s", 60), ("m", 60), ("h", 24), ("d", 7), ("w", 52))


def size(count: float) -> str:
    """Bytes as `0B`, `512B`, `1.2K`, `412M`, `1G`: at most five cells."""
    value = max(0.0, count)
    if value < 999.5:
        return f"{value:.0f}B"
    return _scaled(value, 1024, _SIZES)


def rate(per_second: float) -> str:
    """Bytes per second as `0`, `0.3k`, `12k`, `3.4M`: the smallest unit is a thousand."""
    value = max(0.0, per_second)
    if value < 50:
        return "0"
    return _scaled(value, 1000, _RATES)


def age(seconds: float) -> str:
    """Time passed as `20s`, `14m`, `3h`, `2d`, `6w`, `1y`: one unit, rounded down."""
    value = max(0.0, seconds)
    for unit, factor in _AGES:
        if value < factor:
            return f"{int(value)}{unit}"
        value /= factor
    return f"{int(value)}y"


def share(part: float, whole: float = 1.0) -> str:
    """`part` of `whole` in percent, as `81%`; a whole of nothing is `0%`."""
    return f"{100 * part / whole:.0f}%" if whole > 0 else "0%"


def cores(count: float) -> str:
    """A number of processor cores, as `1.0 cores`; one digit after the point."""
    return f"{count:.1f} cores"


def _scaled(value: float, base: int, suffixes: str) -> str:
    scaled = value / base
    for suffix in suffixes[:-1]:
        if scaled < 999.5:
            return _digits(scaled) + suffix
        scaled /= base
    return _digits(scaled) + suffixes[-1]


def _digits(value: float) -> str:
    """Two significant digits below ten, and no `.0`."""
    return f"{value:.0f}" if value >= 9.95 else f"{value:.1f}".removesuffix(".0")
