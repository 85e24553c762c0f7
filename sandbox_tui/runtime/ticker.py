"""When to poll next: at a steady pace, sooner when woken, later and later while it fails."""

from __future__ import annotations

import asyncio

LONGEST = 10.0
"""Longest pause between two tries of something that fails, in seconds."""

SHORTEST = 0.02
"""Shortest pause between two polls however often they are asked for, in seconds."""


class Ticker:
    """Paces one poller. `wake` may be called from the loop at any time and never queues."""

    def __init__(self, interval: float, *, longest: float = LONGEST) -> None:
        self.interval = interval
        self.failures = 0
        self._longest = longest
        self._woken = asyncio.Event()

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

    async def wait(self) -> None:
        """Return when the next tick is due."""
        await asyncio.sleep(SHORTEST)
        try:
            async with asyncio.timeout(max(0.0, self.pause - SHORTEST)):
                await self._woken.wait()
        except TimeoutError:
            pass
        self._woken.clear()
