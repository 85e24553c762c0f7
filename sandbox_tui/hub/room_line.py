"""A `Line` into a room of a backend in this very process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import cast

from sandbox_tui.backends.sharing import Shares
from sandbox_tui.documents.line import Known, Reply, RoomNews, Word
from sandbox_tui.documents.seats import Seat, Seats
from sandbox_tui.hub import handlers
from sandbox_tui.hub.hub import Hub
from sandbox_tui.model.actions import Action, Run, RunCell, Stop
from sandbox_tui.model.refs import Ref
from sandbox_tui.runtime.execution import Execution


class RoomLine:
    """See `documents.line.Line`."""

    def __init__(self, hub: Hub, backend: Shares, ref: Ref) -> None:
        self._hub = hub
        self._backend = backend
        self._ref = ref
        self._seats: Seats = backend.seats(ref)
        self._seat = Seat()

    @property
    def ref(self) -> Ref:
        """The room."""
        return self._ref

    def news(self, known: Known) -> AsyncIterator[RoomNews]:
        """See `Line.news`."""
        return self._seats.news(self._seat, known)

    def say(self, word: Word) -> None:
        """See `Line.say`."""
        if isinstance(word, Reply):
            self._backend.reply(self._ref, word.execution_id, word.text)
        else:
            self._seats.hear(self._seat, word)

    async def reply(self, execution_id: str, text: str) -> None:
        """See `Line.reply`."""
        self._backend.reply(self._ref, execution_id, text)

    async def leave(self, *, stop_kernel_if_last: bool = False) -> None:
        """See `Line.leave`."""
        if self._seats.leave(self._seat) and stop_kernel_if_last:
            await handlers.perform(self._hub, Stop(ref=self._ref))  # before anybody can come

    async def begin(self, action: Run | RunCell) -> Execution:
        """See `Line.begin`."""
        return cast(Execution, await handlers.perform(self._hub, action))

    async def recall(self, execution_id: str) -> Execution:
        """See `Line.recall`."""
        return await self._backend.recall(self._ref, execution_id)

    async def perform(self, action: Action) -> object:
        """See `Line.perform`."""
        return await handlers.perform(self._hub, action)
