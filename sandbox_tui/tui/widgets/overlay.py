"""A line that goes back over itself, written into cells as a terminal would.

Progress bars return to the first column, spinners step back, tables use tabs. What counts is
what stands there in the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter

from rich.cells import split_graphemes

from sandbox_tui.tui.widgets.scrub import clean

_MOVE = re.compile(r"([\t\b\r]|\x1b\[[0-2]?K)")
_TAB = 8

Run = tuple[str, str]
"""Text and the pen it is written with."""


def settle(runs: Iterable[Run]) -> list[Run]:
    """What stands in the line after everything was written, as runs of one pen each."""
    row = _Row()
    for text, pen in runs:
        for index, part in enumerate(_MOVE.split(text)):
            if index % 2:
                row.move(part)
            else:
                row.write(clean(part), pen)
    return row.runs()


class _Row:
    """Cells with what they show and its pen; the right half of a wide character is empty."""

    def __init__(self) -> None:
        self._cells: list[Run] = []
        self._at = 0

    def write(self, text: str, pen: str) -> None:
        """Put `text` where the cursor is, over what is there."""
        self._reach()
        if text.isascii() and self._at == len(self._cells):
            self._cells.extend((char, pen) for char in text)
            self._at += len(text)
            return
        for start, end, width in split_graphemes(text)[0]:
            self._put(text[start:end], width, pen)

    def move(self, token: str) -> None:
        """Go to the start, one back, to the next tab stop, or erase without moving."""
        if token == "\r":
            self._at = 0
        elif token == "\b":
            self._at = max(0, self._at - 1)
        elif token == "\t":
            self._at += _TAB - self._at % _TAB
        else:
            self._erase(token[2:-1])

    def runs(self) -> list[Run]:
        """The cells, joined where the pen is the same."""
        grouped = groupby(self._cells, key=itemgetter(1))
        return [("".join(text for text, _ in cells), pen) for pen, cells in grouped]

    def _put(self, grapheme: str, width: int, pen: str) -> None:
        if not width:
            self._combine(grapheme)
            return
        self._reach()
        end = self._at + width
        if self._shows(self._at, ""):
            self._cells[self._at - 1] = (" ", pen)
        if self._shows(end, ""):
            self._cells[end] = (" ", pen)
        self._cells[self._at : end] = [(grapheme, pen), *[("", pen)] * (width - 1)]
        self._at = end

    def _combine(self, mark: str) -> None:
        """Add a combining mark to the character before the cursor, if there is one."""
        column = self._at - 1
        while column > 0 and self._shows(column, ""):
            column -= 1
        if 0 <= column < len(self._cells):
            text, pen = self._cells[column]
            self._cells[column] = (text + mark, pen)

    def _erase(self, part: str) -> None:
        if part in ("", "0"):
            del self._cells[self._at :]
        else:
            blank = len(self._cells) if part == "2" else min(self._at + 1, len(self._cells))
            self._cells[:blank] = [(" ", "")] * blank

    def _reach(self) -> None:
        """Fill with spaces up to the cursor."""
        self._cells.extend([(" ", "")] * (self._at - len(self._cells)))

    def _shows(self, column: int, text: str) -> bool:
        return column < len(self._cells) and self._cells[column][0] == text
