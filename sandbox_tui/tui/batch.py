"""Streams at the speed of a screen: pieces are handed on a frame's worth at a time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import TypeVar

from textual.message import Message

from sandbox_tui.model.outputs import Text
from sandbox_tui.model.refs import Ref
from sandbox_tui.runtime.pulse import Pulse
from sandbox_tui.runtime.ring import Ring
from sandbox_tui.tui.messages import LogArrived

Post = Callable[[Message], object]
T = TypeVar("T")

FRAME = 1 / 30
"""Seconds between two paints, however fast things arrive."""

MOST_PIECES = 4_000
"""Pieces of a log that wait for one paint; more came too fast for anybody to read."""

TURN = 256
"""Pieces taken at a stretch before others have a turn."""


@contextlib.asynccontextmanager
async def batched(ref: Ref, post: Post) -> AsyncGenerator[Batch]:
    """A batch that is sent as it fills, and once more at the end."""
    batch = Batch(ref, post)
    flushing = asyncio.create_task(batch.flush_for_ever(), name=f"flush {ref}")
    try:
        yield batch
    finally:
        flushing.cancel()
        await asyncio.gather(flushing, return_exceptions=True)
        batch.flush()


class Batch:
    """Pieces of one log, on their way to the screen."""

    def __init__(self, ref: Ref, post: Post) -> None:
        self._ref = ref
        self._post = post
        self._pieces: Ring[Text] = Ring(MOST_PIECES)
        self._arrived = Pulse()
        self._taken = 0
        self._sent = 0
        self.last_at: float | None = None
        """When the last piece was said, where its engine stamps them."""

    async def put(self, piece: Text) -> None:
        """Take one; when too many wait, the oldest is lost. Now and then others get a turn."""
        self._taken += 1
        self._pieces.append(piece)
        self.last_at = piece.at
        self._arrived.fire()
        if self._taken % TURN == 0:
            await asyncio.sleep(0)

    def flush(self) -> None:
        """Send what waits."""
        lost = self._pieces.dropped - self._sent
        pieces = tuple(self._pieces.clear())
        self._sent = self._pieces.dropped
        if pieces:
            self._post(LogArrived(self._ref, pieces, lost))

    async def flush_for_ever(self) -> None:
        """Send at once after a silence, else once a frame."""
        while True:
            if not len(self._pieces):
                await self._arrived.wait()
            self.flush()
            await asyncio.sleep(FRAME)


async def paced(values: AsyncIterator[T]) -> AsyncIterator[T]:
    """The same values, at most one a frame; the source must be one where the latest wins."""
    async for value in values:
        yield value
        await asyncio.sleep(FRAME)
