"""The Hub: the only one that replaces the World, and only when a person could see the change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import TypeVar

import msgspec

from sandbox_tui.backends.base import Backend
from sandbox_tui.hub.homes import NOWHERE_ELSE, Homes
from sandbox_tui.hub.poller import DEADLINE, Poller
from sandbox_tui.hub.profiles import Profiles
from sandbox_tui.hub.terms import KNOWN_BY, container_id, ends_when_idle
from sandbox_tui.hub.uses import Uses
from sandbox_tui.model.errors import (
    DeadlineError,
    NotFoundError,
    ProfileNotFoundError,
    SandboxError,
    UnsupportedError,
)
from sandbox_tui.model.refs import Kind, Place, Ref, resolve
from sandbox_tui.model.specs import ContainerSpec, RoomSpec, Spec, TmuxSpec, overlay
from sandbox_tui.model.world import (
    ContainerFacts,
    Facts,
    Health,
    RoomFacts,
    Sandbox,
    State,
    TmuxFacts,
    World,
)
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.runtime.pulse import Pulse

Ability = TypeVar("Ability")

INTERVALS: Mapping[Kind, float] = {Kind.TMUX: 0.5, Kind.CONTAINER: 1.0, Kind.ROOM: 0.5}
"""Seconds between two polls of a kind, unless events wake it earlier."""

CLOSING = 30.0
"""How long a backend may take to write what it has and let go, in seconds."""


class Hub:
    """Backends and definitions in, worlds out. `run` owns every task; cancel it to stop."""

    def __init__(
        self,
        backends: Iterable[Backend],
        *,
        definitions: Mapping[Ref, Spec] | None = None,
        homes: Homes = NOWHERE_ELSE,
        profiles: Profiles | None = None,
        intervals: Mapping[Kind, float] = INTERVALS,
        deadline: float = DEADLINE,
    ) -> None:
        self.world = World()
        self.profiles = profiles or Profiles()
        self.uses = Uses()
        self._homes = homes
        self.definitions = {self.home(spec): spec for spec in (definitions or {}).values()}
        self._defined = [self._row(ref, spec) for ref, spec in self.definitions.items()]
        self._pulse = Pulse()
        self._pace = (intervals, deadline)
        self._tasks: asyncio.TaskGroup | None = None
        self._pollers = {backend.place: self._poller(backend) for backend in backends}

    async def run(self) -> None:
        """Poll every backend until cancelled, then close them."""
        try:
            async with asyncio.TaskGroup() as self._tasks:
                for poller in list(self._pollers.values()):
                    self._begin(poller)
        finally:
            self._tasks = None
            await self._close()

    async def worlds(self, since: int = -1) -> AsyncIterator[World]:
        """Each world newer than revision `since`; latest wins."""
        while True:
            world = self.world
            if world.revision > since:
                since = world.revision
                yield world
            else:
                await self._pulse.wait()

    async def settled(self, timeout: float = DEADLINE) -> World:
        """The first world in which every backend has a health, or the world after `timeout` s."""
        try:
            async with asyncio.timeout(timeout):
                while any(poller.health is None for poller in self._pollers.values()):
                    await self._pulse.wait()
        except TimeoutError:
            pass  # the world says which backend has no health yet
        return self.world

    async def refresh(self, place: Place) -> None:
        """Return when the world has seen `place` after this call, at the latest after 2 s."""
        poller = self._pollers.get(place)
        if poller is not None:
            try:
                async with asyncio.timeout(2.0):
                    await poller.refresh()
            except TimeoutError:
                return  # its health turns red by itself; the action itself is done

    @property
    def places(self) -> tuple[Place, ...]:
        """Every place that has a backend."""
        return tuple(self._pollers)

    async def look(self, place: Place) -> Health | None:
        """Ask that backend at once, out of its turn; how it is then."""
        poller = self._pollers.get(place)
        if poller is not None:
            await poller.poll()
        return self.world.health_of(place)

    def home(self, spec: Spec) -> Ref:
        """Where what `spec` describes lives here: its ref, at the place that it means."""
        ref = spec.ref
        return Ref.make(ref.kind, ref.name, self._homes.of(ref.place).where)

    def backend(self, place: Place) -> Backend:
        """The backend that serves `place`; one that can be opened is opened now."""
        poller = self._pollers.get(place) or self._open(place)
        if poller is None:
            raise UnsupportedError(
                str(place), "be used: no such backend here", hint="Run: sandbox-tui doctor"
            )
        return poller.backend

    def able(self, ref: Ref, ability: type[Ability], verb: str) -> Ability:
        """The backend of `ref` as one that has `ability`, else `UnsupportedError`."""
        backend = self.backend(ref.place)
        if not isinstance(backend, ability):
            raise UnsupportedError(ref, verb)
        return backend

    def known(self, ref: Ref) -> Sandbox:
        """The sandbox of that name, which is used now. Raises `NotFoundError`."""
        self.note_use(ref)
        box = self.world.get(ref)
        if box is None:
            raise NotFoundError(ref, tuple(box.ref for box in self.world.sandboxes))
        return box

    def having(self, ref: Ref, ability: type[Ability], verb: str) -> Ability:
        """The same for a sandbox that has to be there, and is used now."""
        self.known(ref)
        return self.able(ref, ability, verb)

    def filled(self, spec: ContainerSpec) -> ContainerSpec:
        """`spec` with its profile under it, and with who knows when it was used."""
        spec = self.profiles.fill(spec)
        if spec.idle_timeout is None:
            return spec
        return overlay(spec, {"labels": {KNOWN_BY: self.uses.identity}})

    def note_use(self, ref: Ref) -> None:
        """Somebody does something with it; for what is ended when nobody does."""
        key = self._expiring(ref)
        if key is not None and self.uses.note(key) and self._tasks is not None:
            self._tasks.create_task(asyncio.to_thread(self.uses.write), name="write uses")

    def occupied(self, execution: Execution) -> Execution:
        """Let what it runs in count as used until it has ended."""
        if (key := self._expiring(execution.ref)) is not None and self._tasks is not None:
            self._tasks.create_task(self.uses.during(key, execution), name=f"use {execution.id}")
        return execution

    def _expiring(self, ref: Ref) -> str | None:
        """The id of a container that is ended when it is idle; `None` for anything else."""
        box = self.world.get(ref)
        return container_id(box) if box is not None and ends_when_idle(box) else None

    def find(self, text: str, kind: Kind | None = None) -> Ref:
        """The sandbox that `text` names exactly; see `refs.resolve`."""
        return resolve(text, (box.ref for box in self.world.sandboxes), kind)

    def _poller(self, backend: Backend) -> Poller:
        intervals, deadline = self._pace
        interval = intervals.get(backend.place.kind, 1.0)
        return Poller(backend, self._publish, interval=interval, deadline=deadline)

    def _open(self, place: Place) -> Poller | None:
        """A poller for a place that nobody has named before, if there can be a backend."""
        backend = self._homes.open(place) if self._tasks is not None else None
        if backend is None:
            return None
        poller = self._pollers[place] = self._poller(backend)
        self._begin(poller)
        return poller

    def _begin(self, poller: Poller) -> None:
        if self._tasks is not None:
            self._tasks.create_task(poller.run(), name=f"poll {poller.backend.place}")

    def _publish(self) -> None:
        health = self._health()
        sandboxes = self._sandboxes()
        if sandboxes != self.world.sandboxes or health != self.world.health:
            self.world = World(self.world.revision + 1, sandboxes, health)
        self._pulse.fire()

    def _health(self) -> tuple[Health, ...]:
        return tuple(p.health for p in self._pollers.values() if p.health is not None)

    def _sandboxes(self) -> tuple[Sandbox, ...]:
        live = tuple(box for poller in self._pollers.values() for box in poller.sandboxes)
        if not self._defined:
            return live
        by_ref = {box.ref: box for box in live}
        for row in self._defined:
            there = by_ref.get(row.ref)
            by_ref[row.ref] = msgspec.structs.replace(there, defined=True) if there else row
        return tuple(by_ref.values())

    def _row(self, ref: Ref, spec: Spec) -> Sandbox:
        """What is only defined; what its profile says of it is shown, too."""
        detail = ""
        if isinstance(spec, ContainerSpec):
            try:
                spec = self.profiles.fill(spec)
            except ProfileNotFoundError as error:
                detail = error.message
        facts = _facts(spec)
        return Sandbox(ref=ref, state=State.DEFINED, facts=facts, defined=True, detail=detail)

    async def _close(self) -> None:
        closing = (_closed(poller.backend) for poller in self._pollers.values())
        errors = await asyncio.gather(*closing, return_exceptions=True)
        unexpected = [e for e in errors if isinstance(e, Exception)]
        unexpected = [e for e in unexpected if not isinstance(e, SandboxError)]
        if unexpected:
            raise ExceptionGroup("closing the backends", unexpected)


async def _closed(backend: Backend) -> None:
    """Close it; one that hangs must not keep the program from ending."""
    try:
        async with asyncio.timeout(CLOSING):
            await backend.aclose()
    except TimeoutError:
        raise DeadlineError(f"closing {backend.place}", CLOSING) from None


def _facts(spec: Spec) -> Facts:
    match spec:
        case TmuxSpec():
            return TmuxFacts(command=_text(spec.command), path=spec.working_dir or "")
        case ContainerSpec():
            return ContainerFacts(
                image=spec.image,
                runtime=spec.runtime,
                command=_text(spec.command),
                ports=spec.ports,
            )
        case RoomSpec():
            return RoomFacts(kernel=spec.kernel, env_source=spec.env_source)


def _text(command: str | tuple[str, ...] | None) -> str:
    return " ".join(command) if isinstance(command, tuple) else command or ""
