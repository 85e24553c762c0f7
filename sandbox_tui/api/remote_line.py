"""A `Line` into a room of the daemon at the other end of a socket."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from types import NoneType
from typing import TYPE_CHECKING

from sandbox_tui.api import requests
from sandbox_tui.documents.line import Known, Reply, RoomNews, Word
from sandbox_tui.model.actions import Action, Run, RunCell
from sandbox_tui.model.errors import SandboxError
from sandbox_tui.model.refs import Ref
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.runtime.link import Link
from sandbox_tui.runtime.streams import closing

if TYPE_CHECKING:
    from sandbox_tui.api.remote import RemoteApi


class RemoteLine:
    """See `documents.line.Line`."""

    def __init__(self, api: RemoteApi, link: Link, ref: Ref) -> None:
        self._api = api
        self._link = link
        self._ref = ref
        self._seat = uuid.uuid4().hex
        self._refused: SandboxError | None = None

    @property
    def ref(self) -> Ref:
        """The room."""
        return self._ref

    async def news(self, known: Known) -> AsyncIterator[RoomNews]:
        """See `Line.news`; also ends when something that was said is refused, and raises why."""
        request = requests.Join(self._ref, self._seat, known)
        async with closing(self._link.stream(request, RoomNews)) as all_news:
            async for news in all_news:
                yield news
        if self._refused is not None:
            raise self._refused

    def say(self, word: Word) -> None:
        """See `Line.say`."""
        self._link.tell(requests.Say(self._seat, word), self._refuse)

    async def reply(self, execution_id: str, text: str) -> None:
        """See `Line.reply`."""
        await self._link.ask(requests.Say(self._seat, Reply(execution_id, text)), NoneType)

    async def leave(self, *, stop_kernel_if_last: bool = False) -> None:
        """See `Line.leave`."""
        await self._link.ask(requests.Leave(self._seat, stop_kernel_if_last), NoneType)

    async def begin(self, action: Run | RunCell) -> Execution:
        """See `Line.begin`."""
        return await self._api.begin(requests.Begin(action), self._ref)

    async def recall(self, execution_id: str) -> Execution:
        """See `Line.recall`."""
        return await self._api.begin(requests.Recall(self._seat, execution_id), self._ref)

    async def perform(self, action: Action) -> object:
        """See `Line.perform`."""
        return await self._api.perform(action)

    def _refuse(self, error: SandboxError) -> None:
        """A change that the room does not take: from here on the replica is another document."""
        if self._refused is None and self._link.lost is None:
            self._refused = error
            self._link.tell(requests.Leave(self._seat, False), _nobody)


def _nobody(error: SandboxError) -> None:
    """It was left already."""
    del error
