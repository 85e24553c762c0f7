r"""Finding the one key that always brings a person back, in what a terminal sends.

An old terminal sends ctrl+\ as one byte. One that a program has switched to a richer keyboard
protocol sends it as `ESC [ 92 ; 5 u` or `ESC [ 27 ; 5 ; 92 ~`, with lock keys among the modifiers.
"""

from __future__ import annotations

import re

LEAVE_KEY = b"\x1c"
"""ctrl+\\ as a byte."""

LEAVE = "ctrl+\\"
"""The same key, as a person reads it."""

_UNFINISHED = re.compile(rb"\x1b\[[\d:;]*\Z")
_LOCKS = 64 | 128
_CTRL = 4


class LeaveKey:
    """Splits what was typed from the leave key, however the pieces of input are cut."""

    def __init__(self, key: bytes = LEAVE_KEY) -> None:
        code = key[0] | (0x60 if key[0] <= 26 else 0x40)
        self._pattern = re.compile(
            rb"%b|\x1b\[%d(?::\d*)*;(\d+)(?::[12])?(?:;[\d:]*)?u|\x1b\[27;(\d+);%d~"
            % (re.escape(key), code, code)
        )
        self.held = b""
        """The beginning of a sequence that may still become the key."""

    def feed(self, data: bytes) -> tuple[bytes, bool]:
        """What to pass on, and whether the key came; what follows the key is dropped."""
        data, self.held = self.held + data, b""
        for match in self._pattern.finditer(data):
            if _is_ctrl_alone(match[1] or match[2]):
                return data[: match.start()], True
        unfinished = _UNFINISHED.search(data)
        if unfinished:
            self.held = unfinished[0]
            data = data[: unfinished.start()]
        return data, False

    def release(self) -> bytes:
        """Give up waiting for the rest of what is held."""
        data, self.held = self.held, b""
        return data


def _is_ctrl_alone(modifiers: bytes | None) -> bool:
    """Whether the modifiers, sent as their bits plus one, are ctrl, whatever locks are on."""
    return modifiers is None or (int(modifiers) - 1) & ~_LOCKS == _CTRL
