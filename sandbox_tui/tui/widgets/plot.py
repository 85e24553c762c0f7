"""Area charts in braille: two by four dots to a cell."""

from __future__ import annotations

from collections.abc import Sequence

_EMPTY = 0x2800
_LEFT = (0x00, 0x40, 0x44, 0x46, 0x47)
_RIGHT = (0x00, 0x80, 0xA0, 0xB0, 0xB8)
"""The dots of one column of a cell, filled from below to a height of 0 to 4."""


def area(values: Sequence[float | None], width: int, height: int, *, high: float) -> list[str]:
    """`height` rows of `width` cells, filled below the last `2 * width` values.

    `high` is the value at the top. What is missing is left empty; what is there shows at least
    one dot, so that "nothing" and "unknown" differ.
    """
    dots = [_dots(value, height * 4, high) for value in values[-2 * width :]]
    dots = [0] * (2 * width - len(dots)) + dots
    return [
        "".join(_cell(dots[2 * x], dots[2 * x + 1], floor) for x in range(width))
        for floor in range((height - 1) * 4, -1, -4)
    ]


def resample(
    points: Sequence[tuple[float, float | None]], end: float, span: float, count: int
) -> list[float | None]:
    """Measurements `(time, value)`, in order, as `count` equal steps over `span` up to `end`.

    A step has the mean of what falls into it; one that nothing falls into has the value before
    it, for up to a twentieth of the span, then none.
    """
    step = span / count
    sums: dict[int, list[float]] = {}
    for at, value in points:
        if value is not None and end - span < at <= end:
            sums.setdefault(min(count - 1, int((at - end + span) / step)), []).append(value)
    held = max(1, count // 20)
    result: list[float | None] = []
    last, gap = None, 0
    for index in range(count):
        found = sums.get(index)
        gap = 0 if found else gap + 1
        last = sum(found) / len(found) if found else (last if gap <= held else None)
        result.append(last)
    return result


def _dots(value: float | None, top: int, high: float) -> int:
    if value is None or value != value or high <= 0:  # noqa: PLR0124  NaN is unequal to itself
        return 0
    return max(1, round(min(1.0, max(0.0, value / high)) * top))


def _cell(left: int, right: int, floor: int) -> str:
    """The character of two columns of dots, of which `floor` are below this row."""
    low, high = (min(4, max(0, dots - floor)) for dots in (left, right))
    return chr(_EMPTY + _LEFT[low] + _RIGHT[high])
