"""Text of sandboxes in a given number of cells: made harmless, cut, padded, wrapped.

A cell is what a terminal counts in: most characters take one, CJK and emoji two, combining
marks none. Everything here goes by cells, so that columns stay columns.
"""

from __future__ import annotations

from functools import lru_cache
from unicodedata import category

from rich.cells import cell_len, split_graphemes

ELLIPSIS = "…"
_JOINERS = "\u200c\u200d"
"""Invisible, but part of words and emoji; at an end they would join what stands beside."""
_UNSAFE = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
"""Unicode categories: controls, directions, half surrogates, separators of lines."""


@lru_cache(maxsize=4096)
def harmless(text: str) -> str:
    """One line that moves no cursor, changes no colour and reorders nothing.

    Control characters show as their pictures (`␀`, `␛`); what has no picture (direction
    overrides, half surrogates, line separators) as `�`. For names and other short texts.
    """
    return text if text.isprintable() else "".join(map(_harmless, text)).strip(_JOINERS)


def _harmless(char: str) -> str:
    if char in _JOINERS or category(char) not in _UNSAFE:
        return char
    if char < " ":
        return chr(0x2400 + ord(char))
    return "␡" if char == "\x7f" else "�"


def width_of(text: str) -> int:
    """How many cells `text` takes."""
    return len(text) if text.isascii() else cell_len(text)


def clip(text: str, width: int) -> str:
    """As much of the beginning as fits `width` cells; a wide character is never halved."""
    if width_of(text) <= width:
        return text
    if text.isascii():
        return text[: max(0, width)]
    taken = 0
    for start, _, cells in split_graphemes(text)[0]:
        if taken + cells > width:
            return text[:start]
        taken += cells
    return text


def clip_start(text: str, width: int) -> str:
    """As much of the end as fits `width` cells."""
    surplus = width_of(text) - width
    if surplus <= 0:
        return text
    if text.isascii():
        return text[surplus:]
    for _, end, cells in split_graphemes(text)[0]:
        surplus -= cells
        if surplus <= 0:
            return text[end:]
    return ""


def pad(text: str, width: int, *, right: bool = False) -> str:
    """Exactly `width` cells: cut, or filled with spaces (on the left with `right`)."""
    text = clip(text, width)
    space = " " * (width - width_of(text))
    return space + text if right else text + space


def fit(text: str, width: int, *, middle: bool = False) -> str:
    """Exactly `width` cells, with `…` where something is missing: at the end, or in the middle."""
    if width_of(text) <= width or width < 1:
        return pad(text, max(0, width))
    if not middle or width < 5:
        return pad(clip(text, width - 1) + ELLIPSIS, width)
    tail = clip_start(text, (width - 1) // 2)
    return pad(clip(text, width - 1 - width_of(tail)) + ELLIPSIS + tail, width)


def breaks(text: str, width: int) -> list[int]:
    """The cells at which `text` is broken so that no part is wider than `width`.

    The last one is the end of the text. A wide character that would straddle a break goes to
    the next part. Always at least one part, even of an empty text.
    """
    total = width_of(text)
    if total <= width or width < 2:
        return [total]
    if text.isascii():
        return [*range(width, total, width), total]
    ends: list[int] = []
    start = at = 0
    for _, _, cells in split_graphemes(text)[0]:
        if at + cells - start > width:
            ends.append(at)
            start = at
        at += cells
    return [*ends, at]
