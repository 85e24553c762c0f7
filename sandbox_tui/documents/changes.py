"""What turns one text into another, as few and small replacements.

Small ones merge: two people who change two words of one line both keep theirs.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import NamedTuple

_WORTH_COMPARING = 250_000
"""Characters of the one times characters of the other, up to which a middle is looked into."""


class Replacement(NamedTuple):
    """`length` bytes at `start` become `text`; in UTF-8, as pycrdt counts."""

    start: int
    length: int
    text: str


def replacements(old: str, new: str) -> list[Replacement]:
    """To be applied in this order, from the end of the text to its beginning."""
    head = _alike(old, new)
    tail = _alike(old[head:][::-1], new[head:][::-1])
    before, after = old[head : len(old) - tail], new[head : len(new) - tail]
    offset = _bytes(old[:head])
    found = [
        Replacement(offset + _bytes(before[:i1]), _bytes(before[i1:i2]), after[j1:j2])
        for i1, i2, j1, j2 in _ranges(before, after)
    ]
    return found[::-1]


def _ranges(before: str, after: str) -> Iterator[tuple[int, int, int, int]]:
    if not (before and after) or len(before) * len(after) > _WORTH_COMPARING:
        if before or after:
            yield 0, len(before), 0, len(after)
        return
    for tag, *ends in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag != "equal":
            i1, i2, j1, j2 = ends
            yield i1, i2, j1, j2


def _alike(one: str, other: str) -> int:
    """How many characters both begin with; halving compares them in large pieces."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _bytes(text: str) -> int:
    return len(text.encode())
