"""What one thread reads from an engine, handed to the loop: bounded, and in batches.

A thread may be at most a few batches ahead of whoever consumes them, and a small batch frees its
place only after a moment. So a flood waits in the socket and then in the sandbox, one that prints
eight bytes at a time wakes the loop no more than a few hundred times a second, and a single line
is there at once. Hand-over and permission are both free of locks: the loop never waits.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from functools import partial
from queue import SimpleQueue
from typing import Generic, Protocol, TypeVar

from sandbox_tui.runtime.pulse import Pulse

AHEAD = 4
"""How many batches may wait."""

PAUSE = 0.016
"""Seconds until the place of a small batch is free again, when there were many of late."""

BURST = 32
"""How many small batches within a `PAUSE` are still few."""

LARGE = 32 * 1024
"""From this size on (bytes as read) more is waiting already, and there is nothing to gather."""

Item_co = TypeVar("Item_co", covariant=True)
Item = TypeVar("Item")


class Source(Protocol[Item_co]):
    """What a thread reads."""

    def read(self) -> tuple[Sequence[Item_co], int] | None:
        """Wait for the next batch and its size in bytes; `None` at the end."""
        ...

    def stop(self) -> None:
        """From any thread: end a `read` that waits."""
        ...

    def close(self) -> None:
        """From the reading thread, at its end."""
        ...


class Pump(Generic[Item]):
    """One thread and the batches it has read. Made on the loop, consumed once, then closed."""

    def __init__(self, name: str, source: Source[Item]) -> None:
        self._source = source
        self._loop = asyncio.get_running_loop()
        self._permits: SimpleQueue[bool] = SimpleQueue()
        self._arrived: deque[tuple[Sequence[Item], int]] = deque()
        self._taken = 0
        self.pulse = Pulse()
        """Fired whenever there is something to take, and at the end."""
        self._over = False
        self._error: Exception | None = None
        self._lately = (0.0, 0)
        for _ in range(AHEAD):
            self._permits.put(True)
        threading.Thread(target=self._work, name=name, daemon=True).start()

    @property
    def is_over(self) -> bool:
        """Whether the source has ended."""
        return self._over

    @property
    def is_drained(self) -> bool:
        """Whether it has, and all that was read was taken."""
        return self._over and not self._arrived

    async def batches(self) -> AsyncGenerator[Sequence[Item]]:
        """Everything that is read, until the end. Raises what the source raised."""
        while (items := await self.next()) is not None:
            yield items

    async def next(self) -> Sequence[Item] | None:
        """The next batch, `None` at the end; who asks for it is done with the last one."""
        self._release()
        while not self._arrived and not self._over:
            await self.pulse.wait()
        return self.take()

    def take(self) -> Sequence[Item] | None:
        """The next batch that is there; `None` when there is none yet, or at the end."""
        self._release()
        if self._arrived:
            items, self._taken = self._arrived.popleft()
            return items
        if self._error is not None:
            raise self._error
        return None

    async def aclose(self, seconds: float = 1.0) -> None:
        """End the reading; wait up to `seconds` for the thread to be gone."""
        self._permits.put(False)
        self._source.stop()
        try:
            async with asyncio.timeout(seconds):
                while not self._over:
                    await self.pulse.wait()
        except TimeoutError:
            return

    def _release(self) -> None:
        """The place of the last batch is free again, soon."""
        size, self._taken = self._taken, 0
        if not size:
            return
        if size >= LARGE or self._are_few():
            self._permits.put(True)
        else:
            self._loop.call_later(PAUSE, self._permits.put, True)

    def _are_few(self) -> bool:
        """Whether there was no more than a burst of small batches of late, with this one."""
        (since, count), now = self._lately, self._loop.time()
        self._lately = (since, count + 1) if now - since < PAUSE else (now, 1)
        return self._lately[1] <= BURST

    def _work(self) -> None:
        error: Exception | None = None
        try:
            while self._permits.get() and (batch := self._source.read()) is not None:
                self._post(partial(self._arrived.append, batch))
        except Exception as caught:  # noqa: BLE001  # for whoever consumes, whatever it is
            error = caught
        finally:
            self._source.close()
            self._post(partial(self._end, error))

    def _end(self, error: Exception | None) -> None:
        self._error = error
        self._over = True

    def _post(self, change: Callable[[], None]) -> None:
        def arrive() -> None:
            change()
            self.pulse.fire()

        try:
            self._loop.call_soon_threadsafe(arrive)
        except RuntimeError:  # the loop is closed: nobody waits any more
            self._source.stop()
