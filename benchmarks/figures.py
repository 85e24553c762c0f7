"""What a benchmark says, and the table it stands in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

import msgspec

from benchmarks.clocks import ratio

HEADINGS = ("what", "ours", "peer", "figure", "target", "")


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table."""

    what: str
    ours: str
    peer: str = ""
    value: float
    limit: float | None = None
    """The target; without one the figure is only told."""
    unit: str = "×"
    at_least: bool = False
    """Whether the target is a lower bound."""
    samples: dict[str, list[float]] = {}

    @property
    def held(self) -> bool:
        """Whether the target is met."""
        if self.limit is None:
            return True
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def cells(self) -> tuple[str, ...]:
        """Its line."""
        target = verdict = ""
        if self.limit is not None:
            target = ("≥ " if self.at_least else "≤ ") + written(self.limit, self.unit)
            verdict = "✓" if self.held else "✗"
        return (self.what, self.ours, self.peer, written(self.value, self.unit), target, verdict)


def compared(
    what: str,
    ours: Sequence[float],
    theirs: Sequence[float],
    *,
    peer: str,
    limit: float | None,
) -> Figure:
    """A ratio of seconds, from samples taken in pairs."""
    return Figure(
        what=what,
        ours=duration(median(ours)),
        peer=f"{peer}: {duration(median(theirs))}",
        value=ratio(list(ours), list(theirs)),
        limit=limit,
        samples={"ours": list(ours), "peer": list(theirs)},
    )


def delays(what: str, seconds: Sequence[float], *, limit: float | None) -> Figure:
    """A median of waiting times."""
    ordered = sorted(seconds)
    late = ordered[int(len(ordered) * 0.95)]
    return Figure(
        what=what,
        ours=f"p95 {duration(late)}, n {len(ordered)}",
        value=median(ordered) * 1000,
        limit=limit,
        unit="ms",
        samples={"seconds": list(seconds)},
    )


def written(value: float, unit: str) -> str:
    """A figure or a target; small ratios as fractions, because targets are."""
    if unit == "×":
        return f"1/{_short(1 / value)}" if 0 < value < 0.6 else f"{_short(value)}×"
    if unit == "lines/s":
        return f"{value:,.0f} {unit}".replace(",", " ")
    return f"{value:.1f} {unit}" if value < 100 else f"{value:.0f} {unit}"


def _short(value: float) -> str:
    """Two digits that count, and no zeros behind the point."""
    return f"{value:.0f}" if value >= 20 else f"{value:.2g}"


def duration(seconds: float) -> str:
    """Seconds as people read them."""
    if seconds >= 1:
        return f"{seconds:.2f} s"
    thousandths = seconds * 1000
    return f"{thousandths:.0f} ms" if thousandths >= 100 else f"{thousandths:.3g} ms"


def table(rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table whose columns line up, so that it reads as text too."""
    lines = [HEADINGS, *rows]
    widths = [max(len(line[at]) for line in lines) for at in range(len(HEADINGS))]
    lines.insert(1, tuple("-" * width for width in widths))
    return "\n".join(
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        + " |"
        for line in lines
    )
