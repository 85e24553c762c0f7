"""The Hub behind this face: one for each event loop and endpoint, quiet until something happens.

It polls when the engine says that something changed and after each action, never by the clock. An
exact name costs one question to each engine; a container that is held costs none.
"""

from __future__ import annotations

import asyncio
import time
from weakref import WeakKeyDictionary

from sandbox_tui.api.assembly import engine_hub, hub_of
from sandbox_tui.api.client import running
from sandbox_tui.api.containers_async import leaving
from sandbox_tui.api.local import LocalApi
from sandbox_tui.backends.base import Glances
from sandbox_tui.backends.upkeep import Disposes
from sandbox_tui.hub.hub import Hub
from sandbox_tui.hub.terms import container_id
from sandbox_tui.model.actions import Remove
from sandbox_tui.model.errors import BackendUnavailableError, ConflictError, NotFoundError
from sandbox_tui.model.refs import Kind, Place, Ref, resolve
from sandbox_tui.model.world import Sandbox
from sandbox_tui.settings.load import load

QUIET = 3600.0
"""Seconds between two polls that nobody asked for."""


GOING = 2.0
"""How long a removal that somebody else has begun may take, in seconds."""


class Machine:
    """The containers of one endpoint, for one event loop."""

    def __init__(self, hub: Hub, endpoint: str) -> None:
        self.hub = hub
        self.api = LocalApi(hub)
        self.endpoint = endpoint
        self._left = asyncio.Event()
        self._life = asyncio.create_task(self._live(), name=f"containers {endpoint}")

    async def close(self) -> None:
        """Let go of the engine; what runs goes on running."""
        self._left.set()
        await asyncio.wait([self._life])

    def keep(self, box: Sandbox) -> None:
        """Have it removed when the program ends, unless it is let go of before."""
        backend, key = self.hub.backend(box.ref.place), container_id(box)
        if isinstance(backend, Disposes):
            leaving.keep(key, backend.disposal(key))

    async def find(self, name: str) -> Sandbox:
        """The container of exactly that name, which the world then knows.

        Raises `NotFoundError`, `AmbiguousNameError`, and `BackendUnavailableError` when it may be
        on an engine that does not answer.
        """
        places = [Ref(name).place] if name.startswith(f"{Kind.CONTAINER}:") else self.hub.places
        bare = Ref(name).name if name.startswith(f"{Kind.CONTAINER}:") else name
        found = await asyncio.gather(
            *(self._glance(Ref.make(Kind.CONTAINER, bare, place.where)) for place in places),
            return_exceptions=True,
        )
        boxes = [box for box in found if isinstance(box, Sandbox)]
        if not boxes:
            raise next((e for e in found if isinstance(e, BaseException)), NotFoundError(name))
        ref = resolve(name, [box.ref for box in boxes])
        if self.hub.world.get(ref) is None:
            await self.hub.look(ref.place)
        return next(box for box in boxes if box.ref == ref)

    async def boxes(self) -> list[Sandbox]:
        """Everything there is. Raises `BackendUnavailableError` when no engine answers."""
        health = await asyncio.gather(*map(self.hub.look, self.hub.places))
        down = [one for one in health if one is not None and not one.ok]
        if down and len(down) == len(health):
            raise BackendUnavailableError(down[0].place, down[0].detail, hint=down[0].hint)
        return [box for box in self.hub.world.of(Kind.CONTAINER) if box.stale_since is None]

    async def remove(self, ref: Ref, key: str, *, force: bool = False) -> None:
        """Remove the container with the id `key`; fine when somebody else is just doing that."""
        try:
            await self.api.perform(Remove(ref=ref, force=force))
        except ConflictError:
            if not await self._goes(ref, key):
                raise

    async def _goes(self, ref: Ref, key: str) -> bool:
        """Whether that very container is gone in a moment."""
        until = time.monotonic() + GOING
        while time.monotonic() < until:
            box = await self._glance(ref)
            if box is None or container_id(box) != key:
                return True
            await asyncio.sleep(0.05)
        return False

    def address(self, place: Place) -> str:
        """Where the engine of that place listens; a path for a socket of this machine."""
        health = self.hub.world.health_of(place)
        told = health.detail.rpartition(" · ")[2] if health is not None and health.ok else ""
        return told.removeprefix("unix://")

    async def _glance(self, ref: Ref) -> Sandbox | None:
        backend = self.hub.backend(ref.place)
        if isinstance(backend, Glances):
            return await backend.glance(ref)
        await self.hub.look(ref.place)
        return self.hub.world.get(ref)

    async def _live(self) -> None:
        async with running(self.hub):
            await self._left.wait()


_machines: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, asyncio.Task[Machine]]]
_machines = WeakKeyDictionary()


async def machine(socket_path: str | None = None) -> Machine:
    """The one of this loop: for all engines of this machine, or for the one that is named."""
    endpoint = _address(socket_path) if socket_path else ""
    here = _machines.setdefault(asyncio.get_running_loop(), {})
    opening = here.get(endpoint)
    if opening is None:
        opening = here[endpoint] = asyncio.create_task(_open(endpoint))
    try:
        return await asyncio.shield(opening)
    except Exception:
        here.pop(endpoint, None)
        raise


async def close_machines() -> None:
    """Close every machine of this loop; the next that is asked for is a new one."""
    here = _machines.pop(asyncio.get_running_loop(), {})
    for opening in here.values():
        await (await opening).close()


async def _open(endpoint: str) -> Machine:
    intervals = {Kind.CONTAINER: QUIET}
    config = (await asyncio.to_thread(load)).config
    if endpoint:
        hub = engine_hub(config, endpoint, intervals=intervals)
    else:
        hub = await hub_of(config, {Kind.CONTAINER}, intervals=intervals)
    return Machine(hub, endpoint)


def _address(socket_path: str) -> str:
    """A bare path is that of a socket of this machine."""
    return socket_path if "://" in socket_path else f"unix://{socket_path}"
