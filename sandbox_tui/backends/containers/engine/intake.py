"""What comes on a socket, read by the loop itself: bounded, and in batches.

The same to its consumer as a `Pump`, for connections on which an answer is waited for: a thread in
between would cost more than the answer. An encrypted connection needs that thread.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Generic, TypeVar

from sandbox_tui.runtime.pulse import Pulse

LEAST, MOST = 4 * 1024, 256 * 1024
"""Bytes that are taken at a time: few while that is all there is, for space costs time."""

AHEAD = 4
"""How many batches may wait; what comes beyond waits in the socket, and then in the sandbox."""

Item = TypeVar("Item")


class Intake(Generic[Item]):
    """A socket and the batches that were read from it. Made and used on the loop."""

    def __init__(
        self,
        wire: socket.socket,
        first: bytes,
        feed: Callable[[bytes], Sequence[Item]],
        talking: Callable[[], AbstractContextManager[None]],
        close: Callable[[], None],
    ) -> None:
        """`first` was read already; `talking` translates errors; `close` lets go of the socket."""
        self._wire = wire
        self._feed = feed
        self._talking = talking
        self._close = close
        self._loop = asyncio.get_running_loop()
        self._arrived: deque[Sequence[Item]] = deque()
        self.pulse = Pulse()
        """Fired whenever there is something to take, and at the end."""
        self._error: Exception | None = None
        self._over = False
        self._listening = False
        self._size = LEAST
        wire.setblocking(False)
        if first and (batch := feed(first)):
            self._enter(batch)
        self._listen()

    @property
    def is_over(self) -> bool:
        """Whether the other side has ended it."""
        return self._over

    @property
    def is_drained(self) -> bool:
        """Whether it is over, and all that came was taken."""
        return self._over and not self._arrived

    async def next(self) -> Sequence[Item] | None:
        """The next batch, `None` at the end. Raises `BackendUnavailableError`."""
        while not self._arrived and not self._over:
            await self.pulse.wait()
        return self.take()

    def take(self) -> Sequence[Item] | None:
        """The next batch that is there; `None` when there is none yet, or at the end."""
        if self._arrived:
            batch = self._arrived.popleft()
            self._listen()
            return batch
        if self._error is not None:
            raise self._error
        return None

    async def aclose(self) -> None:
        """Hang up."""
        self._end(None)

    def _listen(self) -> None:
        """Read on while there is space."""
        wanted = not self._over and len(self._arrived) < AHEAD
        if wanted and not self._listening:
            self._loop.add_reader(self._wire, self._readable)
        elif self._listening and not wanted:
            self._loop.remove_reader(self._wire)
        self._listening = wanted

    def _readable(self) -> None:
        try:
            with self._talking():
                try:
                    data = self._wire.recv(self._size)
                except BlockingIOError:
                    return
                batch = self._feed(data)
        except Exception as error:  # noqa: BLE001  # for whoever consumes, whatever it is
            self._end(error)
            return
        self._size = MOST if len(data) >= LEAST else LEAST
        if not data:
            self._end(None)
        elif batch:
            self._enter(batch)

    def _enter(self, batch: Sequence[Item]) -> None:
        self._arrived.append(batch)
        self._listen()
        self.pulse.fire()

    def _end(self, error: Exception | None) -> None:
        if self._over:
            return
        self._error, self._over = error, True
        self._listen()
        self._close()
        self.pulse.fire()
