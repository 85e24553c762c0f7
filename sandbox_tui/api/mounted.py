"""The daemon's rooms as a backend of another Hub: every client mounts them.

Looking never starts a daemon: while there is none, the rooms on disk are listed as stopped. Doing
something with a room does start it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from sandbox_tui.api.daemon_home import DaemonHome
from sandbox_tui.backends.base import only_text
from sandbox_tui.documents.line import Line
from sandbox_tui.documents.stored import StoredRooms
from sandbox_tui.model.actions import (
    Action,
    Attachment,
    CellChange,
    Complete,
    FlushPool,
    Interrupt,
    OpenRoom,
    PoolStatus,
    Remove,
    Restart,
    RunAll,
    SaveAs,
    Start,
    Stop,
)
from sandbox_tui.model.cells import Notebook
from sandbox_tui.model.errors import BackendUnavailableError, NotRunningError, SandboxError
from sandbox_tui.model.outputs import OUTPUT_CAP, Keep, Output, Vitals
from sandbox_tui.model.pools import PoolState
from sandbox_tui.model.refs import Place, Ref
from sandbox_tui.model.room import Completion
from sandbox_tui.model.specs import Command, Inside, RoomSpec, Spec
from sandbox_tui.model.world import Health, Sandbox, State
from sandbox_tui.runtime.console import console
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.runtime.link import Link
from sandbox_tui.runtime.pool import Pool
from sandbox_tui.runtime.streams import closing

if TYPE_CHECKING:
    from sandbox_tui.api.remote import RemoteApi

NONE_YET = "no daemon yet (starts with the first room)"

DIED = "the daemon died; its kernels run on until the next one has them"
"""Told by a socket that is there and that nobody listens on: who stops removes it."""

_FILES = 5.0
"""Longest wait for the file system, in seconds."""


class MountedBackend:
    """See `backends.base`; `path` is the daemon's socket, by default where it always is."""

    def __init__(self, place: Place, path: Path | None = None) -> None:
        self.place = place
        self._home = DaemonHome.at(path)
        self._stored = StoredRooms(self._home.state)
        self._files = Pool("stored rooms", 1)
        self._api: RemoteApi | None = None
        self._vanished = False
        self._died = False
        self._connecting = asyncio.Lock()
        self._watching: asyncio.Task[None] | None = None
        self._wake: Callable[[], None] = _nobody
        self._seen: tuple[int, list[Sandbox]] = (-1, [])

    def listen(self, wake: Callable[[], None]) -> None:
        """Every world of the daemon wakes."""
        self._wake = wake

    async def poll(self) -> Sequence[Sandbox]:
        """The daemon's rooms; without a daemon, those on disk.

        Raises `BackendUnavailableError` when one was there and died.
        """
        api = await self._connected()
        if api is not None:
            return self._rooms(api)
        self._died = await self._files.run(_FILES, self._home.socket.exists)
        if self._died and self._vanished:
            hint = "Run: sandbox-tui daemon start"
            raise BackendUnavailableError(str(self.place), DIED, hint=hint)
        self._vanished = False
        return await self._files.run(_FILES, self._stored.rooms)

    async def probe(self) -> Health:
        """The daemon's own word on its rooms."""
        if self._api is not None:
            told = self._api.world.health_of(self.place)
            return told or Health(place=str(self.place), ok=True, detail="the daemon begins")
        return Health(place=str(self.place), ok=True, detail=DIED if self._died else NONE_YET)

    async def start(self, spec: Spec) -> Ref:
        """Make a room, in this program's folder unless the spec names another."""
        api = await self._reach()
        known = api.world.get(spec.ref) is not None
        room = spec if isinstance(spec, RoomSpec) else RoomSpec(name=spec.name)
        action = Start(
            name=spec.ref,
            kind=spec.ref.kind,
            kernel=room.kernel,
            isolation=room.isolation or None,
            env=room.env,
            env_source=room.env_source or None,
            labels=room.labels or None,
            notebook=await self._files.run(_FILES, _file, room.notebook) or None,
            working_dir=await self._files.run(_FILES, _folder, room.working_dir, known),
        )
        return cast(Ref, await api.perform(action))

    async def open_room(self, spec: RoomSpec) -> Ref:
        """Have a room, whose kernel is to run in this program's folder."""
        folder = await self._files.run(_FILES, _folder, spec.working_dir, False)
        file = await self._files.run(_FILES, _file, spec.notebook) or None
        action = OpenRoom(ref=spec.ref, working_dir=folder, notebook=file)
        return cast(Ref, await self._perform(action))

    async def stop(self, ref: Ref, *, grace: float = 10.0) -> None:
        """End its kernel; its cells stay. Raises `NotRunningError`."""
        api = await self._owner(ref)
        await api.perform(Stop(ref=ref, force=grace <= 0, timeout=grace))

    async def stop_idle(self, ref: Ref, *, grace: float = 10.0) -> None:
        """See `Rests.stop_idle`: the daemon decides. Raises `NotRunningError`."""
        api = await self._owner(ref)
        await api.perform(Stop(ref=ref, force=grace <= 0, timeout=grace, if_idle=True))

    async def remove(self, ref: Ref) -> None:
        """Take the room and its cells away."""
        await self._perform(Remove(ref=ref))

    async def save_as(self, ref: Ref, path: str) -> str:
        """Write the notebook where this program's user means it."""
        there = await self._files.run(_FILES, _file, path)
        return cast(str, await self._perform(SaveAs(ref=ref, path=there)))

    async def complete(self, ref: Ref, code: str, cursor: int) -> Completion:
        """Ask the kernel."""
        action = Complete(ref=ref, code=code, cursor=cursor)
        return cast(Completion, await self._perform(action))

    async def interrupt(self, ref: Ref) -> None:
        """End what runs and what waits. Raises `NotRunningError`."""
        await (await self._owner(ref)).perform(Interrupt(ref=ref))

    async def restart(self, ref: Ref, *, grace: float = 10.0) -> None:
        """A new kernel for the same cells."""
        await self._perform(Restart(ref=ref, timeout=grace))

    async def edit(self, change: CellChange) -> str:
        """Change the document."""
        return cast(str, await self._perform(change))

    async def run_cells(
        self, ref: Ref, cell_ids: Sequence[str], *, timeout: float | None = None
    ) -> list[Execution]:
        """Queue these cells."""
        action = RunAll(ref=ref, cell_ids=tuple(cell_ids), timeout=timeout)
        return cast(list[Execution], await self._perform(action))

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
        """Run code in the room's kernel."""
        text = only_text(ref, code, inside)
        return await (await self._reach()).execute(ref, text, timeout=timeout, cap=cap, keep=keep)

    async def line(self, ref: Ref) -> Line:
        """The way into a room of the daemon."""
        return await (await self._reach()).line(ref)

    async def line_again(self, ref: Ref) -> Line | None:
        """The same, should a daemon be there."""
        api = await self._connected()
        return await api.line(ref) if api else None

    async def notebooks(self, ref: Ref) -> AsyncIterator[Notebook]:
        """The document with its outputs, again whenever they changed."""
        api = await self._reach()
        async with closing(api.notebooks(ref)) as notebooks:
            async for notebook in notebooks:
                yield notebook

    async def follow(
        self, ref: Ref, *, tail: int = 200, live: bool = True, since: float | None = None
    ) -> AsyncIterator[Output]:
        """What its runs say."""
        api = await self._reach()
        async with closing(api.follow(ref, tail=tail, live=live, since=since)) as outputs:
            async for output in outputs:
                yield output

    async def vitals(self, refs: Sequence[Ref]) -> dict[Ref, Vitals]:
        """Of rooms with a kernel; nothing runs without a daemon."""
        api = await self._connected()
        return dict(await api.vitals(refs)) if api else {}

    async def inspect(self, ref: Ref) -> dict[str, object]:
        """Everything the daemon knows."""
        return dict(await (await self._reach()).inspect(ref))

    async def pools(self) -> tuple[PoolState, ...]:
        """The daemon's ready kernels; without a daemon there are none."""
        api = await self._connected()
        return cast(tuple[PoolState, ...], await api.perform(PoolStatus())) if api else ()

    async def flush_pool(self) -> None:
        """End them, if there is a daemon."""
        api = await self._connected()
        if api is not None:
            await api.perform(FlushPool())

    async def attachment(self, ref: Ref) -> Attachment:
        """A console for its kernel."""
        await self._reach()
        return console(ref)

    async def aclose(self) -> None:
        """Hang up; the daemon goes on."""
        await self._let_go()
        self._files.close()

    async def _perform(self, action: Action) -> object:
        return await (await self._reach()).perform(action)

    async def _connected(self) -> RemoteApi | None:
        """The daemon, if there is one."""
        async with self._connecting:
            await self._forget_lost()
            if self._api is None and (link := await Link.open(self._home.socket)):
                from sandbox_tui.api.remote import RemoteApi  # not needed where there is no daemon

                await self._mount(await RemoteApi.over(link))
            return self._api

    async def _reach(self) -> RemoteApi:
        """The daemon, started if there is none."""
        from sandbox_tui.api.remote import RemoteApi

        async with self._connecting:
            await self._forget_lost()
            return self._api or await self._mount(
                await RemoteApi.connect(self._home.socket, start=True)
            )

    async def _owner(self, ref: Ref) -> RemoteApi:
        """The daemon that has the room's kernel; without one nothing runs, unless one died."""
        api = await self._connected()
        if api is None and not self._died:
            raise NotRunningError(ref, State.STOPPED)
        return api or await self._reach()

    async def _mount(self, api: RemoteApi) -> RemoteApi:
        self._api = api
        self._vanished = False
        self._watching = asyncio.create_task(self._watch(api), name=f"worlds of {self.place}")
        await api.settled(2.0)
        return api

    async def _watch(self, api: RemoteApi) -> None:
        try:
            async for _ in api.worlds():
                self._wake()
        except SandboxError:
            self._wake()  # the next poll says what that means

    async def _forget_lost(self) -> None:
        if self._api is not None and self._api.lost is not None:
            self._vanished = True
            await self._let_go()

    async def _let_go(self) -> None:
        api, self._api = self._api, None
        watching, self._watching = self._watching, None
        if watching is not None:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        if api is not None:
            await api.aclose()

    def _rooms(self, api: RemoteApi) -> list[Sandbox]:
        """The same list while nothing changed, so that the Hub sees at once that nothing did."""
        world = api.world
        if self._seen[0] != world.revision or not self._seen[1]:
            rooms = [box for box in world.sandboxes if box.ref.place == self.place]
            self._seen = (world.revision, rooms)
        return self._seen[1]


def _nobody() -> None:
    """Nobody listens yet."""


def _folder(named: str | None, known: bool) -> str | None:
    """As this program's user means it: the daemon runs in a folder of its own."""
    if named is None:
        return None if known else str(Path.cwd())
    return str(Path(named).expanduser().absolute())


def _file(named: str) -> str:
    return str(Path(named).expanduser().absolute()) if named else ""
