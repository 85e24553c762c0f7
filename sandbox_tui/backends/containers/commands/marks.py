"""Where one command of a shell begins and ends in the streams that it shares with all others.

The shell says so itself, on a line of its own that starts with a control sign and a nonce. Nobody
can guess the nonce, so no output is taken for such a line by accident.
"""

from __future__ import annotations

import os
from typing import NamedTuple

SIGN = b"\x01"


class Mark(NamedTuple):
    """One such line: what the shell says after the nonce."""

    word: str
    details: tuple[str, ...] = ()


def nonce() -> str:
    """A new one."""
    return os.urandom(8).hex()


class Marks:
    """One stream, cut at the marks of one nonce."""

    def __init__(self, nonce: str) -> None:
        self._start = SIGN + nonce.encode() + b" "
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes | Mark]:
        """What comes before, between and after marks, in order; what may become one waits."""
        data, self._rest = self._rest + data, b""
        found: list[bytes | Mark] = []
        while (at := data.find(self._start)) >= 0:
            line, end, after = data[at:].partition(b"\n")
            found.append(data[:at])
            if not end:
                self._rest = line
                return [piece for piece in found if piece]
            word, *details = line[len(self._start) :].decode("ascii", "replace").split()
            found.append(Mark(word, tuple(details)))
            data = after
        whole = len(data) - self._unsure(data)
        found.append(data[:whole])
        self._rest = data[whole:]
        return [piece for piece in found if piece]

    def rest(self) -> bytes:
        """What waited, and cannot become a mark any more."""
        data, self._rest = self._rest, b""
        return data

    def _unsure(self, data: bytes) -> int:
        """How many of the last bytes may be the beginning of a mark."""
        at = data.find(SIGN, max(0, len(data) - len(self._start) + 1))
        while at >= 0 and not self._start.startswith(data[at:]):
            at = data.find(SIGN, at + 1)
        return len(data) - at if at >= 0 else 0
