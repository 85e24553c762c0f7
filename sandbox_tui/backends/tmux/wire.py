"""The text protocol of a control-mode client, taken apart.

A command is one line; its reply is a block between `%begin T N F` and `%end T N F` (or `%error`)
whose three numbers are the same. The flag is 1 for what this client asked, 0 for what tmux or a
hook of the user's ran on its behalf. Lines outside blocks are notifications. Nothing between the
guards is escaped, so only a guard with the very same numbers closes a block.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

Words = tuple[str, ...]
"""One tmux command, word by word."""

LIMIT = 64 * 1024 * 1024
"""Longest reply that is waited for, in bytes."""


_BEGIN = re.compile(rb"%begin \d+ \d+ \d+")


class GarbledError(Exception):
    """What came is not the protocol."""


class Reply(NamedTuple):
    """One command's answer."""

    ok: bool
    body: bytes
    """Its lines, the last one without its newline; the reason when it is not `ok`."""
    at: int = 0
    """The server's clock when it began, in whole seconds."""
    asked: bool = True
    """Whether this client's own line asked for it."""

    @property
    def text(self) -> str:
        """The body, with what is no UTF-8 replaced."""
        return self.body.decode("utf-8", "replace")


class Notice(NamedTuple):
    """Something happened that nobody asked about."""

    name: str


class Wire:
    """Bytes in, in any pieces; replies and notices out, in order."""

    def __init__(self) -> None:
        self._held = b""
        self._guard = b""
        self._searched = 0

    def feed(self, data: bytes) -> Iterator[Reply | Notice]:
        """Everything that `data` completes. Raises `GarbledError`."""
        self._held += data
        stuck = False
        while not stuck:
            inside = bool(self._guard)
            item = self._reply() if inside else self._line()
            if item is not None:
                yield item
            stuck = item is None and inside == bool(self._guard)
        if len(self._held) > LIMIT:
            raise GarbledError(f"a reply of more than {LIMIT} bytes")

    def _line(self) -> Notice | None:
        """The next line outside a block; none when it opens a block or is not all there yet."""
        line, newline, rest = self._held.partition(b"\n")
        if not newline:
            return None
        self._held = rest
        if _BEGIN.fullmatch(line):
            self._guard = line.removeprefix(b"%begin") + b"\n"
            self._searched = 0
            return None
        if not line.startswith(b"%"):
            raise GarbledError(f"{line[:80]!r} outside a reply")
        return Notice(line[1:].partition(b" ")[0].decode("ascii", "replace"))

    def _reply(self) -> Reply | None:
        """The block that is open, once its end is there."""
        while (guard := self._held.find(self._guard, self._searched)) >= 0:
            start = self._held.rfind(b"\n", 0, guard) + 1
            word = self._held[start:guard]
            if word in (b"%end", b"%error"):
                return self._close(word == b"%end", start, guard + len(self._guard))
            self._searched = guard + 1
        self._searched = max(0, len(self._held) - len(self._guard))
        return None

    def _close(self, ok: bool, start: int, end: int) -> Reply:
        at, _, flag = self._guard.split()
        body = self._held[: max(0, start - 1)]
        self._held, self._guard = self._held[end:], b""
        return Reply(ok, body, int(at), flag == b"1")


@lru_cache(1024)
def line_of(command: Words) -> str:
    """One command as a line for a control-mode client; nothing in its words is expanded."""
    return " ".join(_quote(word) for word in command)


def _quote(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"
