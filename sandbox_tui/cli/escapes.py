"""Text that came out of a sandbox, made fit for the user's own terminal."""

from __future__ import annotations

import re
import unicodedata

_SEQUENCE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # control sequences
    r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\|\Z)"  # strings: titles, links, clipboards
    r"|\x1b[ -/]*[0-~]"  # everything shorter
    r"|\x1b",
    re.DOTALL,
)
_COLOUR = re.compile(r"\x1b\[[\d;:]*m")
_HARMFUL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    """Names and messages: every character that would do something is shown instead."""
    return _CONTROL.sub(lambda match: _shown(match[0]), text)


def only_colours(line: str) -> str:
    """A line of a log as it may be printed: its colours are kept, all else that acts is dropped."""
    line = _SEQUENCE.sub(lambda m: m[0] if _COLOUR.fullmatch(m[0]) else "", line)
    return _HARMFUL.sub(lambda match: "\x1b" if match[0] == "\x1b" else "", line)


def without_escapes(line: str) -> str:
    """A line of a log as plain text."""
    return _HARMFUL.sub("", _SEQUENCE.sub("", line))


def columns(text: str) -> int:
    """How many columns of a terminal it takes."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def clipped(text: str, width: int) -> str:
    """At most `width` columns of it; what is cut off is told by a `…`."""
    if columns(text) <= width:
        return text
    taken, room = "", width - 1
    for character in text:
        room -= _columns(character)
        if room < 0:
            break
        taken += character
    return f"{taken}…" if width > 0 else ""


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _shown(character: str) -> str:
    return _NAMED.get(character) or f"\\u{ord(character):04x}"


_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\x1b": "\\e"}
