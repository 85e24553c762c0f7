"""Places in an order that many may change at once: fractions, written as hexadecimal digits.

Between two places there is always another one, so that moving a cell touches no other cell. A
random part keeps apart what two clients put at the same place at the same time.
"""

from __future__ import annotations

import random

_FIRST = 1 << 30
_HEAD = 8
"""Digits that count; what follows is the fraction between two counts."""

_ROOM = 1 << 32
"""How many places there are at least to choose from."""


def nth(index: int) -> str:
    """The place of a cell in a new document of one author."""
    return f"{_FIRST + index:0{_HEAD}x}"


def between(before: str, after: str) -> str:
    """A place after `before` and before `after`; an empty one is the beginning or the end.

    Of two equal places (the odds are one in four thousand millions) it is one after both.
    """
    if not after:
        return _counted(before, 1) if before else _jittered(_FIRST)
    if not before:
        return _counted(after, -1)
    width = max(len(before), len(after))
    while (span := _number(after, width) - _number(before, width)) and span < _ROOM:
        width += 1
    if span <= 0:
        return between(before, "")
    return f"{_number(before, width) + random.randrange(1, span):0{width}x}"


def _counted(place: str, step: int) -> str:
    return _jittered(int(place[:_HEAD].ljust(_HEAD, "0"), 16) + step)


def _jittered(head: int) -> str:
    return f"{head:0{_HEAD}x}{random.randrange(1, _ROOM):08x}"


def _number(place: str, width: int) -> int:
    return int(place.ljust(width, "0"), 16)
