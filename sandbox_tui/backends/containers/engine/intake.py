"""What comes on a socket or a pipe, read by the loop itself: bounded, and in batches.

The same to its consumer as a `Pump`, for connections on which an answer is waited for: a thread in
between would cost more than the answer. An encrypted connection needs that thread.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Generic, Protocol, TypeVar

from sandbox_tui.runtime.pulse import Pulse

LEAST, MOST = 4 * 1024, 256 * 1024
"""Bytes that are taken at a time: few while that is all there is, for space costs time."""

AHEAD = 4
"""How many batches may wait; what comes beyond waits in the wire, and then in the sandbox."""

Item = TypeVar("Item")


class Wire(Protocol):
    """A socket or a pipe. Does not block."""

    def fileno(self) -> int:
        """Its number."""
        ...

    def recv(self, size: int, /) -> bytes:
        """What is there, up to so many bytes; none at the end. Raises `OSError`."""
        ...


class Intake(Generic[Item]):
    """A wire and the batches that were read from it. Made and used on the loop."""

    def __init__(
        self,
        wire: Wire,
        first: bytes,
        feed: Callable[[bytes], Sequence[Item]],
        talking: Callable[[], AbstractContextManager[None]],
        close: Callable[[], None],
    ) -> None:
        """`first` was read already; `talking` translates errors; `close` lets go of the wire."""
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
        self._listening = self._last = False
        self._size = LEAST
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

    def take(self) -> Sequence[Item] | None:
        """The next batch that is there; `None` when there is none yet, or at the end."""
        if self._arrived:
            batch = self._arrived.popleft()
            self._listen()
            return batch
        if self._error is not None:
            raise self._error
        return None

    def look(self) -> None:
        """Read what is there now, if it was not yet."""
        self._size = MOST
        self._readable()

    def finish(self) -> None:
        """It ends with what is there now, whoever still has the other end."""
        self._last = True
        if self._listening:
            self.look()

    async def aclose(self) -> None:
        """Hang up."""
        self._end(None)

    def _listen(self) -> None:
        """Read on while there is space."""
        wanted = not self._over and len(self._arrived) < AHEAD
        if wanted and not self._listening:
            self._loop.add_reader(self._wire, self._readable)
            if self._last:
                self._loop.call_soon(self.look)
        elif self._listening and not wanted:
            self._loop.remove_reader(self._wire)
        self._listening = wanted

    def _readable(self) -> None:
        if self._over:
            return
        try:
            with self._talking():
                try:
                    data = self._wire.recv(self._size)
                except BlockingIOError:
                    data = b""
                    if not self._last:
                        return
                batch = self._feed(data)
        except Exception as error:  # noqa: BLE001  # for whoever consumes, whatever it is
            self._end(error)
            return
        self._size = MOST if len(data) >= LEAST else LEAST
        if batch:
            self._enter(batch)
        if not data or self._last:
            self._end(None)

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
