"""The event loop behind the sync face: one thread for all containers of this process."""

from __future__ import annotations

import atexit
import contextvars
import functools
import os
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

from sandbox_tui.api.containers_async.machine import close_machines
from sandbox_tui.api.containers_async.running import endings
from sandbox_tui.runtime.pool import Pool
from sandbox_tui.runtime.portal import Portal

P = ParamSpec("P")
T = TypeVar("T")

LAST = 3.0
"""How long a program that ends waits for commands that it has just cancelled, in seconds."""

_YEAR = 365 * 24 * 3600.0

_portals: dict[int, Portal] = {}
_opening = threading.Lock()


def portal() -> Portal:
    """This process's loop; a child that is forked gets one of its own."""
    with _opening:
        if os.getpid() not in _portals:
            _portals[os.getpid()] = Portal()
        return _portals[os.getpid()]


def close() -> None:
    """End the loop and let go of all engines; containers stay as they are."""
    with _opening:
        mine = _portals.pop(os.getpid(), None)
    if mine is not None:
        mine.call(close_machines())
        mine.close()


def waiting(function: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """The same function, waiting for its result."""

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        return portal().call(function(*args, **kwargs))

    return call


async def on_loop(function: Callable[[], T]) -> T:
    """Call it where everything else of a container happens, between two things."""
    return function()


class Caller:
    """Calls the user's functions in a thread of its own, where they may use the sync face."""

    def __init__(self) -> None:
        self._pool = Pool("callbacks", 1)

    def calling(self, function: Callable[P, object]) -> Callable[P, Awaitable[object]]:
        """The same function for the loop, which awaits it."""

        async def call(*args: P.args, **kwargs: P.kwargs) -> object:
            bound = functools.partial(function, *args, **kwargs)
            return await self._pool.run(_YEAR, contextvars.copy_context().run, bound)

        return call

    def close(self) -> None:
        """Let the thread end when its last call has."""
        self._pool.close()


@atexit.register
def _leave() -> None:
    if (mine := _portals.get(os.getpid())) is not None:
        mine.call(endings(LAST))
