"""An `Api` over a Hub in this very process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

from sandbox_tui.backends.base import Follows, Inspects, Measures, Notebooks, Screens
from sandbox_tui.hub import handlers
from sandbox_tui.hub.hub import Hub
from sandbox_tui.model.actions import Action, Run
from sandbox_tui.model.cells import Notebook
from sandbox_tui.model.codec import to_builtins
from sandbox_tui.model.errors import BackendUnavailableError, NotFoundError
from sandbox_tui.model.outputs import Output, Screen, Vitals
from sandbox_tui.model.refs import Place, Ref
from sandbox_tui.model.world import Sandbox, State, World
from sandbox_tui.runtime.execution import Execution

FRAME = 0.04
"""Seconds between two looks at the screens that somebody watches."""


class LocalApi:
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
        return await handlers.perform(self._hub, action)

    async def execute(self, ref: Ref, code: str, *, timeout: float | None = None) -> Execution:
        """See `Api.execute`."""
        return await handlers.run(self._hub, Run(ref=ref, code=code, timeout=timeout))

    def follow(
        self, ref: Ref, *, tail: int = 200, live: bool = True, since: float | None = None
    ) -> AsyncIterator[Output]:
        """See `Api.follow`."""
        self._must_exist(ref)
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
