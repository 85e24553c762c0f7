"""A broadcast that carries nothing: everyone who waits is woken, nobody is queued for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Pulse:
    """Wake all present waiters at once. State is read by the woken, so a slow one only skips."""

    def __init__(self) -> None:
        self._waiting: dict[asyncio.Future[None], None] = {}
        self._called: list[Callable[[], None]] = []

    def besides(self, call: Callable[[], None]) -> None:
        """Call that at every `fire`, from now on."""
        self._called.append(call)

    def fire(self) -> None:
        """Wake everyone who waits now, in the order in which they came."""
        waiting, self._waiting = self._waiting, {}
        for each in waiting:
            if not each.done():
                each.set_result(None)
        for call in self._called:
            call()

    async def wait(self) -> None:
        """Return at the next `fire`. Check the state before waiting, without awaiting between."""
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[mine] = None
        try:
            await mine
        finally:
            self._waiting.pop(mine, None)
