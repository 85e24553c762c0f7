"""Keeps what happens in rooms on disk, and says when that does not work.

Changes are appended to logs within 50 ms, so that a daemon that is killed loses no more. Notebook
files follow at leisure. A write that failed is made good by writing the whole room anew.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from sandbox_tui.documents import records
from sandbox_tui.documents.room_log import Entry, StoredRoom, encoded, snapshot
from sandbox_tui.documents.store import RoomStore
from sandbox_tui.model.errors import OperationFailedError, SandboxError
from sandbox_tui.model.refs import Ref
from sandbox_tui.runtime.pool import Pool

SETTLE = 0.05
"""Seconds for which changes are gathered before they are written."""

LEISURE = 1.0
"""Seconds after which the notebook file of a changed room is written."""

AGAIN = 5.0
"""Seconds before a failed write is tried again."""

LONGEST_LOG = 1024 * 1024
"""Bytes that are appended to a log at least before it is written anew."""

PRUNE_EVERY = 50
"""Runs of one room between two looks at how many are kept."""

_FILES = 20.0
"""Longest wait for one write, in seconds."""


class _Log:
    """What is to be done for one room."""

    def __init__(self) -> None:
        self.waiting: list[bytes] = []
        self.appended = 0
        self.whole = 0
        """Bytes that it was when it was last written anew."""
        self.anew = False
        self.checkpoint_at = 0.0
        """When its notebook file is to be written; 0 when it need not be."""
        self.runs = 0

    @property
    def is_long(self) -> bool:
        return self.appended > max(LONGEST_LOG, 2 * self.whole)


class Saver:
    """Writes the rooms that `stored` tells of; `problem` says why one is not saved."""

    def __init__(self, store: RoomStore, stored: Callable[[Ref], StoredRoom | None]) -> None:
        self.problem = ""
        self._store = store
        self._stored = stored
        self._logs: dict[Ref, _Log] = {}
        self._records: dict[tuple[Ref, str], list[bytes]] = {}
        self._woken = asyncio.Event()
        self._turn = asyncio.Lock()
        self._pool = Pool("rooms", 1)
        self._task = asyncio.create_task(self._work(), name="save rooms")

    def log(self, ref: Ref, entry: Entry) -> None:
        """That happened in the room: write it down soon."""
        log = self._log(ref)
        if not log.anew:
            log.waiting.append(encoded(entry))
        log.checkpoint_at = log.checkpoint_at or time.monotonic() + LEISURE
        self._woken.set()

    def record(self, ref: Ref, execution_id: str, entry: records.Entry) -> None:
        """A run of the room began, said something, or ended: write it down soon."""
        self._records.setdefault((ref, execution_id), []).append(records.encoded(entry))
        self._woken.set()

    def save(self, ref: Ref) -> None:
        """Write the whole room soon."""
        log = self._log(ref)
        log.anew, log.waiting = True, []
        log.checkpoint_at = log.checkpoint_at or time.monotonic() + LEISURE
        self._woken.set()

    async def saved(self, ref: Ref) -> None:
        """Write the whole room now, its notebook file too. Never raises: see `problem`."""
        self.save(ref)
        self._log(ref).checkpoint_at = time.monotonic()
        await self.flush()

    async def flush(self) -> None:
        """Return when all that happened so far is on the disk, or cannot be."""
        async with self._turn:
            await self._write()

    async def delete(self, ref: Ref) -> None:
        """Remove the room's files. Raises `OperationFailedError`."""
        async with self._turn:
            self._logs.pop(ref, None)
            for key in [key for key in self._records if key[0] == ref]:
                del self._records[key]
            try:
                await self._pool.run(_FILES, self._store.delete, ref.name)
            except OSError as error:
                raise OperationFailedError(ref, "remove", str(error)) from error

    async def aclose(self) -> None:
        """Write what is left and end."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        for log in self._logs.values():
            log.checkpoint_at = log.checkpoint_at and time.monotonic()
        await self.flush()
        self._pool.close()

    async def _work(self) -> None:
        while True:
            await self._sleep()
            self._woken.clear()
            await asyncio.sleep(SETTLE)
            await asyncio.shield(asyncio.ensure_future(self.flush()))
            if self.problem:
                await asyncio.sleep(AGAIN)
                self._woken.set()

    async def _sleep(self) -> None:
        """Until something is to be written, now or by then."""
        due = min(filter(None, (log.checkpoint_at for log in self._logs.values())), default=0.0)
        try:
            async with asyncio.timeout(max(0.0, due - time.monotonic()) if due else None):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _write(self) -> None:
        """Write what is due; what fails is to be written anew."""
        problems: list[str] = []
        for ref, log in list(self._logs.items()):
            try:
                await self._write_log(ref, log)
                await self._checkpoint(ref, log)
            except Exception as error:  # noqa: BLE001  # a fault in one room stops no other
                self.save(ref)
                problems.append(f"{ref} is not saved: {_reason(error)}")
        problems += [await self._write_record(key) for key in list(self._records)]
        self.problem = next(filter(None, problems), "")

    async def _write_log(self, ref: Ref, log: _Log) -> None:
        room = self._stored(ref) if log.anew or log.is_long else None
        if room is not None:
            data = snapshot(room)
            log.waiting, log.anew = [], False
            await self._pool.run(_FILES, self._store.rewrite, ref.name, data)
            log.appended, log.whole = 0, len(data)
        elif log.waiting:
            data, log.waiting = b"".join(log.waiting), []
            await self._pool.run(_FILES, self._store.append, ref.name, data)
            log.appended += len(data)

    async def _checkpoint(self, ref: Ref, log: _Log) -> None:
        if not log.checkpoint_at or log.checkpoint_at > time.monotonic():
            return
        log.checkpoint_at = 0.0
        room = self._stored(ref)
        if room is not None:
            await self._pool.run(_FILES, self._store.checkpoint, room)

    async def _write_record(self, key: tuple[Ref, str]) -> str:
        """Append to the record of a run; why that failed."""
        ref, execution_id = key
        folder, data = self._store.runs(ref.name), b"".join(self._records.pop(key))
        try:
            await self._pool.run(_FILES, records.write, folder, execution_id, data)
            log = self._log(ref)
            log.runs += 1
            if log.runs % PRUNE_EVERY == 0:
                await self._pool.run(_FILES, records.prune, folder)
        except Exception as error:  # noqa: BLE001  # the same
            return f"what runs in {ref} said is not saved: {_reason(error)}"
        return ""

    def _log(self, ref: Ref) -> _Log:
        return self._logs.setdefault(ref, _Log())


def _reason(error: Exception) -> str:
    """Without the path: it is a different one whenever another file fails first."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    expected = isinstance(error, OSError | ValueError | SandboxError)
    return str(error) if expected else f"{type(error).__name__}: {error}"
