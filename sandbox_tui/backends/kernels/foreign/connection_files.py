"""Kernels of this machine, by the connection files in Jupyter's runtime folder."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox_tui.backends.kernels.channels import OpenChannels
from sandbox_tui.backends.kernels.foreign.discovery import Discovery, KernelFile
from sandbox_tui.backends.kernels.foreign.source import FoundKernel, Lost
from sandbox_tui.model.world import RoomFacts, State
from sandbox_tui.runtime.pool import Pool

if TYPE_CHECKING:
    from zmq.asyncio import Context

_FILES = 5.0
"""Longest wait for a look through the folder, in seconds."""


class ConnectionFiles:
    """A `Source` that looks into one folder, by default Jupyter's; no folder has no kernels."""

    where = "jupyter"

    def __init__(self, folder: Path | None = None) -> None:
        self._discovery = Discovery(folder)
        self._files: list[KernelFile] = []
        self._found: list[FoundKernel] = []
        self._context: Context | None = None
        self._pool = Pool("connection files", 2)

    @property
    def about(self) -> str:
        """The folder."""
        return f"connection files in {self._discovery.folder}"

    async def living(self) -> list[FoundKernel]:
        """Every kernel that takes a connection."""
        files = await self._pool.run(_FILES, self._discovery.living)
        if files is not self._files:
            self._files, self._found = files, [_found(file) for file in files]
        return self._found

    async def reach(self, name: str, lost: Lost) -> OpenChannels:
        """Over zmq, which finds its way back by itself: it is never lost."""
        from sandbox_tui.backends.kernels.wire import Wire, new_context

        del lost
        if self._context is None:
            self._context = await self._pool.run(_FILES, new_context)
        [connection] = [file.connection for file in self._files if file.path.stem == name]
        return partial(Wire, self._context, connection)

    async def aclose(self) -> None:
        """End the thread of zmq."""
        context, self._context = self._context, None
        if context is not None:
            await self._pool.run(_FILES, context.term)
        self._pool.close()


def _found(file: KernelFile) -> FoundKernel:
    facts = RoomFacts(
        kernel=file.connection.kernel_name, foreign=True, connection_file=str(file.path)
    )
    return FoundKernel(file.path.stem, State.RUNNING, facts, file.written_at)
