"""Containers of one engine, Docker's or Podman's.

What a listing does not need is imported by what needs it.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from sandbox_tui.backends.containers.commands.commands import Commands, up
from sandbox_tui.backends.containers.engine.link import PATIENCE, Link
from sandbox_tui.backends.containers.engine.replies import Box
from sandbox_tui.backends.containers.events import Events
from sandbox_tui.backends.containers.labels import spec_from
from sandbox_tui.backends.containers.listing import Listing, find
from sandbox_tui.backends.containers.storage import Storage
from sandbox_tui.backends.containers.upkeep import Upkeep
from sandbox_tui.model.actions import Attachment
from sandbox_tui.model.errors import (
    BackendUnavailableError,
    ConflictError,
    InvalidSpecError,
)
from sandbox_tui.model.outputs import OUTPUT_CAP, Keep, Text, Vitals
from sandbox_tui.model.refs import Kind, Place, Ref
from sandbox_tui.model.specs import Command, ContainerSpec, Inside, Spec
from sandbox_tui.model.world import Health, Sandbox
from sandbox_tui.runtime.execution import Execution

if TYPE_CHECKING:
    from sandbox_tui.backends.containers.commands.session import ContainerSession
    from sandbox_tui.backends.containers.engine.engine import Engine
    from sandbox_tui.backends.containers.vitals.vitals import Meter

HOLDS_SECONDS = 5.0
"""How long a listing is good for while the engine's events tell what happens."""
START_SECONDS = 60.0
REMOVE_SECONDS = 30.0
ORDER_SECONDS = 15.0
STOP_SECONDS = 5.0
"""What a stop may take beside the grace."""

_ALIVE = frozenset({"running", "paused", "restarting", "stopping"})

T = TypeVar("T")


