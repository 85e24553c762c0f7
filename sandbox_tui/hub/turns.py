"""Who runs next in a room: first come, first served, whichever client asked.

What was asked for in one call shares its fate: when one run of it fails, the rest is dropped.
Whoever waits for a dropped run is answered at once.
"""

from __future__ import annotations

import asyncio
from collections import deque

from sandbox_tui.model.errors import ConflictError
from sandbox_tui.model.outputs import Outcome
from sandbox_tui.runtime.execution import Execution

MOST = 10_000
"""How many runs may wait in one room."""


class Turn:
    """One run that waits for its turn; `cell_id` is `None` for code that is no cell."""

    def __init__(
        self, call: object, execution: Execution, cell_id: str | None, timeout: float | None
    ) -> None:
        self.call = call
        self.execution = execution
        self.cell_id = cell_id
        self.timeout = timeout

    def cancel(self, why: str) -> None:
        """It will not run."""
        self.execution.finish(Outcome.CANCELLED, detail=why)


class Turns:
    """The runs that wait, oldest first."""

    def __init__(self) -> None:
        self._waiting: deque[Turn] = deque()
        self._there = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, turns: list[Turn]) -> None:
        """Queue all of one call. Raises `ConflictError` when too many wait already."""
        if len(self._waiting) + len(turns) > MOST:
            raise ConflictError(
                f"{len(self._waiting)} runs wait already", hint="Interrupt the room to drop them."
            )
        self._waiting.extend(turns)
        self._mark()

    async def next(self) -> Turn:
        """The oldest, waiting until there is one."""
        while not self._waiting:  # what woke this may have been dropped meanwhile
            await self._there.wait()
        turn = self._waiting.popleft()
        self._mark()
        return turn

    def drop(
        self, why: str, *, call: object = None, execution: Execution | None = None
    ) -> list[Turn]:
        """Cancel what waits: of one call, of one execution, or everything; answers with it."""
        kept: deque[Turn] = deque()
        dropped: list[Turn] = []
        for turn in self._waiting:
            meant = call in (None, turn.call) and execution in (None, turn.execution)
            (dropped if meant else kept).append(turn)
        self._waiting = kept
        self._mark()
        for turn in dropped:
            turn.cancel(why)
        return dropped

    def _mark(self) -> None:
        if self._waiting:
            self._there.set()
        else:
            self._there.clear()
