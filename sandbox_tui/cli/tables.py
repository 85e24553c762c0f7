"""Plain tables: aligned columns, a little colour on a terminal, whole lines in a pipe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sandbox_tui.cli.escapes import clipped, columns, visible

GAP = "  "


class Styled(NamedTuple):
    """A cell with a colour, as the parameters of an SGR sequence: `32`, `1;31`."""

    text: str
    style: str = ""


Cell = str | Styled


def table(
    titles: Sequence[str], rows: Sequence[Sequence[Cell]], *, width: int | None, colour: bool
) -> str:
    """The lines of a table. `width` clips them to a terminal; `None` never cuts anything."""
    cells = [[_styled(cell) for cell in row] for row in rows]
    widths = [
        max(map(columns, (title, *(row[place].text for row in cells))))
        for place, title in enumerate(titles)
    ]
    widths = widths if width is None else _fitted(widths, width)
    heading = [Styled(title, "2") for title in titles]
    return "\n".join(_line(row, widths, colour=colour) for row in (heading, *cells))


def _styled(cell: Cell) -> Styled:
    text, style = (cell, "") if isinstance(cell, str) else cell
    return Styled(visible(text), style)


def _fitted(widths: Sequence[int], room: int) -> list[int]:
    """What is left for each column when the line must not be longer than `room`."""
    fitted: list[int] = []
    for width in widths:
        fitted.append(max(0, min(width, room)))
        room -= fitted[-1] + len(GAP)
    return fitted


def _line(row: Sequence[Styled], widths: Sequence[int], *, colour: bool) -> str:
    parts = [_painted(cell, width, colour=colour) for cell, width in zip(row, widths, strict=True)]
    return GAP.join(parts).rstrip()


def _painted(cell: Styled, width: int, *, colour: bool) -> str:
    text = clipped(cell.text, width)
    padding = " " * (width - columns(text))
    is_plain = not (colour and cell.style and text)
    return f"{text}{padding}" if is_plain else f"\x1b[{cell.style}m{text}\x1b[0m{padding}"
