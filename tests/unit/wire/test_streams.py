"""Gathering what an iterator says, and ending it for certain."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from sandbox_tui.runtime.streams import closing, gathered
from tests.support import retry_until_async


def one(item: object) -> int:
    return 1


class Source:
    """Numbers, one for each `more`."""

    def __init__(self) -> None:
        self.more = asyncio.Semaphore(0)
        self.taken = 0
        self.closed = False

    async def numbers(self) -> AsyncIterator[int]:
        try:
            while True:
                await self.more.acquire()
                self.taken += 1
                yield self.taken
        finally:
            self.closed = True

    def say(self, count: int) -> None:
        for _ in range(count):
            self.more.release()


async def test_what_came_meanwhile_comes_together() -> None:
    source = Source()
    lists = gathered(source.numbers(), one, 100)
    source.say(1)
    assert await anext(lists) == [1]
    source.say(5)
    await retry_until_async(lambda: source.taken == 6)
    assert await anext(lists) == [2, 3, 4, 5, 6]
    await lists.aclose()
    assert source.closed


async def test_a_source_is_not_read_ahead_without_end() -> None:
    source = Source()
    lists = gathered(source.numbers(), one, 3)
    source.say(1000)
    assert await anext(lists)
    await asyncio.sleep(0.05)
    assert source.taken <= 8

    total = 0
    async for items in lists:
        assert len(items) <= 4
        total = items[-1]
        if total == 1000:
            break
    await lists.aclose()


async def test_the_end_comes_after_everything() -> None:
    async def three() -> AsyncIterator[int]:
        for number in range(3):
            yield number

    assert [item async for items in gathered(three(), one, 1) for item in items] == [0, 1, 2]


async def test_an_error_comes_after_everything() -> None:
    async def broken() -> AsyncIterator[int]:
        yield 1
        raise ValueError("broken")

    lists = gathered(broken(), one, 10)
    assert await anext(lists) == [1]
    with pytest.raises(ValueError, match="broken"):
        await anext(lists)


async def test_closing_ends_a_source_that_was_left_half_way() -> None:
    source = Source()
    source.say(3)
    async with closing(source.numbers()) as numbers:
        async for _ in numbers:
            break
    assert source.closed


async def test_cancelling_the_reader_ends_the_source() -> None:
    source = Source()

    async def read() -> None:
        async with closing(gathered(source.numbers(), one, 10)) as lists:
            async for _ in lists:
                pass

    source.say(2)
    reading = asyncio.create_task(read())
    await retry_until_async(lambda: source.taken == 2)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    assert source.closed
