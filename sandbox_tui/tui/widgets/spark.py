"""Sparklines: numbers as a row of blocks, `▁▂▃▄▅▆▇█`, newest at the right."""

from __future__ import annotations

from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"


def spark(
    values: Sequence[float | None],
    width: int,
    *,
    low: float = 0.0,
    high: float | None = None,
) -> str:
    """The last `width` values as exactly `width` cells.

    `high` is the value of a full block: the largest value shown when not given. What is missing
    (`None`, or too few values) is a space; values outside the range are cut to it.
    """
    tail = list(values[-width:]) if width > 0 else []
    top = high if high is not None else max((v for v in tail if v is not None), default=low)
    return "".join(_block(value, low, top) for value in tail).rjust(max(0, width))


def _block(value: float | None, low: float, high: float) -> str:
    if value is None or value != value:  # noqa: PLR0124  NaN is the one value unequal to itself
        return " "
    if high <= low:
        return BLOCKS[0]
    level = (value - low) / (high - low)
    return BLOCKS[round(min(1.0, max(0.0, level)) * (len(BLOCKS) - 1))]
