"""Two people type in one text: what both of them meant.

A change is the one span between the common beginning and the common end of two texts. That is
exact for typing, and what a person expects for anything else.
"""

from __future__ import annotations

from typing import NamedTuple


class Span(NamedTuple):
    """Between `start` and `end` (characters from 0) of a text stands `text` now."""

    start: int
    end: int
    text: str

    @property
    def grows(self) -> int:
        """By how many characters the text is longer afterwards."""
        return len(self.text) - (self.end - self.start)

    def applied(self, to: str) -> str:
        """That text with the change made."""
        return f"{to[: self.start]}{self.text}{to[self.end :]}"


def change(before: str, after: str) -> Span:
    """The smallest span whose replacement makes `after` of `before`."""
    limit = min(len(before), len(after))
    start = next((at for at in range(limit) if before[at] != after[at]), limit)
    most = limit - start
    tail = next((n for n in range(most) if before[-1 - n] != after[-1 - n]), most)
    return Span(start, len(before) - tail, after[start : len(after) - tail])


def merged(base: str, mine: str, theirs: str) -> str:
    """`mine` with what made `theirs` of `base`; where both changed one place, mine stands."""
    if theirs in (base, mine):
        return mine
    own, foreign = change(base, mine), change(base, theirs)
    if own.start == own.end and not own.text:
        return theirs
    if foreign.end <= own.start:
        return foreign.applied(mine)
    if foreign.start >= own.end:
        return Span(foreign.start + own.grows, foreign.end + own.grows, foreign.text).applied(mine)
    return mine
