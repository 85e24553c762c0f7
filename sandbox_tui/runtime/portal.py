"""The sync face: one event loop in a thread, and methods that wait for it.

`start = blocking(AsyncThing.start)` keeps the full signature, so a sync class is a list of such
lines over its async twin and there is no second implementation.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import functools
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
Twin = TypeVar("Twin")


_undoing: set[asyncio.Future[object]] = set()
"""What is done for those who have given up: a loop does not hold its tasks."""


class Portal:
    """An event loop in a daemon thread; safe to call from any other thread."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._is_open = True
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._serve, name="sandbox-tui-portal", daemon=True)
        self._thread.start()

    def call(self, work: Awaitable[T], undo: Callable[[T], Awaitable[object]] | None = None) -> T:
        """Wait for a coroutine that runs on the portal's loop; Ctrl-C cancels it there.

        A result that came too late for whoever gave up is given to `undo`.
        """
        if threading.current_thread() is self._thread:
            raise _refused(work, "the sync API was called from inside its own event loop")
        call = _Call(work, undo)
        try:
            with self._lock:  # what the loop gets after its end would be waited for in vain
                if not self._is_open:
                    raise _refused(work, "the sync API was called after its end")
                self.loop.call_soon_threadsafe(call.begin)
            return call.answer.result()
        except BaseException:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and with it all its work
                self.loop.call_soon_threadsafe(call.give_up)
            raise

    def iterate(self, source: AsyncIterator[T]) -> Iterator[T]:
        """The items of an async iterator that lives on the portal's loop, one by one."""
        while (item := self.call(_next(source))) is not None:
            yield item[0]

    def close(self) -> None:
        """End the loop and its thread; what still runs is cancelled."""
        with self._lock:
            if self._is_open:
                self._is_open = False
                self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()

    def _serve(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()
        left = asyncio.all_tasks(self.loop)
        for task in left:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()


class _Call(Generic[T]):
    """What a thread waits for. All but the waiting happens on the loop, one after the other."""

    def __init__(self, work: Awaitable[T], undo: Callable[[T], Awaitable[object]] | None) -> None:
        self.answer: concurrent.futures.Future[T] = concurrent.futures.Future()
        self._work = work
        self._undo = undo
        self._task: asyncio.Future[T] | None = None

    def begin(self) -> None:
        """Let it run."""
        self._task = asyncio.ensure_future(self._work)
        self._task.add_done_callback(self._tell)

    def give_up(self) -> None:
        """Nobody waits any more. What has not begun by now never will."""
        task = self._task
        if task is None:
            _close(self._work)
        elif not task.cancel() and not task.cancelled() and not task.exception() and self._undo:
            undoing = asyncio.ensure_future(self._undo(task.result()))
            _undoing.add(undoing)
            undoing.add_done_callback(_undoing.discard)

    def _tell(self, task: asyncio.Future[T]) -> None:
        if task.cancelled():
            self.answer.cancel()
        elif error := task.exception():
            self.answer.set_exception(error)
        else:
            self.answer.set_result(task.result())


def _refused(work: Awaitable[object], reason: str) -> RuntimeError:
    _close(work)
    return RuntimeError(reason)


def _close(work: Awaitable[object]) -> None:
    if asyncio.iscoroutine(work):
        work.close()


async def _next(source: AsyncIterator[T]) -> tuple[T] | None:
    """The next item in a tuple, or `None` at the end: StopAsyncIteration cannot cross a future."""
    async for item in source:
        return (item,)
    return None


class Blocking(Generic[Twin]):
    """Base of a sync face: the async object behind it and the portal that object lives in."""

    def __init__(self, twin: Twin, portal: Portal) -> None:
        self.twin = twin
        self.portal = portal


def blocking(
    method: Callable[Concatenate[Twin, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[Blocking[Twin], P], T]:
    """The same method, waiting for its result. For the body of a subclass of `Blocking`.

    `method` may be that of a Protocol: the twin's own method of that name is called.
    """

    @functools.wraps(method)
    def call(self: Blocking[Twin], *args: P.args, **kwargs: P.kwargs) -> T:
        own: Callable[P, Awaitable[T]] = getattr(self.twin, method.__name__)
        return self.portal.call(own(*args, **kwargs))

    return call
