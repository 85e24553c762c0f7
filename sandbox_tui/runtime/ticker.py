"""When to poll next: at a steady pace, sooner when woken, later and later while it fails."""

from __future__ import annotations

import asyncio
from contextlib import suppress

LONGEST = 10.0
"""Longest pause between two tries of something that fails, in seconds."""

SHORTEST = 0.02
"""Shortest pause between two polls however often events ask for them, in seconds."""


class Ticker:
    """Paces one poller. `wake` may be called from the loop at any time and never queues."""

    def __init__(self, interval: float, *, longest: float = LONGEST) -> None:
        self.interval = interval
        self.failures = 0
        self._longest = longest
        self._woken = asyncio.Event()
        self._hurried = asyncio.Event()

    @property
    def pause(self) -> float:
        """Seconds until the next tick unless woken: doubled with each failure in a row."""
        return min(self.interval * 2.0**self.failures, max(self._longest, self.interval))

    def succeeded(self) -> None:
        """The last tick worked."""
        self.failures = 0

    def failed(self) -> None:
        """The last tick failed."""
        self.failures = min(self.failures + 1, 16)

    def wake(self) -> None:
        """Tick as soon as is decent."""
        self._woken.set()

    def hurry(self) -> None:
        """Tick at once: somebody waits for it."""
        self._hurried.set()
        self._woken.set()

    async def wait(self) -> bool:
        """Return when the next tick is due; whether something woke it."""
        await _within(SHORTEST, self._hurried)
        await _within(max(0.0, self.pause - SHORTEST), self._woken)
        woken = self._woken.is_set()
        self._hurried.clear()
        self._woken.clear()
        return woken


async def _within(seconds: float, event: asyncio.Event) -> None:
    """Return when it is set, at the latest after that time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
