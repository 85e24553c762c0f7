"""Async iterators: gather what is ready, and close them for certain."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Generic, TypeVar

from sandbox_tui.runtime.pulse import Pulse

T = TypeVar("T")


@contextlib.asynccontextmanager
async def closing(source: AsyncIterator[T]) -> AsyncGenerator[AsyncIterator[T]]:
    """`source`, ended when the block ends, if it is one that can be."""
    try:
        yield source
    finally:
        if isinstance(source, AsyncGenerator):
            await source.aclose()


async def gathered(
    source: AsyncIterator[T], weigh: Callable[[T], int], most: int
) -> AsyncGenerator[list[T]]:
    """What `source` says, in lists of everything that came since the last one was taken.

    A list is never empty. `source` is not read on while more than `most` waits to be taken.
    """
    bucket = _Bucket(weigh, most)
    filling = asyncio.create_task(bucket.fill(source), name="gather")
    try:
        while items := await bucket.take():
            yield items
        await filling
    finally:
        filling.cancel()
        await asyncio.gather(filling, return_exceptions=True)


class _Bucket(Generic[T]):
    def __init__(self, weigh: Callable[[T], int], most: int) -> None:
        self._weigh = weigh
        self._most = most
        self._items: list[T] = []
        self._weight = 0
        self._ended = False
        self._moved = Pulse()

    async def fill(self, source: AsyncIterator[T]) -> None:
        try:
            async with closing(source):
                async for item in source:
                    await self._put(item)
        finally:
            self._ended = True
            self._moved.fire()

    async def take(self) -> list[T]:
        while not self._items and not self._ended:
            await self._moved.wait()
        items, self._items, self._weight = self._items, [], 0
        self._moved.fire()
        return items

    async def _put(self, item: T) -> None:
        self._items.append(item)
        self._weight += self._weigh(item)
        self._moved.fire()
        while self._weight > self._most:
            await self._moved.wait()
