"""Which lines of a pane are new, found out by looking again and again.

A pane has no line numbers: rows scroll from the screen into a history, which tmux shortens by a
tenth whenever it is full; a narrower window folds lines anew; programs redraw what they have said.
But history is never rewritten. So a few of its last lines are remembered as an anchor, and what
stands after the anchor is compared with what has been told already.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import NamedTuple

from sandbox_tui.backends.tmux.rows import plain

ANCHOR = 8
"""How many lines of history are remembered."""

_REDRAWN = 3
"""So many lines in a row that all differ are another screen, not a line drawn again."""


class Look(NamedTuple):
    """How far a pane is, in rows."""

    width: int
    height: int
    history: int
    limit: int
    """Most rows that the history holds."""
    cursor: int
    """Row of the cursor on the screen."""
    alternate: bool
    """Whether a full-screen program has the screen: nothing there is a log."""
    dead: bool
    notice: str = ""
    """What tmux itself writes on the screen of a dead pane."""

    @property
    def step(self) -> int:
        """How many rows go when the history is full."""
        return max(1, self.limit // 10)


class Line(NamedTuple):
    """A line as a program wrote it, however many rows it takes."""

    text: str
    start: int
    """Its first row, counted from the oldest row of the history."""
    end: int
    """The row after its last."""


class Picture(NamedTuple):
    """A pane from some row to its end."""

    look: Look
    lines: Sequence[Line]

    def since(self, row: int) -> Picture:
        """The part of it that begins at that row or after."""
        return Picture(self.look, [line for line in self.lines if line.start >= row])

    def said(self) -> list[Line]:
        """All lines, without the blank rest of the screen and without tmux's own notice."""
        lines = list(self.lines)
        while lines and (not plain(lines[-1].text).strip() or self._is_notice(lines[-1])):
            lines.pop()
        return lines

    def finished(self) -> list[Line]:
        """The lines that nothing will be added to."""
        if self.look.dead:
            return self.said()
        cursor = self.look.history + self.look.cursor
        return list(takewhile(lambda line: line.end <= cursor, self.lines))

    def _is_notice(self, line: Line) -> bool:
        at_the_end = line.end == self.look.history + self.look.height
        return self.look.dead and at_the_end and self.look.notice.startswith(plain(line.text))


def unfold(rows: Sequence[str], joined: Sequence[str], first: int) -> list[Line]:
    """The lines `joined`, with where they are: `rows` are the same text as the screen folds it."""
    lines: list[Line] = []
    start = 0
    for text in joined:
        wanted, seen, end = plain(text), "", start
        while end < len(rows) and (end == start or len(seen) < len(wanted)):
            seen += plain(rows[end])
            if end > start and not wanted.startswith(seen):
                break
            end += 1
        lines.append(Line(text.rstrip(" "), first + start, first + end))
        start = end
    return lines


class Scroll:
    """What of one pane has been told. Begin with a picture; then `expected` and `tell`."""

    def __init__(self, picture: Picture) -> None:
        self._look = picture.look
        self._anchor: list[Line] = []
        self._told: list[str] = []
        self._remember(picture, picture.finished())

    def expected(self, look: Look) -> int | None:
        """From which row on to read next; `None` for all there is."""
        if not self._anchor or look.width != self._look.width:
            return None
        row = self._anchor[0].start - self._shift(look)
        return row if row >= 0 else None

    def tell(self, picture: Picture, *, whole: bool) -> list[Line] | None:
        """The new finished lines; `None` when the picture has to be whole to know them."""
        if picture.look.alternate:
            return []
        finished = picture.finished()
        base = self._after_anchor(finished, picture.look, whole=whole)
        if base is None:
            return None
        lines = finished[base:]
        fresh = lines[_already(self._told, [line.text for line in lines]) :]
        self._remember(picture, finished)
        return fresh

    def _after_anchor(self, lines: list[Line], look: Look, *, whole: bool) -> int | None:
        """The index of the first line after the anchor."""
        if not self._anchor:
            return 0
        if not whole:
            return len(self._anchor) if self._is_anchor(lines, 0) else None
        starts = [index for index in range(len(lines)) if self._is_anchor(lines, index)]
        if not starts:
            return self._after_what_is_left([line.text for line in lines])
        best = min(starts, key=lambda index: self._unlikeliness(lines[index], look))
        return best + len(self._anchor)

    def _after_what_is_left(self, lines: list[str]) -> int:
        """The same when the history has lost the anchor's beginning, or all of it."""
        anchored = len(self._anchor)
        known = [*(line.text for line in self._anchor), *self._told]
        left = (cut for cut in range(1, len(known)) if lines[: len(known) - cut] == known[cut:])
        cut = next(left, len(known))
        self._told = known[max(cut, anchored) :]
        return max(0, anchored - cut)

    def _unlikeliness(self, line: Line, look: Look) -> tuple[bool, int]:
        """The history is shortened by whole steps, and rather by few."""
        shift = self._anchor[0].start - line.start
        folded_anew = look.width != self._look.width
        return (not folded_anew and (shift < 0 or shift % look.step != 0), abs(shift))

    def _is_anchor(self, lines: list[Line], index: int) -> bool:
        here = lines[index : index + len(self._anchor)]
        return [line.text for line in here] == [line.text for line in self._anchor]

    def _shift(self, look: Look) -> int:
        return look.step if look.history < self._look.history else 0

    def _remember(self, picture: Picture, finished: list[Line]) -> None:
        """Anchor at the last lines that have left the screen for good."""
        kept = sum(1 for line in finished if line.end <= picture.look.history)
        self._anchor = finished[max(0, kept - ANCHOR) : kept]
        self._told = [line.text for line in finished[kept:]]
        self._look = picture.look


def _already(told: list[str], lines: list[str]) -> int:
    """How many of the lines need not be told."""
    same = [before == now for before, now in zip(told, lines, strict=False)]
    if len(lines) < len(told):
        return len(list(takewhile(bool, same)))
    is_another_screen = len(told) >= _REDRAWN and not any(same)
    return 0 if is_another_screen else len(told)
