"""An `Api` that hands everything on to another one; what refuses something is made of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from sandbox_tui.api.base import Api
from sandbox_tui.api.entering import enter
from sandbox_tui.api.executing import Executes
from sandbox_tui.documents.line import Line
from sandbox_tui.model.actions import Action, Run, Shell
from sandbox_tui.model.cells import Notebook
from sandbox_tui.model.outputs import Output, Screen, Vitals
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.world import World
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.runtime.session import Session

if TYPE_CHECKING:
    from sandbox_tui.api.room import Room


class PassingApi(Executes):
    """See `Api`. `check` is asked before whatever could change something."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def check(self, action: Action) -> None:
        """Raise a `SandboxError` for what is not to be done."""

    @property
    def world(self) -> World:
        """See `Api.world`."""
        return self._api.world

    def worlds(self, since: int = -1) -> AsyncIterator[World]:
        """See `Api.worlds`."""
        return self._api.worlds(since)

    async def settled(self, timeout: float = 5.0) -> World:
        """See `Api.settled`."""
        return await self._api.settled(timeout)

    async def perform(self, action: Action) -> object:
        """See `Api.perform`."""
        self.check(action)
        return await self._api.perform(action)

    async def run(self, action: Run) -> Execution:
        """See `Executes.run`."""
        return cast(Execution, await self.perform(action))

    async def room(self, ref: Ref) -> Room:
        """See `Api.room`."""
        return await enter(await self.line(ref))

    async def line(self, ref: Ref) -> Line:
        """See `Api.line`."""
        return await self._api.line(ref)

    async def session(self, ref: Ref) -> Session:
        """See `Api.session`."""
        self.check(Shell(ref=ref))
        return await self._api.session(ref)

    def follow(
        self, ref: Ref, *, tail: int = 200, live: bool = True, since: float | None = None
    ) -> AsyncIterator[Output]:
        """See `Api.follow`."""
        return self._api.follow(ref, tail=tail, live=live, since=since)

    def screens(self, refs: Sequence[Ref]) -> AsyncIterator[Mapping[Ref, Screen]]:
        """See `Api.screens`."""
        return self._api.screens(refs)

    def notebooks(self, ref: Ref) -> AsyncIterator[Notebook]:
        """See `Api.notebooks`."""
        return self._api.notebooks(ref)

    async def vitals(self, refs: Sequence[Ref]) -> Mapping[Ref, Vitals]:
        """See `Api.vitals`."""
        return await self._api.vitals(refs)

    async def inspect(self, ref: Ref) -> Mapping[str, object]:
        """See `Api.inspect`."""
        return await self._api.inspect(ref)

    async def aclose(self) -> None:
        """See `Api.aclose`."""
        await self._api.aclose()
