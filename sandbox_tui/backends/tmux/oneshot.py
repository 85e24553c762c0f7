"""One `tmux` process per request: for deeds, and for looking while control mode is not to be had.

Several commands share a process (`tmux a ; b ; c`). Between their outputs stands a line that no
output can contain, because its words were drawn at random for this one process.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sandbox_tui.backends.tmux.child import Child, start
from sandbox_tui.backends.tmux.wire import Reply, Words

_KILLED = 1.0
"""Longest wait for a killed process, in seconds."""


class Finished(NamedTuple):
    """A process that ended."""

    code: int
    out: bytes
    complaint: str
    """What it said on stderr."""


class _Run(Child):
    """Collects what a process says until it has ended and all of that has come."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self._finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def heard(self, data: bytes) -> None:
        self._pieces.append(data)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if not self._finished.done():
            self._finished.set_result(None)

    async def finish(self, typed: bytes) -> Finished:
        """Type, and wait for the end."""
        assert self._stdin is not None
        assert self._transport is not None
        self._stdin.write(typed)
        self._stdin.write_eof()
        await self._finished
        code = self._transport.get_returncode()
        return Finished(-1 if code is None else code, b"".join(self._pieces), self.complaint)


async def run(
    argv: Sequence[str], *, environment: Mapping[str, str], timeout: float, typed: bytes = b""
) -> Finished:
    """Run to the end, `typed` on its stdin. Raises `TimeoutError`, `FileNotFoundError`."""
    process = await start(_Run(), argv, environment)
    try:
        async with asyncio.timeout(timeout):
            return await process.finish(typed)
    except BaseException:
        process.kill()
        await process.gone(_KILLED)
        raise


async def look(
    program: Sequence[str],
    commands: Sequence[Words],
    *,
    environment: Mapping[str, str],
    timeout: float,
) -> list[Reply]:
    """One reply per command; after the first that fails the rest fail too, not run at all."""
    mark = os.urandom(16).hex()
    marked = [part for command in commands for part in (command, ("display-message", "-p", mark))]
    argv = (*program, *joined(marked))
    done = await run(argv, environment=environment, timeout=timeout)
    *bodies, _ = done.out.split(f"{mark}\n".encode())
    replies = [Reply(ok=True, body=body.removesuffix(b"\n")) for body in bodies]
    failed = Reply(ok=False, body=done.complaint.encode())
    return replies + [failed] * (len(commands) - len(replies))


def joined(commands: Sequence[Words]) -> list[str]:
    """Several commands as the arguments of one `tmux`, which takes a last `;` for an end."""
    words: list[str] = []
    for command in commands:
        words += [*map(_escape, command), ";"]
    return words[:-1]


def _escape(word: str) -> str:
    return f"{word[:-1]}\\;" if word.endswith(";") else word
