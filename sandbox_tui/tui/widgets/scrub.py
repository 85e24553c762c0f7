"""What must not reach a terminal from a sandbox, taken out of its text."""

from __future__ import annotations

import re

_ESCAPE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]?"  # control sequences
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"  # titles, links and other strings
    r"|\x1b[ -/]*[0-~]?"  # everything else that starts with escape
)
_DROPPED = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069\ufeff]"
)
"""Control characters of both sets, and those that reorder or break lines."""
_HALVES = re.compile("[\ud800-\udfff]")
"""Half surrogates: undecodable bytes, which no terminal can be sent."""


def clean(text: str) -> str:
    """`text` without escape sequences and control characters; it is one harmless line."""
    if "\x1b" in text:
        text = _ESCAPE.sub("", text)
    if text.isprintable():
        return text
    return _DROPPED.sub("", _HALVES.sub("\ufffd", text))
