"""Blocking calls off the loop, in threads that belong to one backend.

A stuck engine must cost its own threads and nothing else: not the loop, not another backend, not
the end of the program. So these are daemon threads, bounded, and every call has a deadline.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from sandbox_tui.model.errors import DeadlineError

P = ParamSpec("P")
T = TypeVar("T")
Job = Callable[[], None]


class Pool:
    """At most `size` threads, started when needed; at most `backlog` calls waiting for one."""

    def __init__(self, name: str, size: int, *, backlog: int = 1024) -> None:
        self._name = name
        self._size = size
        self._jobs: queue.Queue[Job | None] = queue.Queue(backlog)
        self._threads: list[threading.Thread] = []
        self._open = 0
        self._lock = threading.Lock()

    async def run(
        self, timeout: float, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call in a thread. Raises `DeadlineError` after `timeout` seconds; the thread goes on."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()

        def job() -> None:
            if answer.cancelled():
                return
            try:
                value = call(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001  # handed to the caller
                _post(loop, answer, None, error)
            else:
                _post(loop, answer, value, None)

        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            raise DeadlineError(f"{self._name}: too many calls wait", timeout) from None
        self._grow()
        try:
            async with asyncio.timeout(timeout):  # `wait_for` of Python 3.11 can lose a cancel
                return await answer
        except TimeoutError:
            if answer.cancelled():
                raise DeadlineError(self._name, timeout) from None
            raise

    def close(self) -> None:
        """Let idle threads end; stuck ones are left to the end of the program."""
        for _ in self._threads:
            try:
                self._jobs.put_nowait(None)
            except queue.Full:
                return

    def _grow(self) -> None:
        """One more call waits or runs: have a thread for each, as far as allowed."""
        with self._lock:
            self._open += 1
            if len(self._threads) < min(self._open, self._size):
                name = f"{self._name}-{len(self._threads)}"
                thread = threading.Thread(target=self._work, name=name, daemon=True)
                self._threads.append(thread)
                thread.start()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            finally:
                with self._lock:
                    self._open -= 1


def _post(
    loop: asyncio.AbstractEventLoop,
    answer: asyncio.Future[T],
    value: T | None,
    error: BaseException | None,
) -> None:
    def settle() -> None:
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(value)  # type: ignore[arg-type]  # value is a T when there is no error

    with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits any more
        loop.call_soon_threadsafe(settle)
