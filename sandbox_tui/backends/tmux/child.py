"""A `tmux` process of ours and its pipes.

tmux hands the pipes of its clients on to the server. So when the server hangs, a killed client's
pipes stay open at the other end, and waiting for their end would be waiting for the server: after
a kill, our ends are closed. The kill goes to the pid, because the transport's own way may reap the
process before the loop does, which then complains.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from typing import TypeVar, cast

_COMPLAINT = 2000
"""How much of what it says on stderr is kept, in bytes."""


class Child(asyncio.SubprocessProtocol):
    """Base of what listens to such a process. To be made on the loop."""

    def __init__(self) -> None:
        self._gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._complaint = b""
        self._killed = False
        self._transport: asyncio.SubprocessTransport | None = None
        self._stdin: asyncio.WriteTransport | None = None

    @property
    def complaint(self) -> str:
        """What it said on stderr."""
        return self._complaint.decode("utf-8", "replace").strip()

    def kill(self) -> None:
        """End it at once, and hear no more of it."""
        self._killed = True
        if self._transport is None:
            return
        if self._gone.done():
            self._transport.close()
        else:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._transport.get_pid(), signal.SIGKILL)

    async def gone(self, timeout: float) -> None:
        """Return when the process is gone, or after `timeout` seconds."""
        if self._transport is not None:
            await asyncio.wait([self._gone], timeout=timeout)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The process runs."""
        self._transport = cast("asyncio.SubprocessTransport", transport)
        self._stdin = cast("asyncio.WriteTransport", self._transport.get_pipe_transport(0))

    def pipe_data_received(self, fd: int, data: bytes | str) -> None:
        """It said something."""
        assert isinstance(data, bytes)
        if fd == 1:
            self.heard(data)
        else:
            self._complaint = (self._complaint + data)[-_COMPLAINT:]

    def heard(self, data: bytes) -> None:
        """It said something on stdout."""
        raise NotImplementedError

    def process_exited(self) -> None:
        """The process is gone; what it said last may still be on its way."""
        self._gone.set_result(None)
        if self._killed and self._transport is not None:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """The process is gone and all that it said has been heard."""
        if self._transport is not None:
            self._transport.close()


AnyChild = TypeVar("AnyChild", bound=Child)


async def start(child: AnyChild, argv: Sequence[str], environment: Mapping[str, str]) -> AnyChild:
    """Run a program for `child` to listen to, out of reach of the terminal's Ctrl-C."""
    loop = asyncio.get_running_loop()
    await loop.subprocess_exec(lambda: child, *argv, env=environment, start_new_session=True)
    return child
