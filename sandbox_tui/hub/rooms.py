"""Kernel rooms as a backend: what the daemon serves.

Rooms live in the process that has this object; documents come back from disk, and kernels that
an earlier process left running are taken up again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

from sandbox_tui.backends.kernels.host import KernelHost
from sandbox_tui.backends.kernels.records import KernelRecord
from sandbox_tui.backends.kernels.vitals import Meter
from sandbox_tui.documents.store import RoomStore, StoredRoom
from sandbox_tui.hub.room import Room, merged
from sandbox_tui.hub.saving import Saver
from sandbox_tui.model import codec
from sandbox_tui.model.actions import AddCell, EditCell, RemoveCell
from sandbox_tui.model.cells import Notebook
from sandbox_tui.model.errors import (
    AlreadyExistsError,
    ConflictError,
    InvalidSpecError,
    NotFoundError,
    NotRunningError,
    OperationFailedError,
)
from sandbox_tui.model.outputs import Output, Vitals
from sandbox_tui.model.refs import Kind, Place, Ref
from sandbox_tui.model.specs import RoomSpec, Spec
from sandbox_tui.model.world import Health, Sandbox
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.runtime.pool import Pool

GRACE = 0.3
"""Longest time in seconds that a kernel has after SIGTERM: it has nothing to save."""

TEND_EVERY = 40
"""Polls between two looks at the kernels' logs."""

_FILES = 20.0
"""Longest wait for the file system, in seconds."""


