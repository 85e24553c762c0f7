"""A broadcast that carries nothing: everyone who waits is woken, nobody is queued for."""

from __future__ import annotations

import asyncio


class Pulse:
    """Wake all present waiters at once. State is read by the woken, so a slow one only skips."""

    def __init__(self) -> None:
        self._next: asyncio.Future[None] | None = None

    def fire(self) -> None:
        """Wake everyone who waits now."""
        waiting, self._next = self._next, None
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    async def wait(self) -> None:
        """Return at the next `fire`. Check the state before waiting, without awaiting between."""
        if self._next is None or self._next.done():
            self._next = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._next)
