"""An `Api` over a Hub in this very process.

What acts is imported by the first action: a listing needs none of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING

from sandbox_tui.api.entering import enter
from sandbox_tui.api.executing import Executes
from sandbox_tui.backends.base import (
    Follows,
    Inspects,
    Measures,
    Notebooks,
    Screens,
    Sessions,
)
from sandbox_tui.backends.sharing import Leads, Shares
from sandbox_tui.documents.line import Line
from sandbox_tui.hub.hub import Hub
from sandbox_tui.model.actions import Action, Run
from sandbox_tui.model.cells import Notebook
from sandbox_tui.model.codec import to_builtins
from sandbox_tui.model.errors import BackendUnavailableError, NotFoundError, OnlyDefinedError
from sandbox_tui.model.outputs import Output, Screen, Vitals
from sandbox_tui.model.refs import Place, Ref
from sandbox_tui.model.world import Sandbox, State, World
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.runtime.session import Session

if TYPE_CHECKING:
    from sandbox_tui.api.room import Room

FRAME = 0.04
"""Seconds between two looks at the screens that somebody watches."""


class LocalApi(Executes):
    """Hands everything to the Hub; holds nothing of its own."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    @property
    def world(self) -> World:
        """See `Api.world`."""
        return self._hub.world

    def worlds(self, since: int = -1) -> AsyncIterator[World]:
        """See `Api.worlds`."""
        return self._hub.worlds(since)

    async def settled(self, timeout: float = 5.0) -> World:
        """See `Api.settled`."""
        return await self._hub.settled(timeout)

    async def perform(self, action: Action) -> object:
        """See `Api.perform`."""
        from sandbox_tui.hub import handlers

        return await handlers.perform(self._hub, action)

    async def run(self, action: Run) -> Execution:
        """See `Executes.run`."""
        from sandbox_tui.hub import handlers

        return await handlers.run(self._hub, action)

    async def line(self, ref: Ref) -> Line:
        """See `Api.line`."""
        backend = self._hub.backend(ref.place)
        if isinstance(backend, Leads):
            return await backend.line(ref)  # whoever has the room knows whether it is there
        self._must_exist(ref)
        from sandbox_tui.hub.room_line import RoomLine

        return RoomLine(self._hub, self._hub.able(ref, Shares, "be shared"), ref)

    async def room(self, ref: Ref) -> Room:
        """See `Api.room`."""
        line = await self.line(ref)
        backend = self._hub.backend(ref.place)
        if isinstance(backend, Leads):
            return await enter(line, lambda: backend.line_again(ref))
        return await enter(line)

    async def session(self, ref: Ref) -> Session:
        """See `Api.session`."""
        self._must_exist(ref)
        return await self._hub.able(ref, Sessions, "keep a shell open").session(ref)

    def follow(
        self, ref: Ref, *, tail: int = 200, live: bool = True, since: float | None = None
    ) -> AsyncIterator[Output]:
        """See `Api.follow`."""
        if self._must_exist(ref).state is State.DEFINED:
            raise OnlyDefinedError(ref)
        able = self._hub.able(ref, Follows, "be followed")
        return able.follow(ref, tail=tail, live=live, since=since)

    async def screens(self, refs: Sequence[Ref]) -> AsyncIterator[Mapping[Ref, Screen]]:
        """See `Api.screens`."""
        shown: dict[Ref, Screen] = {}
        while True:
            now = await self._capture(refs)
            if now is not None and now != shown:
                shown = now
                yield now
            await asyncio.sleep(FRAME)

    def notebooks(self, ref: Ref) -> AsyncIterator[Notebook]:
        """See `Api.notebooks`."""
        self._must_exist(ref)
        return self._hub.able(ref, Notebooks, "hold cells").notebooks(ref)

    async def vitals(self, refs: Sequence[Ref]) -> Mapping[Ref, Vitals]:
        """See `Api.vitals`."""
        found: dict[Ref, Vitals] = {}
        for place, here in by_place(refs).items():
            backend = self._hub.backend(place)
            if isinstance(backend, Measures):
                found |= await backend.vitals(here)
        return found

    async def inspect(self, ref: Ref) -> Mapping[str, object]:
        """See `Api.inspect`."""
        box = self._must_exist(ref)
        backend = self._hub.backend(ref.place)
        if box.state is State.DEFINED or not isinstance(backend, Inspects):
            plain: dict[str, object] = to_builtins(box)
            return plain
        return await backend.inspect(ref)

    async def aclose(self) -> None:
        """The hub belongs to whoever runs it."""

    def _must_exist(self, ref: Ref) -> Sandbox:
        box = self.world.get(ref)
        if box is None:
            raise NotFoundError(ref, tuple(other.ref for other in self.world.sandboxes))
        return box

    async def _capture(self, refs: Sequence[Ref]) -> dict[Ref, Screen] | None:
        """The screens, or `None` while a backend does not answer: its health says so."""
        screens: dict[Ref, Screen] = {}
        for place, here in by_place(refs).items():
            backend = self._hub.backend(place)
            if isinstance(backend, Screens):
                try:
                    screens |= await backend.capture(here)
                except BackendUnavailableError:
                    return None
        return screens


def by_place(refs: Sequence[Ref]) -> dict[Place, list[Ref]]:
    """The refs of each backend."""
    places: dict[Place, list[Ref]] = {}
    for ref in refs:
        places.setdefault(ref.place, []).append(ref)
    return places
