"""What a shell that stays prints, for whoever reads along: by position, or as it comes."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from sandbox_tui.model.outputs import Text
from sandbox_tui.runtime.kept import Kept
from sandbox_tui.runtime.pulse import Pulse

HEARD = 1024 * 1024
"""How much is kept for slow readers, in characters; the oldest goes."""


class Heard:
    """The newest texts, until `close`. Whoever prints adds; everybody else reads."""

    def __init__(self) -> None:
        self._kept = Kept(HEARD, "tail")
        self._pulse = Pulse()
        self._is_over = False

    @property
    def end(self) -> int:
        """Position of the next text."""
        return self._kept.end

    def add(self, text: Text) -> None:
        """That was printed."""
        self._kept.add(text)
        self._pulse.fire()

    def close(self) -> None:
        """No more will come."""
        self._is_over = True
        self._pulse.fire()

    def since(self, position: int) -> list[Text]:
        """The texts from that position on, as far as they are still here."""
        return [each for each in self._kept.since(position) if isinstance(each, Text)]

    async def texts(self, position: int) -> AsyncGenerator[Text]:
        """The same, and then everything as it comes."""
        while True:
            position = max(position, self._kept.first)
            for text in self.since(position):
                position += 1
                yield text
            if position >= self.end:
                if self._is_over:
                    return
                await self._pulse.wait()
