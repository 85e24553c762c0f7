"""A copy that takes its time: await it, watch how far it is, or end it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator
from typing import NamedTuple

from sandbox_tui.runtime.pulse import Pulse


class Progress(NamedTuple):
    """How far a transfer is."""

    done: int
    """Bytes so far."""
    total: int | None = None
    """Bytes in all, where that is known."""
    step: str = ""
    """What is done now, in the engine's words."""

    def __str__(self) -> str:
        """Share, bytes and step, as far as they are known: `45%  9.0 MB of 20.0 MB  to /x`."""
        done, total, step = self
        share = f"{min(done / total, 1):.0%}" if total else ""
        size = f"{in_bytes(done)} of {in_bytes(total)}" if total else in_bytes(done) if done else ""
        return "  ".join(filter(None, (share, size, step.strip())))


def in_bytes(size: float) -> str:
    """A number of bytes as a person reads it: `12.3 MB`."""
    units = iter(("kB", "MB", "GB", "TB", "PB"))
    if size < 1000:
        return f"{size:.0f} B"
    unit = ""
    while size >= 1000:
        size, unit = size / 1000, next(units, unit)
    return f"{size:.1f} {unit}"


class Transfer:
    """A handle on one copy. Awaiting it gives what was made: a path, an image's id.

    Errors of the copy are raised where it is awaited; cancelling leaves nothing half-made behind.
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self.progress = Progress(0)
        self._pulse = Pulse()
        self._task: asyncio.Task[str] | None = None

    def carry(self, task: asyncio.Task[str]) -> None:
        """The task that does the work; for whoever makes a transfer."""
        self._task = task
        task.add_done_callback(lambda _: self._pulse.fire())

    def advance(self, progress: Progress) -> None:
        """Say how far it is; for the task that does the work, on the loop."""
        self.progress = progress
        self._pulse.fire()

    @property
    def is_done(self) -> bool:
        """Whether it has ended, well or not."""
        return self._task is not None and self._task.done()

    def __await__(self) -> Generator[object, None, str]:
        return self._finished().__await__()

    async def __aiter__(self) -> AsyncIterator[Progress]:
        """How far it is, whenever that changed; latest wins. Ends with the transfer."""
        while not self.is_done:
            yield self.progress
            await self._pulse.wait()
        yield self.progress

    async def cancel(self) -> None:
        """End it and wait until what it had begun is taken away."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _finished(self) -> str:
        assert self._task is not None
        return await asyncio.shield(self._task)