class RoomsBackend:
    """Every room of one state folder; see `backends.base.Backend`. Make it with `open`."""

    def __init__(self, state: Path, runtime: Path) -> None:
        self.place = Place(Kind.ROOM)
        self._host = KernelHost(runtime / "kernels", state / "kernels")
        self._store = RoomStore(state / "rooms")
        self._saver = Saver(self._store, self._stored)
        self._rooms: dict[Ref, Room] = {}
        self._notices: list[str] = []
        self._pool = Pool("room files", 2)
        self._meter = Meter()
        self._wake: Callable[[], None] = lambda: None
        self._polls = 0

    @classmethod
    async def open(cls, state: Path, runtime: Path) -> RoomsBackend:
        """The rooms of `state` (`rooms/` and `kernels/` in it), with the kernels that still live.

        Sockets go to `runtime`, which must belong to the user alone.
        """
        backend = cls(state, runtime)
        loaded = await backend._pool.run(_FILES, backend._store.load)
        backend._notices = loaded.notices
        for stored in loaded.rooms:
            backend._hold(stored)
        await backend._adopt()
        return backend

    # --- the duty -----------------------------------------------------------------------------

    async def probe(self) -> Health:
        """Rooms are always there; says what could not be read or written."""
        detail = "; ".join(filter(None, [self._saver.problem, *self._notices]))
        return Health(place=str(self.place), ok=True, detail=detail)

    async def poll(self) -> list[Sandbox]:
        """Every room, from memory."""
        self._polls += 1
        if self._polls % TEND_EVERY == 0:
            await self._host.tend()
        return [room.sandbox for room in self._rooms.values()]

    async def start(self, spec: Spec) -> Ref:
        """Open a room and start its kernel; a stopped room is started with the cells it has.

        Raises `AlreadyExistsError`, `InvalidSpecError` or `StartFailedError`.
        """
        if not isinstance(spec, RoomSpec):
            raise InvalidSpecError("kind", f"{spec.ref} is no room")
        room = self._rooms.get(spec.ref)
        if room is not None and room.state.is_live:
            raise AlreadyExistsError(spec.ref)
        if room is None:
            return await self._found(spec)
        room.spec = merged(room.spec, spec)
        self._saver.save(spec.ref)
        await room.up()
        return spec.ref

    async def stop(self, ref: Ref, *, grace: float = 10.0) -> None:
        """End its kernel; the room and its cells stay. Raises `NotFoundError`."""
        await self._room(ref).down("stopped", grace=min(grace, GRACE))

    async def remove(self, ref: Ref) -> None:
        """Take the room and its file away. Raises `ConflictError` while it has a kernel."""
        room = self._room(ref)
        if room.state.is_live:
            raise ConflictError(f"{ref} is {room.state}", hint=f"Run: sandbox-tui stop {ref}")
        del self._rooms[ref]
        await room.leave()
        try:
            await self._saver.delete(ref)
        except OSError as error:
            raise OperationFailedError(ref, "remove", str(error)) from error
        finally:
            self._wake()

    async def aclose(self) -> None:
        """Save everything and let go; kernels go on and are taken up by the next `open`."""
        await self._saver.aclose()  # first: what runs now is to be marked as cut short
        for room in self._rooms.values():
            await room.leave()
        await self._host.aclose()
        self._pool.close()

    # --- abilities ----------------------------------------------------------------------------

    def listen(self, wake: Callable[[], None]) -> None:
        """Call `wake` whenever a room changed."""
        self._wake = wake

    async def execute(self, ref: Ref, code: str, *, timeout: float | None = None) -> Execution:
        """Queue code that is no cell; a room without a kernel starts it first."""
        return self._room(ref).run_code(code, timeout)

    async def run_cells(
        self, ref: Ref, cell_ids: Sequence[str], *, timeout: float | None = None
    ) -> list[Execution]:
        """Queue cells with the source they have when their turn comes.

        Raises `CellNotFoundError`, or `UnsupportedError` for a cell that is no code; then none
        is queued.
        """
        return self._room(ref).run_cells(cell_ids, timeout)

    async def interrupt(self, ref: Ref) -> None:
        """End what runs and drop what waits. Raises `NotRunningError`."""
        room = self._room(ref)
        if not room.state.is_live:
            raise NotRunningError(ref, room.state)
        await room.interrupt()

    async def restart(self, ref: Ref, *, grace: float = 10.0) -> None:
        """A new kernel with the same cells. Raises what `start` raises."""
        await self._room(ref).restart(grace=min(grace, GRACE))

    async def edit(self, change: AddCell | EditCell | RemoveCell) -> str:
        """Change the document; answers with the id of the cell. Raises `CellNotFoundError`."""
        document = self._room(change.ref).document
        match change:
            case AddCell():
                return document.add(change.source, change.kind, change.index)
            case EditCell():
                document.edit(change.cell_id, change.source)
            case RemoveCell():
                document.remove(change.cell_id)
        return change.cell_id

    async def notebooks(self, ref: Ref) -> AsyncIterator[Notebook]:
        """The page now and whenever it changed, at most 30 times a second."""
        async for notebook in self._room(ref).page.notebooks():
            yield notebook

    async def follow(
        self, ref: Ref, *, tail: int = 200, live: bool = True, since: float | None = None
    ) -> AsyncIterator[Output]:
        """What was run and what that said, as text."""
        async for text in self._room(ref).journal.follow(tail, live=live, since=since):
            yield text

    async def inspect(self, ref: Ref) -> dict[str, object]:
        """The room's row and spec, and how its kernel introduces itself."""
        room = self._room(ref)
        kernel = room.kernel
        told: dict[str, object] = codec.to_builtins(room.sandbox)
        told["spec"] = codec.to_builtins(room.spec)
        if kernel is not None:
            told["kernel"] = codec.to_builtins(kernel.record)
            told["banner"] = kernel.banner
        return told

    async def vitals(self, refs: Sequence[Ref]) -> dict[Ref, Vitals]:
        """Processor and memory of each kernel and all that it started."""
        rooms = {ref: self._rooms[ref] for ref in refs if ref in self._rooms}
        pids = {room.kernel.pid: ref for ref, room in rooms.items() if room.kernel is not None}
        found = await self._pool.run(_FILES, self._meter.measure, list(pids))
        return {pids[pid]: vitals for pid, vitals in found.items()}

    # --- inside -------------------------------------------------------------------------------

    def _room(self, ref: Ref) -> Room:
        room = self._rooms.get(ref)
        if room is None:
            raise NotFoundError(ref, tuple(self._rooms))
        return room

    def _hold(self, stored: StoredRoom) -> Room:
        ref = stored.spec.ref
        room = Room(stored, self._host, changed=self._tell, save=lambda: self._saver.save(ref))
        self._rooms[ref] = room
        return room

    async def _found(self, spec: RoomSpec) -> Ref:
        """A new room; nothing is left of one whose kernel does not come up."""
        room = self._hold(StoredRoom(spec=spec))
        try:
            await room.up()
        except BaseException:
            del self._rooms[spec.ref]
            await room.leave()
            raise
        finally:
            self._tell()
        self._saver.save(spec.ref)
        return spec.ref

    async def _adopt(self) -> None:
        """Living kernels go on in their rooms; a room whose kernel died meanwhile says so."""
        adoption = await self._host.adopt(self._room_of)
        for kernel in adoption.living:
            self._room_of(kernel.record).adopt(kernel)
        for record in adoption.dead:
            if record.owner in self._rooms:
                self._rooms[record.owner].failure = "kernel died while no daemon was there"

    def _room_of(self, record: KernelRecord) -> Room:
        """The room of a living kernel; a new and empty one when its file is lost."""
        room = self._rooms.get(record.owner)
        if room is None:
            spec = RoomSpec(name=record.owner.name, kernel=record.kernel)
            room = self._hold(StoredRoom(spec=spec))
        return room

    def _stored(self, ref: Ref) -> StoredRoom | None:
        room = self._rooms.get(ref)
        return room.stored if room else None

    def _tell(self) -> None:
        self._wake()
