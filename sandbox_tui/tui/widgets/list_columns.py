"""How the cells of a list are shared out, and how one row is drawn into them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sandbox_tui.tui.widgets.fit import fit, harmless, pad, width_of
from sandbox_tui.tui.widgets.rows import Look, Row

_LEAST_NAME = 16
_LEAST_MIDDLE = 4
_LEAST_WITH_AGE = 24

Part = tuple[str, str]
"""Text and the component class it is painted with (`""` is the plain row)."""


class Columns(NamedTuple):
    """Widths in cells. The middle holds a detail, or a spark with a badge at its right."""

    name: int
    middle: int = 0
    badge: int = 0
    age: int = 0
    letters: bool = False


def share_out(width: int, rows: Iterable[Row], *, letters: bool = False) -> Columns:
    """Give every column what its widest text needs, and the name the rest.

    When there is too little, the age goes first, then the middle shrinks (the sparks before
    the badges) to three fifths, then goes.
    """
    name = detail = spark = badge = age = 0
    for row in rows:
        name = max(name, width_of(row.name))
        detail = max(detail, width_of(row.detail))
        spark = max(spark, len(row.spark))
        badge = max(badge, width_of(row.badge))
        age = max(age, width_of(row.age))
    age = age if width >= _LEAST_WITH_AGE else 0
    middle = max(detail, spark + badge + (1 if spark and badge else 0))
    body = max(1, width - 3 - letters - (age and age + 1))
    if name + 1 + middle > body:
        room = body - 1 - min(name, max(_LEAST_NAME, body * 2 // 5))
        middle = min(middle, room) if room >= _LEAST_MIDDLE else 0
    return Columns(body - (middle and middle + 1), middle, badge, age, letters)


def draw(row: Row, columns: Columns, *, cursor: bool, marked: bool) -> list[Part]:
    """One row, exactly as wide as its columns."""
    state = f"list--{row.look.name.lower()}"
    glyph = row.look.glyph + (row.look.letter if columns.letters else "")
    parts = [
        ("▌" if cursor else " ", "list--bar"),
        (glyph, state),
        ("*" if marked else " ", "list--mark"),
        (fit(harmless(row.name), columns.name, middle=True), ""),
    ]
    if columns.middle:
        parts += [(" ", ""), *_middle(row, columns)]
    if columns.age:
        parts.append((" " + pad(harmless(row.age), columns.age, right=True), "list--age"))
    return parts


def _middle(row: Row, columns: Columns) -> list[Part]:
    width = columns.middle
    if row.detail:
        urgent = row.look in (Look.FAILED, Look.WAITS)
        look = f"list--{row.look.name.lower()}" if urgent else "list--detail"
        return [(fit(harmless(row.detail), width), look)]
    room = width - (columns.badge and columns.badge + 1)
    spark = row.spark[-room:] if room >= _LEAST_MIDDLE else ""
    badge = pad(harmless(row.badge), width - len(spark), right=True)
    return [(spark, "list--spark"), (badge, "list--badge")]
