"""A thread's reading on the loop: bounded, gathered, ended at once."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from queue import SimpleQueue

import pytest

from sandbox_tui.backends.containers.engine.pump import AHEAD, BURST, LARGE, PAUSE, Pump
from tests.support import lapse, retry_until_async, stays


class Counter:
    """An endless source that counts its reads."""

    def __init__(self, size: int = LARGE) -> None:
        self.reads = 0
        self.closed = threading.Event()
        self._size = size
        self._stopped = False

    def read(self) -> tuple[Sequence[int], int] | None:
        if self._stopped:
            return None
        self.reads += 1
        return [self.reads], self._size

    def stop(self) -> None:
        self._stopped = True

    def close(self) -> None:
        self.closed.set()


class Script:
    """A source that says what it is told to, and waits in between as a socket does."""

    def __init__(self) -> None:
        self.said: SimpleQueue[str | Exception | None] = SimpleQueue()
        self.closed = threading.Event()

    def read(self) -> tuple[Sequence[str], int] | None:
        said = self.said.get()
        if isinstance(said, Exception):
            raise said
        return None if said is None else ([said], len(said))

    def stop(self) -> None:
        self.said.put(None)

    def close(self) -> None:
        self.closed.set()


async def test_everything_arrives_in_order_and_then_it_ends() -> None:
    script = Script()
    pump = Pump("test", script)
    for said in ("a", "b", "c", None):
        script.said.put(said)

    assert [list(batch) async for batch in pump.batches()] == [["a"], ["b"], ["c"]]
    assert script.closed.wait(1)


async def test_a_single_item_is_there_at_once() -> None:
    script = Script()
    pump = Pump("test", script)
    batches = pump.batches()
    first = asyncio.ensure_future(anext(batches))
    await lapse(0.05)
    began = time.perf_counter()
    script.said.put("a")
    await first

    assert time.perf_counter() - began < PAUSE
    await batches.aclose()
    await pump.aclose()


async def test_nobody_who_consumes_means_only_so_much_is_read() -> None:
    source = Counter()
    pump = Pump("test", source)
    await retry_until_async(lambda: source.reads == AHEAD)

    assert await stays(lambda: source.reads == AHEAD, 0.05)
    await pump.aclose()
    assert source.closed.is_set()


async def test_small_pieces_are_gathered_before_the_loop_is_woken_again() -> None:
    source, began, taken = Counter(size=8), time.monotonic(), 0
    pump = Pump("test", source)
    batches = pump.batches()
    while time.monotonic() - began < 0.5:
        await anext(batches)
        taken += 1
    await batches.aclose()
    await pump.aclose()

    assert taken <= (AHEAD + BURST) * (0.5 / PAUSE + 2)


async def test_an_error_comes_after_what_was_read() -> None:
    script = Script()
    pump = Pump("test", script)
    script.said.put("a")
    script.said.put(ConnectionError("gone"))

    batches = pump.batches()
    assert await anext(batches) == ["a"]
    with pytest.raises(ConnectionError, match="gone"):
        await anext(batches)


async def test_a_reader_that_waits_is_ended_at_once() -> None:
    script = Script()
    pump = Pump("test", script)
    began = time.perf_counter()
    await pump.aclose()

    assert script.closed.wait(1)
    assert time.perf_counter() - began < 0.5
