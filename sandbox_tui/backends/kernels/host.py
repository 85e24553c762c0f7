"""Launches kernels, and finds again those that an earlier daemon left running."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from sandbox_tui.backends.kernels.client import Listener
from sandbox_tui.backends.kernels.connection import read_connection
from sandbox_tui.backends.kernels.kernel import Kernel
from sandbox_tui.backends.kernels.launch import KernelRequest, launch
from sandbox_tui.backends.kernels.records import KernelRecord, Records
from sandbox_tui.backends.kernels.wire import new_context
from sandbox_tui.model.errors import StartFailedError
from sandbox_tui.runtime.pool import Pool

if TYPE_CHECKING:
    from zmq.asyncio import Context

START_TIMEOUT = 60.0
"""Seconds that a new kernel has for its first answer."""

REJOIN_TIMEOUT = 0.5
"""Seconds after which a kernel that was found again and does not answer counts as busy."""

_TOLD = 20
"""Lines of a kernel's own output that explain why it did not come up."""

_FILES = 20.0
"""Longest wait for the file system and the first import of zmq, in seconds."""


class Adoption(NamedTuple):
    """What became of the kernels of an earlier daemon."""

    living: list[Kernel]
    dead: list[KernelRecord]


class KernelHost:
    """`runtime` holds sockets and connection files, `state` what must outlive a daemon."""

    def __init__(self, runtime: Path, state: Path) -> None:
        self._runtime = runtime
        self._records = Records(state)
        self._pool = Pool("kernels", 4)
        self._kernels: dict[str, Kernel] = {}
        self._context: Context | None = None

    async def start(
        self, request: KernelRequest, listener: Listener, *, timeout: float = START_TIMEOUT
    ) -> Kernel:
        """Launch and wait for its first answer, at most `timeout` seconds.

        Raises `InvalidSpecError` for a kernel that is not installed, and `StartFailedError` with
        what the process said for one that does not come up; nothing is left of it then.
        """
        record = await self._pool.run(_FILES, launch, request, self._runtime, self._records)
        kernel = await self._join(record, listener)
        try:
            answers = await kernel.ready(timeout)
        except asyncio.CancelledError:
            await self.end(kernel)
            raise
        if not answers:
            reason = await _why(kernel, timeout)
            await self.end(kernel)
            raise StartFailedError(request.owner, reason)
        return kernel

    async def adopt(self, listener_of: Callable[[KernelRecord], Listener]) -> Adoption:
        """Join every recorded kernel that lives; forget those that do not.

        One that lives but cannot be reached any more, its connection file being gone, is ended.
        """
        adoption = Adoption([], [])
        for record in await self._pool.run(_FILES, self._records.read):
            try:
                await self._pool.run(_FILES, record.check)
                adoption.living.append(await self._join(record, listener_of(record)))
            except (ProcessLookupError, FileNotFoundError, msgspec.MsgspecError):
                adoption.dead.append(record)
                await self._pool.run(_FILES, record.end)
                await self._pool.run(_FILES, self._records.forget, record)
        await asyncio.gather(*(kernel.rejoin(REJOIN_TIMEOUT) for kernel in adoption.living))
        return adoption

    async def end(self, kernel: Kernel, *, grace: float = 0.3) -> None:
        """Stop it for certain and remove its files."""
        await kernel.stop(grace)
        self._kernels.pop(kernel.record.id, None)
        await self._pool.run(_FILES, self._records.forget, kernel.record)

    async def tend(self) -> None:
        """What has to be done now and then: keep logs short."""
        for kernel in list(self._kernels.values()):
            await kernel.tend()

    async def aclose(self) -> None:
        """Let go of every kernel; they go on running and can be adopted."""
        await asyncio.gather(*(kernel.release() for kernel in self._kernels.values()))
        self._kernels.clear()
        context, self._context = self._context, None
        if context is not None:
            await self._pool.run(_FILES, context.term)
        self._pool.close()

    async def _join(self, record: KernelRecord, listener: Listener) -> Kernel:
        if self._context is None:
            self._context = await self._pool.run(_FILES, new_context)
        path = Path(record.connection_file)
        connection = await self._pool.run(_FILES, read_connection, path)
        kernel = Kernel(record, connection, self._context, listener, self._pool)
        self._kernels[record.id] = kernel
        return kernel


async def _why(kernel: Kernel, timeout: float) -> str:
    said = "\n".join((await kernel.log()).splitlines()[-_TOLD:])
    fate = kernel.exit.reason if kernel.exit else f"no answer within {timeout:g} s"
    return f"{fate}\n{said}" if said else fate
