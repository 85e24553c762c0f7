"""What one sandbox of the memory backend has said."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

from sandbox_tui.model.outputs import Screen, Text
from sandbox_tui.runtime.pulse import Pulse
from sandbox_tui.runtime.ring import Ring

LINES = 5_000
"""How many lines are kept."""


class Journal:
    """Lines, oldest first; readers follow at their own pace and may skip what was dropped."""

    def __init__(self, width: int = 100, height: int = 30) -> None:
        self._lines: Ring[Text] = Ring(LINES)
        self._said = Pulse()
        self._screen: tuple[int, Screen] | None = None
        self._size = (width, height)
        self.ended = False

    def say(self, text: str, stream: str = "stdout") -> None:
        """Add each line of `text`."""
        now = time.time()
        self._lines.extend(Text(stream, line + "\n", now) for line in text.split("\n"))
        self._said.fire()

    def end(self) -> None:
        """Nothing more will be said: followers finish."""
        self.ended = True
        self._said.fire()

    async def follow(self, tail: int, live: bool, since: float | None) -> AsyncIterator[Text]:
        """The last `tail` lines, then new ones while `live` and not ended."""
        position = max(self._lines.first, self._lines.end - tail)
        while True:
            position = max(position, self._lines.first)
            fresh = self._lines.slice(position)
            position += len(fresh)
            for line in fresh:
                if since is None or (line.at or 0.0) >= since:
                    yield line
            if not live or (self.ended and position >= self._lines.end):
                return
            if position >= self._lines.end:
                await self._said.wait()

    def screen(self) -> Screen:
        """The newest lines as a terminal shows them; the same object while nothing was said."""
        if self._screen is None or self._screen[0] != self._lines.end:
            width, height = self._size
            lines = self._lines.slice(self._lines.end - height + 1)
            rows = tuple(line.text.rstrip("\n") for line in lines)
            cursor = (0, len(rows))
            self._screen = (self._lines.end, Screen(rows, width, height, cursor))
        return self._screen[1]
