import asyncio
import inspect
import queue
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any, Protocol

import pytest

from sandbox_tui.api.base import Api
from sandbox_tui.api.blocking_api import BlockingApi
from sandbox_tui.runtime.portal import Blocking, Portal, blocking
from tests.support import retry_until


class Counter:
    """A small async thing."""

    def __init__(self) -> None:
        self.value = 0

    async def add(self, amount: int = 1, *, twice: bool = False) -> int:
        """Add and tell."""
        await asyncio.sleep(0)
        self.value += amount * (2 if twice else 1)
        return self.value

    async def count(self) -> AsyncIterator[int]:
        for number in range(3):
            yield number


class BlockingCounter(Blocking[Counter]):
    add = blocking(Counter.add)


def test_a_sync_face_waits_and_keeps_signature_and_docstring() -> None:
    portal = Portal()
    counter = BlockingCounter(Counter(), portal)

    assert counter.add(2) == 2
    assert counter.add(1, twice=True) == 4
    assert BlockingCounter.add.__doc__ == Counter.add.__doc__
    assert inspect.signature(BlockingCounter.add) == inspect.signature(Counter.add)
    assert list(portal.iterate(counter.twin.count())) == [0, 1, 2]
    portal.close()


class Adds(Protocol):
    async def add(self, amount: int = 1) -> int: ...


class BlockingAdds(Blocking[Adds]):
    add = blocking(Adds.add)


def test_the_face_of_a_protocol_calls_the_twin_behind_it() -> None:
    portal = Portal()
    assert BlockingAdds(Counter(), portal).add(3) == 3
    portal.close()


def test_a_call_from_its_own_loop_is_refused() -> None:
    portal = Portal()
    counter = BlockingCounter(Counter(), portal)

    async def inside() -> None:
        counter.add()

    with pytest.raises(RuntimeError, match="inside its own event loop"):
        portal.call(inside())
    portal.close()


def test_closing_cancels_what_still_runs() -> None:
    portal = Portal()
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    async def begin() -> asyncio.Task[None]:
        task = asyncio.ensure_future(work())
        await asyncio.sleep(0)
        return task

    portal.call(begin())
    portal.close()

    assert ended == ["cancelled"]
    assert portal.loop.is_closed()


def test_ctrl_c_while_the_call_is_handed_over_ends_its_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    portal = Portal()
    hand_over = portal.loop.call_soon_threadsafe

    def interrupted(*args: Any) -> None:
        hand_over(*args)
        monkeypatch.undo()
        raise KeyboardInterrupt

    async def others() -> set[asyncio.Task[Any]]:
        return asyncio.all_tasks() - {asyncio.current_task()}

    monkeypatch.setattr(portal.loop, "call_soon_threadsafe", interrupted)
    with pytest.raises(KeyboardInterrupt):
        portal.call(asyncio.sleep(3600))

    retry_until(lambda: not portal.call(others()))
    portal.close()


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """It raises, also where this process was started to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_as_the_result_comes_undoes_it() -> None:
    portal, undone = Portal(), queue.SimpleQueue[str]()

    async def work() -> str:
        signal.raise_signal(signal.SIGINT)
        return "late"

    async def undo(result: str) -> None:
        undone.put(result)

    with pytest.raises(KeyboardInterrupt):
        portal.call(work(), undo)

    assert undone.get(timeout=5) == "late"
    portal.close()


def test_a_failure_is_not_undone() -> None:
    portal, undone = Portal(), queue.SimpleQueue[object]()

    async def work() -> None:
        raise ValueError("bad")

    async def undo(result: object) -> None:
        undone.put(result)

    with pytest.raises(ValueError, match="bad"):
        portal.call(work(), undo)
    portal.close()

    assert undone.empty()


def test_the_two_faces_of_the_api_have_the_same_names() -> None:
    def public(face: type) -> set[str]:
        return {name for name in vars(face) if not name.startswith("_")}

    assert public(BlockingApi) == public(Api) - {"aclose", "line"}


def test_who_calls_while_it_closes_is_not_left_waiting() -> None:
    portal = Portal()
    failures: list[Exception] = []
    begun, last_moment, called = threading.Event(), threading.Event(), threading.Event()

    def late() -> None:
        last_moment.wait(5)
        called.set()
        try:
            portal.call(asyncio.sleep(3600))
        except Exception as error:  # noqa: BLE001  # looked at below
            failures.append(error)

    async def dawdle() -> None:
        begun.set()
        try:
            await asyncio.sleep(3600)
        finally:
            last_moment.set()
            await asyncio.to_thread(called.wait, 5)

    caller = threading.Thread(target=late, daemon=True)
    asyncio.run_coroutine_threadsafe(dawdle(), portal.loop)
    caller.start()
    assert begun.wait(5)
    portal.close()
    portal.close()
    caller.join(5)
    assert [type(failure) for failure in failures] == [RuntimeError]
