"""What a program has done to the terminal, and the bytes that undo it.

A program that is killed or left leaves its modes behind. Most can be switched off without knowing
whether they are on; leaving the alternate screen moves the cursor and popping a keyboard mode may
pop somebody else's, so those are counted.
"""

from __future__ import annotations

import re

_CONTROLS = re.compile(
    rb"\x1b(?:\[\?(?P<modes>[\d;]+)(?P<set>[hl])"
    rb"|\[>(?P<push>\d*)(?:;\d*)?u"
    rb"|\[<(?P<pop>\d*)u"
    rb"|(?P<reset>c))"
)
_LONGEST = 64
_ALTERNATE = frozenset({47, 1047, 1049})

_ALWAYS = b"".join((
    b"\x1b\\",  # the end of a string that was cut off
    b"\x1b[?2026l",  # show what is held back
    b"\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1005l\x1b[?1006l\x1b[?1015l\x1b[?1016l",  # mouse
    b"\x1b[?1004l\x1b[?2004l\x1b[?2031l\x1b[?2048l",  # focus, paste, colour and size reports
    b"\x1b[?1l\x1b>\x1b[>4;0m",  # ordinary arrow keys, keypad and modified keys
    b"\x1b(B\x0f\x1b[0m\x1b[?7h\x1b[?25h\x1b[0 q",  # plain letters, wrapping, a cursor
))  # fmt: skip
_WHOLE_SCREEN = b"\x1b7\x1b[r\x1b8"


class Modes:
    """Watches a program's output go by; `undo` is what sets the terminal right again."""

    def __init__(self) -> None:
        self._alternate = False
        self._pushed = 0
        self._tail = b""

    def watch(self, data: bytes) -> None:
        """Note what this piece of output switches; sequences may be cut between pieces."""
        if not self._tail and b"\x1b" not in data:
            return
        data = self._tail + data
        end = 0
        for match in _CONTROLS.finditer(data):
            end = match.end()
            self._apply(match)
        last = data.rfind(b"\x1b", max(end, len(data) - _LONGEST))
        self._tail = data[last:] if last >= 0 else b""

    def undo(self) -> bytes:
        """The bytes that undo everything that is still on."""
        leave = b"\x1b[?1049l" if self._alternate else b""
        pop = b"\x1b[<%du" % self._pushed if self._pushed else b""
        return _ALWAYS[:2] + pop + leave + _WHOLE_SCREEN + _ALWAYS[2:]

    def _apply(self, match: re.Match[bytes]) -> None:
        if match["modes"] is not None:
            modes = {int(mode) for mode in match["modes"].split(b";") if mode}
            if modes & _ALTERNATE:
                self._alternate = match["set"] == b"h"
        elif match["push"] is not None:
            self._pushed += 1
        elif match["pop"] is not None:
            self._pushed = max(0, self._pushed - int(match["pop"] or 1))
        else:
            self._alternate, self._pushed = False, 0
