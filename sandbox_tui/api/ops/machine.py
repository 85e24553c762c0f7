"""The Hub behind the sessions of a program: one for all that ask for the same, quiet until asked.

It runs in a thread of its own for as long as the program does. It polls when somebody asks and
when tmux or the engine says that something changed, never by the clock, so an answer is as fresh
as the question and an idle program stays idle.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections.abc import Sequence

import msgspec

from sandbox_tui.api.assembly import hub_of
from sandbox_tui.api.client import running
from sandbox_tui.api.local import LocalApi
from sandbox_tui.backends.base import Glances
from sandbox_tui.hub.handlers import make
from sandbox_tui.hub.hub import Hub
from sandbox_tui.model.actions import Action
from sandbox_tui.model.errors import BackendUnavailableError, NotFoundError
from sandbox_tui.model.outputs import Result, Text
from sandbox_tui.model.refs import Kind, Place, Ref, resolve
from sandbox_tui.model.specs import Spec
from sandbox_tui.model.world import Health, Sandbox
from sandbox_tui.runtime.portal import Portal
from sandbox_tui.settings.load import load
from sandbox_tui.settings.schema import Config

QUIET = 3600.0
"""Seconds between two polls that nobody asked for."""


class Machine:
    """What one kind of backend has on this machine, for callers that wait."""

    def __init__(self, kind: Kind, config: Config) -> None:
        self.kind = kind
        self._portal = Portal()
        self._hub = self._portal.call(hub_of(config, {kind}, intervals={kind: QUIET}))
        self._api = LocalApi(self._hub)
        self._running = running(self._hub)
        self._portal.call(self._running.__aenter__())

    def close(self) -> None:
        """Let go of tmux and the engine; what runs goes on running."""
        self._portal.call(self._running.__aexit__(None, None, None))
        self._portal.close()

    def home(self, spec: Spec) -> Place:
        """Where what `spec` describes would live."""
        return self._hub.home(spec).place

    def boxes(self, place: Place | None = None) -> list[Sandbox]:
        """What there is at `place`, or everywhere. Raises `BackendUnavailableError`."""
        return self._portal.call(_look(self._hub, place))

    def health(self, place: Place) -> Health | None:
        """How the backend there was when it was asked last."""
        return self._hub.world.health_of(place)

    def find(self, name: str, place: Place | None = None) -> Sandbox:
        """The one of exactly that name. Raises `NotFoundError`, `AmbiguousNameError`."""
        boxes = self.boxes(place)
        named = [box for box in boxes if box.ref.name == name]
        if not named:
            raise NotFoundError(name, tuple(box.ref for box in boxes))
        ref = resolve(name, (box.ref for box in named))
        return next(box for box in named if box.ref == ref)

    def glance(self, name: str, place: Place | None = None) -> Sandbox:
        """The same as `find`, by the shortest way; the world learns nothing of it."""
        if place is None:
            return self.find(name)
        ref = Ref.make(self.kind, name, place.where)
        box = self._portal.call(_glance(self._hub, ref))
        if box is None:
            raise NotFoundError(name, tuple(other.ref for other in self._hub.world.sandboxes))
        return box

    def start(self, spec: Spec, *, replace: bool = False) -> None:
        """Have what `spec` describes; see `hub.handlers.make`."""
        self._portal.call(make(self._hub, spec, replace=replace))

    def perform(self, action: Action) -> object:
        """Do what `action` asks for."""
        return self._portal.call(self._api.perform(action))

    def logs(self, name: str, lines: int, place: Place | None = None) -> str:
        """The last lines that it said. Raises `NotFoundError`, `AmbiguousNameError`."""
        ref = None if place is None else Ref.make(self.kind, name, place.where)
        if ref is None or self._hub.world.get(ref) is None:
            ref = self.find(name, place).ref
        return self._portal.call(_said(self._api, ref, lines))  # the backend looks whether it is

    def run(self, ref: Ref, code: str) -> Result:
        """Run a command inside to its end."""
        return self._portal.call(_ran(self._api, ref, code))


async def _look(hub: Hub, place: Place | None) -> list[Sandbox]:
    """Ask, and answer with what those say that answer; with an error when none does."""
    if place is not None:
        hub.backend(place)  # opens it when nobody has named it before
    asked = hub.places if place is None else (place,)
    health = await asyncio.gather(*map(hub.look, asked))
    down = [one for one in health if one is not None and not one.ok]
    if down and len(down) == len(asked):
        raise BackendUnavailableError(down[0].place, down[0].detail, hint=down[0].hint)
    return [box for box in hub.world.sandboxes if box.ref.place in asked]


async def _glance(hub: Hub, ref: Ref) -> Sandbox | None:
    backend = hub.backend(ref.place)
    if isinstance(backend, Glances):
        return await backend.glance(ref)
    return next((box for box in await _look(hub, ref.place) if box.ref == ref), None)


async def _said(api: LocalApi, ref: Ref, lines: int) -> str:
    log = api.follow(ref, tail=lines, live=False)
    return "".join([piece.text async for piece in log if isinstance(piece, Text)])


async def _ran(api: LocalApi, ref: Ref, code: str) -> Result:
    return await (await api.execute(ref, code))


# --- one for all ------------------------------------------------------------------------------

_Key = tuple[int, Kind, str, str]
_machines: dict[_Key, Machine] = {}
_making = threading.Lock()


def machine(kind: Kind, *, binary: str = "") -> Machine:
    """This process's machine of that kind; another `binary` of tmux is another machine."""
    key = (os.getpid(), kind, binary, os.environ.get("TMUX_TMPDIR", ""))
    with _making:
        if key not in _machines:
            _machines[key] = Machine(kind, _config(binary))
        return _machines[key]


def close_machines() -> None:
    """Close every machine of this process; the next that is asked for is a new one."""
    with _making:
        mine = [key for key in _machines if key[0] == os.getpid()]
        closing: Sequence[Machine] = [_machines.pop(key) for key in mine]
    for one in closing:
        one.close()


atexit.register(close_machines)


def _config(binary: str) -> Config:
    config = load().config
    if not binary:
        return config
    tmux = msgspec.structs.replace(config.backends.tmux, binary=binary)
    backends = msgspec.structs.replace(config.backends, tmux=tmux)
    return msgspec.structs.replace(config, backends=backends)