class ContainerBackend(Upkeep, Storage):
    """Everything the engine has, whoever made it.

    `endpoint` is an address (`unix://`, `tcp://`, `ssh://`), `docker`, `podman`, the name of a
    docker context, or empty for what is found; `where` tells several engines apart. `patience` is
    how long one reading may take, in seconds.
    """

    def __init__(self, endpoint: str = "", *, where: str = "", patience: int = PATIENCE) -> None:
        self.place = Place(Kind.CONTAINER, where)
        super().__init__(Link(self.place, endpoint, patience))
        self._listing = Listing(self.place)
        self._meter: Meter | None = None
        self._events: Events | None = None
        self._wake: Callable[[], None] | None = None
        self._commands = Commands(self._link)
        self._running: set[asyncio.Task[None]] = set()
        self._closed = False
        self._listed_at = 0.0

    async def probe(self) -> Health:
        """Which engine answers, and where; else why none does."""
        try:
            told = await self._link.ask(_introduce)
        except BackendUnavailableError as error:
            return Health(place=str(self.place), ok=False, detail=error.reason, hint=error.hint)
        return Health(place=str(self.place), ok=True, detail=told)

    async def poll(self) -> Sequence[Sandbox]:
        """All containers; the identical list when nothing has changed."""
        began = time.monotonic()
        sandboxes = await self._link.ask(self._listing.refresh)
        self._listed_at = began
        if not self._listing.complete and self._wake is not None:
            self._wake()
        return sandboxes

    @property
    def holds(self) -> bool:
        """See `Holds`: to list is the dearest of what an engine is asked while nothing happens."""
        is_heard = self._events is not None and self._events.is_heard
        return is_heard and time.monotonic() - self._listed_at < HOLDS_SECONDS

    def listen(self, wake: Callable[[], None]) -> None:
        """Wake at the engine's events."""
        self._wake = wake
        self._events = Events(self._link, self._outdate, wake)

    async def start(self, spec: Spec) -> Ref:
        """Create and start. Raises `AlreadyExistsError`, `StartFailedError`, `InvalidSpecError`."""
        if not isinstance(spec, ContainerSpec):
            raise InvalidSpecError("kind", "only a container can be started here")
        from sandbox_tui.backends.containers.create import container_config

        ref, given_up = Ref.make(Kind.CONTAINER, spec.name, self.place.where), threading.Event()

        def make(engine: Engine) -> None:
            engine.start(ref, container_config(spec, Path.cwd()), given_up.is_set)

        try:
            await self._link.order(f"start {ref}", START_SECONDS, make)
        except BaseException:
            given_up.set()
            raise
        return ref

    async def run_once(self, spec: Spec, *, timeout: float | None = None) -> Execution:
        """Run the command of a container that exists for it only."""
        if not isinstance(spec, ContainerSpec):
            raise InvalidSpecError("kind", "only a container can run a command once")
        from sandbox_tui.backends.containers.commands.oneoff import OneOff

        oneoff = OneOff(self._link, spec, timeout)
        self._keep(asyncio.create_task(oneoff.carry(await oneoff.begin())))
        await asyncio.sleep(0)  # one that is cancelled before its first step cleans up nothing
        return oneoff.execution

    async def spec_of(self, ref: Ref) -> ContainerSpec | None:
        """What it was made from; `None` for one that was not made by this program."""
        box = await self._find(ref)
        config = (await self._link.ask(lambda engine: engine.inspect(box))).config
        env = dict(text.split("=", 1) for text in config.env or () if "=" in text)
        return spec_from(config.labels or {}, env, ref.name)

    async def stop(self, ref: Ref, *, grace: float = 10.0) -> None:
        """End its main process; at once when `grace` is 0. One that has ended already stays so."""
        seconds = max(0.0, grace) + STOP_SECONDS
        await self._order("stop", ref, seconds, lambda engine, box: _stop(engine, box, grace))

    async def restart(self, ref: Ref, *, grace: float = 10.0) -> None:
        """Stop, and start the same container again."""
        seconds = max(0.0, grace) + START_SECONDS

        def again(engine: Engine, box: Box) -> None:
            engine.restart(box, grace)
            self._listing.outdate(box.id)

        await self._order("restart", ref, seconds, again)

    async def revive(self, ref: Ref) -> None:
        """Run an ended one again as it was. Raises `AlreadyExistsError` when it lives."""
        from sandbox_tui.backends.containers.reviving import revive

        def again(engine: Engine, box: Box) -> None:
            revive(engine, box)
            self._listing.outdate(box.id)

        await self._order("start", ref, START_SECONDS, again)

    async def pause(self, ref: Ref) -> None:
        """Freeze every process. Raises `NotRunningError`."""
        await self._order("pause", ref, ORDER_SECONDS, lambda engine, box: engine.pause(up(box)))

    async def resume(self, ref: Ref) -> None:
        """Thaw every process. Raises `ConflictError` when it is not frozen."""
        await self._order("resume", ref, ORDER_SECONDS, lambda engine, box: engine.resume(box))

    async def remove(self, ref: Ref) -> None:
        """Remove an ended container and its nameless volumes; volumes with a name stay."""
        await self._order("remove", ref, REMOVE_SECONDS, _remove)

    async def interrupt(self, ref: Ref) -> None:
        """Send SIGINT to the main process."""
        signal = "SIGINT"
        await self._order(
            "interrupt", ref, ORDER_SECONDS, lambda engine, box: engine.kill(up(box), signal)
        )

    async def execute(
        self,
        ref: Ref,
        code: Command,
        *,
        timeout: float | None = None,
        cap: int = OUTPUT_CAP,
        keep: Keep = "tail",
        inside: Inside | None = None,
    ) -> Execution:
        """Run a program, or `sh -c CODE`, as the container's own user; its streams stay apart.

        In a container that this program made, a shell that is there already runs it.
        """
        from sandbox_tui.backends.containers.commands.run import Run

        run = Run(self._link, ref, code, timeout=timeout, cap=cap, keep=keep, inside=inside)
        await self._commands.start(run, code)
        return run.execution

    async def session(self, ref: Ref) -> ContainerSession:
        """A new shell inside that stays: bash where there is one, else sh."""
        return await self._commands.session(ref)

    def follow(
        self, ref: Ref, *, tail: int = 200, live: bool = True, since: float | None = None
    ) -> AsyncGenerator[Text]:
        """The engine's log of it, each line with its time stamp; also of an ended one."""
        from sandbox_tui.backends.containers import logs

        return logs.follow(self._link, ref, tail=tail, live=live, since=since)

    async def vitals(self, refs: Sequence[Ref]) -> dict[Ref, Vitals]:
        """Measure those that run, as of the last poll."""
        from sandbox_tui.backends.containers.vitals.vitals import Meter

        wanted = frozenset(refs)
        boxes = [box for box in self._listing.sandboxes if box.ref in wanted and box.state.is_live]
        self._meter = self._meter or Meter(self._link)
        return await self._meter.measure(boxes)

    async def attachment(self, ref: Ref) -> Attachment:
        """The engine's command line, attached to the main process."""
        from sandbox_tui.backends.containers import attach

        return await self._inside(ref, attach.attach_to_main)

    async def shell(self, ref: Ref) -> Attachment:
        """The engine's command line, with the best shell there is inside."""
        from sandbox_tui.backends.containers import attach

        return await self._inside(ref, attach.open_shell)

    async def inspect(self, ref: Ref) -> dict[str, object]:
        """The engine's own inspection."""
        box = await self._find(ref)
        return await self._link.ask(lambda engine: engine.inspect_all(box))

    async def aclose(self) -> None:
        """Let go of the engine. What runs goes on running, seen by nobody."""
        if self._closed:
            return
        self._closed = True
        if self._events is not None:
            await self._events.aclose()
        await self._commands.aclose()
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self.close_storage()
        if self._meter is not None:
            await self._meter.aclose()
        await self._link.aclose()

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def _outdate(self, container_id: str) -> None:
        self._listing.outdate(container_id)
        self._commands.outdate(container_id)

    async def _find(self, ref: Ref) -> Box:
        return await self._link.ask(lambda engine: find(engine, ref))

    async def _inside(self, ref: Ref, use: Callable[[Engine, Box], T]) -> T:
        box = up(await self._find(ref))
        return await self._link.ask(lambda engine: use(engine, box))

    async def _order(
        self, verb: str, ref: Ref, seconds: float, command: Callable[[Engine, Box], None]
    ) -> None:
        box = await self._find(ref)
        await self._link.order(f"{verb} {ref}", seconds, lambda engine: command(engine, box))


def _introduce(engine: Engine) -> str:
    engine.ping()
    return f"{engine.version} · {engine.endpoint.url}"


def _stop(engine: Engine, box: Box, grace: float) -> None:
    if box.state not in _ALIVE:
        return
    end = engine.kill if grace <= 0 else partial(engine.stop, grace=grace)
    try:
        end(box)
    except ConflictError:
        if box.state != "paused":
            return
        engine.resume(box)  # podman does not end a frozen one
        end(box)


def _remove(engine: Engine, box: Box) -> None:
    if box.state in _ALIVE:
        hint = f"Run: sandbox-tui stop {box.ref}"
        raise ConflictError(f"{box.ref} is {box.state}", hint=hint)
    engine.remove(box)
