r"""Rows of a captured pane, each one complete in itself.

tmux writes a capture as one stream: a colour goes on into the next row until it is changed, and
line-drawing characters stand between SO and SI as letters. A row that is looked at alone, drawn
alone or printed alone must begin with its own colours and leave none behind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

RESET = "\x1b[m"

_STYLE = re.compile(r"\x1b\[([\d;:]*)m")
_LINK = re.compile(r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
_DRAWN = re.compile("\x0e([^\x0f]*)\x0f?")
_DRAWN_PART = re.compile(r"(\x1b\[[\d;:]*m)|([`-~])")
_DRAWING = dict(
    zip(
        "`afgijklmnopqrstuvwxyz{|}~",
        "◆▒°±␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·",
        strict=True,
    )
)
_EXTENDED = {"5": 3, "2": 5}
"""How many numbers a colour has, by the second of them: `38;5;N`, `38;2;R;G;B`."""

_SLOTS = {
    **{str(code): 0 for code in (*range(30, 40), *range(90, 98))},
    **{str(code): 1 for code in (*range(40, 50), *range(100, 108))},
    **{str(code): 2 for code in (58, 59)},
}
_DEFAULTS = ("39", "49", "59")


class _Style(NamedTuple):
    """The colours and attributes in force."""

    attributes: tuple[str, ...] = ()
    colours: tuple[str, ...] = ("", "", "")
    """Of the text, of the ground, of the underline."""


_NO_STYLE = _Style()


def rows_of(body: bytes) -> list[str]:
    """The rows of `capture-pane -e`, from top to bottom."""
    text = body.decode("utf-8", "replace")
    if "\x0e" in text:
        text = _DRAWN.sub(_draw, text)
    if "\x1b]" in text:
        text = _LINK.sub("", text)
    return list(_complete(text.split("\n"))) if "\x1b" in text else text.split("\n")


def plain(row: str) -> str:
    """A row without its colours."""
    return _STYLE.sub("", row) if "\x1b" in row else row


def _complete(rows: list[str]) -> Iterator[str]:
    style = _NO_STYLE
    for row in rows:
        start = 0
        while match := _STYLE.match(row, start):
            style, start = _after(style, match[1]), match.end()
        text, begin = row[start:], _written(style)
        for match in _STYLE.finditer(text):
            style = _after(style, match[1])
        yield f"{begin}{text}{RESET if style != _NO_STYLE else ''}" if text else ""


@lru_cache(4096)
def _after(style: _Style, codes: str) -> _Style:
    """The style after one more escape. tmux takes an attribute back by a full reset only."""
    attributes, colours = style
    for code in _split(codes):
        head = code.partition(";")[0].partition(":")[0]
        slot = _SLOTS.get(head)
        if head in ("", "0"):
            attributes, colours = _NO_STYLE
        elif slot is not None:
            kept = "" if head in _DEFAULTS else code
            colours = (*colours[:slot], kept, *colours[slot + 1 :])
        elif code not in attributes:
            attributes = (*attributes, code)
    return _Style(attributes, colours)


def _split(codes: str) -> Iterator[str]:
    """`1;38;5;200;4` is `1`, `38;5;200` and `4`."""
    numbers = codes.split(";")
    while numbers:
        extended = numbers[0] in ("38", "48", "58") and len(numbers) > 1
        size = _EXTENDED.get(numbers[1], 1) if extended else 1
        yield ";".join(numbers[:size])
        del numbers[:size]


@lru_cache(4096)
def _written(style: _Style) -> str:
    told = ";".join((*sorted(style.attributes), *filter(None, style.colours)))
    return f"\x1b[{told}m" if told else ""


def _draw(match: re.Match[str]) -> str:
    """What stands between SO and SI, with its letters as the lines that they mean."""
    return _DRAWN_PART.sub(lambda part: part[1] or _DRAWING[part[2]], match[1])
