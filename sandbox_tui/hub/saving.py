"""Writes rooms to disk shortly after they changed, and says when that does not work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sandbox_tui.documents.store import RoomStore, StoredRoom
from sandbox_tui.model.errors import SandboxError
from sandbox_tui.model.refs import Ref
from sandbox_tui.runtime.pool import Pool

SETTLE = 0.1
"""Seconds for which changes are gathered before they are written."""

AGAIN = 5.0
"""Seconds before a failed write is tried again."""

_FILES = 20.0
"""Longest wait for one write, in seconds."""


class Saver:
    """Keeps the files of changed rooms up to date; `problem` says why one is not."""

    def __init__(self, store: RoomStore, stored: Callable[[Ref], StoredRoom | None]) -> None:
        self.problem = ""
        self._store = store
        self._stored = stored
        self._changed: set[Ref] = set()
        self._woken = asyncio.Event()
        self._pool = Pool("rooms", 1)
        self._task = asyncio.create_task(self._work(), name="save rooms")

    def save(self, ref: Ref) -> None:
        """Write that room soon."""
        self._changed.add(ref)
        self._woken.set()

    async def delete(self, ref: Ref) -> None:
        """Remove that room's file. Raises `OSError`."""
        self._changed.discard(ref)
        await self._pool.run(_FILES, self._store.delete, ref.name)

    async def aclose(self) -> None:
        """Write what is left and end."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._write()
        self._pool.close()

    async def _work(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            await asyncio.sleep(SETTLE)
            await self._write()
            if self.problem:
                await asyncio.sleep(AGAIN)
                self._woken.set()

    async def _write(self) -> None:
        """Write every changed room; those that fail, or are interrupted, stay changed."""
        problem = ""
        for ref in list(self._changed):
            room = self._stored(ref)
            self._changed.discard(ref)
            if room is None:
                continue
            try:
                await self._pool.run(_FILES, self._store.save, room)
            except asyncio.CancelledError:
                self._changed.add(ref)
                raise
            except (OSError, ValueError, SandboxError) as error:
                problem = f"{ref} is not saved: {error}"
                self._changed.add(ref)
        self.problem = problem
