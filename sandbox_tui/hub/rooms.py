"""Kernel rooms as a backend: what the daemon serves.

Rooms live in the process that has this object; documents come back from disk, and kernels that
an earlier process left running are taken up again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from pathlib import Path

import msgspec

from sandbox_tui.backends.base import only_text
from sandbox_tui.backends.cages import Cages
from sandbox_tui.backends.kernels.host import KernelHost
from sandbox_tui.backends.kernels.records import KernelRecord
from sandbox_tui.backends.kernels.vitals import Meter
from sandbox_tui.documents import notebook_files, records
from sandbox_tui.documents.room_log import StoredRoom
from sandbox_tui.documents.seats import Seats
from sandbox_tui.documents.store import RoomStore
from sandbox_tui.hub.opening import Opened, brings, opened
from sandbox_tui.hub.room import Room, merged
from sandbox_tui.hub.room_run import OUTPUT, recalled
from sandbox_tui.hub.saving import Saver
from sandbox_tui.model import codec
from sandbox_tui.model.actions import CellChange
from sandbox_tui.model.cells import Notebook
from sandbox_tui.model.errors import (
    AlreadyExistsError,
    ConflictError,
    InvalidSpecError,
    NotFoundError,
    NotRunningError,
    OperationFailedError,
    UsageError,
)
from sandbox_tui.model.outputs import OUTPUT_CAP, Keep, Output, Vitals
from sandbox_tui.model.pools import PoolState
from sandbox_tui.model.refs import Kind, Place, Ref
from sandbox_tui.model.room import Completion
from sandbox_tui.model.specs import Command, Inside, RoomSpec, Spec
from sandbox_tui.model.world import Health, Sandbox, State
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.runtime.pool import Pool

GRACE = 0.3
"""Longest time in seconds that a kernel has after SIGTERM: it has nothing to save."""

TEND_EVERY = 40
"""Polls between two looks at the kernels' logs."""

_MAKE_ROOM = "Make room on its disk; everything is saved as soon as there is some."

_FILES = 20.0
"""Longest wait for the file system, in seconds."""


class RoomsBackend:
    """Every room of one state folder; see `backends.base.Backend`. Make it with `open`."""

    def __init__(
        self,
        state: Path,
        runtime: Path,
        *,
        most_output: int = OUTPUT,
        pool: int = 0,
        isolation: str = "",
        cages: Cages | None = None,
    ) -> None:
        self.place = Place(Kind.ROOM)
        self._host = KernelHost(
            runtime / "kernels", state / "kernels", pool=pool, isolation=isolation, cages=cages
        )
        self._store = RoomStore(state / "rooms")
        self._saver = Saver(self._store, self._stored)
        self._rooms: dict[Ref, Room] = {}
        self._notices: list[str] = []
        self._pool = Pool("room files", 2)
        self._meter = Meter()
        self._wake: Callable[[], None] = lambda: None
        self._polls = 0
        self._most_output = most_output

    @classmethod
    async def open(
        cls,
        state: Path,
        runtime: Path,
        *,
        most_output: int = OUTPUT,
        pool: int = 0,
        isolation: str = "",
        cages: Cages | None = None,
    ) -> RoomsBackend:
        """The rooms of `state` (`rooms/` and `kernels/` in it), with the kernels that still live.

        Sockets go to `runtime`, which must belong to the user alone. Of what a run says at most
        `most_output` bytes are kept. `pool` kernels stand ready; `isolation` is what a kernel is
        shut in when its room does not say, by `cages`.
        """
        backend = cls(
            state, runtime, most_output=most_output, pool=pool, isolation=isolation, cages=cages
        )
        loaded = await backend._pool.run(_FILES, backend._store.load)
        backend._notices = loaded.notices
        for stored in loaded.rooms:
            backend._bring_back(stored)
        await backend._adopt()
        await backend._host.warm()
        return backend

    # --- the duty -----------------------------------------------------------------------------

    async def probe(self) -> Health:
        """Rooms are always there; says what could not be read or written."""
        problem = self._saver.problem
        detail = "; ".join(filter(None, [problem, *self._notices]))
        hint = _MAKE_ROOM if problem else ""
        place = str(self.place)
        return Health(place=place, ok=True, detail=detail, hint=hint, impaired=bool(detail))

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
        room, begun = self._free(spec.ref), Opened(spec)
        if brings(spec, room and room.spec):
            begun = await self._pool.run(_FILES, opened, spec)
            room = self._free(spec.ref)  # somebody else may have begun it meanwhile
        if room is None:
            return await self._found(begun)
        if brings(spec, room and room.spec):
            room.take_in(begun)
        else:
            room.become(merged(room.spec, begun.spec))
        await room.up()
        return spec.ref

    async def open_room(self, spec: RoomSpec) -> Ref:
        """See `Notebooks.open_room`."""
        room, begun = self._rooms.get(spec.ref), Opened(spec)
        if brings(spec, room and room.spec):
            begun = await self._pool.run(_FILES, partial(opened, spec, runs=False))
            room = self._rooms.get(spec.ref)
        if room is None:
            self._hold(begun.stored, begun.word)
            self._saver.save(spec.ref)
            self._tell()
        elif brings(spec, room and room.spec):
            room.take_in(begun)
        return spec.ref

    async def stop(self, ref: Ref, *, grace: float = 10.0) -> None:
        """End its kernel; the room and its cells stay. Raises `NotFoundError`."""
        await self._room(ref).down("stopped", grace=min(grace, GRACE))

    async def stop_idle(self, ref: Ref, *, grace: float = 10.0) -> None:
        """See `Rests.stop_idle`: `stop` lets go of the kernel before its first wait."""
        room = self._room(ref)
        if room.state is not State.IDLE or len(room.queue):
            raise ConflictError(f"{ref} is {room.state}", hint="Wait until nothing runs in it.")
        await self.stop(ref, grace=grace)

    async def remove(self, ref: Ref) -> None:
        """Take the room and its file away. Raises `ConflictError` while it has a kernel."""
        room = self._room(ref)
        if room.state.is_live:
            raise ConflictError(f"{ref} is {room.state}", hint=f"Run: sandbox-tui stop {ref}")
        del self._rooms[ref]
        await room.leave()
        try:
            await self._saver.delete(ref)
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
        """Queue code that is no cell; a room without a kernel starts it first."""
        return self._room(ref).queue.run_code(
            only_text(ref, code, inside), timeout, cap=cap, keep=keep
        )

    async def run_cells(
        self, ref: Ref, cell_ids: Sequence[str], *, timeout: float | None = None
    ) -> list[Execution]:
        """Queue cells with the source they have when their turn comes.

        Raises `CellNotFoundError`, or `UnsupportedError` for a cell that is no code; then none
        is queued.
        """
        return self._room(ref).queue.run_cells(cell_ids, timeout)

    async def interrupt(self, ref: Ref) -> None:
        """End what runs and drop what waits. Raises `NotRunningError`."""
        room = self._room(ref)
        if not room.state.is_live:
            raise NotRunningError(ref, room.state)
        await room.interrupt()

    async def restart(self, ref: Ref, *, grace: float = 10.0) -> None:
        """A new kernel with the same cells. Raises what `start` raises."""
        await self._room(ref).restart(grace=min(grace, GRACE))

    async def edit(self, change: CellChange) -> str:
        """See `Notebooks.edit`."""
        return self._room(change.ref).book.edit(change)

    def seats(self, ref: Ref) -> Seats:
        """The document of a room and who has it open. Raises `NotFoundError`."""
        return self._room(ref).book.seats

    async def complete(self, ref: Ref, code: str, cursor: int) -> Completion:
        """See `Completes.complete`."""
        room = self._room(ref)
        if room.kernel is None:
            raise NotRunningError(ref, room.state)
        return await room.kernel.complete(code, cursor)

    async def save_as(self, ref: Ref, path: str) -> str:
        """See `Saves.save_as`."""
        room = self._room(ref)
        target = path or room.spec.notebook
        if not target:
            raise InvalidSpecError("path", f"{ref} was not opened from a file: name one")
        cells, runs = room.book.document.notebook(), room.book.page.stored()
        notebook = msgspec.structs.replace(cells, runs=runs)
        try:
            await self._pool.run(_FILES, notebook_files.write, target, notebook, room.spec.kernel)
        except OSError as error:
            raise OperationFailedError(ref, f"write {target} of", str(error)) from error
        room.become(msgspec.structs.replace(room.spec, notebook=target))
        return target

    async def recall(self, ref: Ref, execution_id: str) -> Execution:
        """A run of that room, whoever began it and whenever. Raises `NotFoundError`."""
        room = self._room(ref)
        if (live := room.queue.live(execution_id)) is not None:
            return live
        await self._saver.flush()
        folder = self._store.runs(ref.name)
        record = await self._pool.run(_FILES, records.read, folder, execution_id)
        if record is None:
            message = f"no run of {ref} has the id {execution_id!r}"
            raise NotFoundError(execution_id, message=message, hint="Only its last runs are kept.")
        return recalled(ref, execution_id, record)

    def reply(self, ref: Ref, execution_id: str, text: str) -> None:
        """Give the code that asked one line of input."""
        self._room(ref).queue.questions.answer(execution_id, text)

    async def pools(self) -> tuple[PoolState, ...]:
        """How many kernels stand ready, of each environment."""
        return self._host.pools

    async def flush_pool(self) -> None:
        """End them; new ones are made in the background."""
        await self._host.flush_pool()

    async def notebooks(self, ref: Ref) -> AsyncIterator[Notebook]:
        """The page now and whenever it changed, at most 30 times a second."""
        async for notebook in self._room(ref).book.page.notebooks():
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
        told = {**codec.to_builtins(room.sandbox), "spec": codec.to_builtins(room.spec)}
        if kernel is not None:
            told["kernel"] = codec.to_builtins(kernel.record)
            told["banner"] = kernel.banner
        return told

    async def vitals(self, refs: Sequence[Ref]) -> dict[Ref, Vitals]:
        """Processor and memory of each kernel and all that it started."""
        kernels = ((ref, self._rooms[ref].kernel) for ref in refs if ref in self._rooms)
        pids = {kernel.pid: ref for ref, kernel in kernels if kernel is not None and kernel.pid}
        found = await self._pool.run(_FILES, self._meter.measure, list(pids))
        return {pids[pid]: vitals for pid, vitals in found.items()}

    # --- inside -------------------------------------------------------------------------------

    def _free(self, ref: Ref) -> Room | None:
        """The room of that name, if there is one. Raises `AlreadyExistsError` while it runs."""
        room = self._rooms.get(ref)
        if room is not None and room.state.is_live:
            raise AlreadyExistsError(ref)
        return room

    def _room(self, ref: Ref) -> Room:
        room = self._rooms.get(ref)
        if room is None:
            raise NotFoundError(ref, tuple(self._rooms))
        return room

    def _hold(self, stored: StoredRoom, word: str = "") -> Room:
        ref = stored.spec.ref
        room = self._rooms[ref] = Room(
            stored, self._host, self._saver, changed=self._tell, most_output=self._most_output
        )
        room.remark(word)
        return room

    def _bring_back(self, stored: StoredRoom) -> None:
        """A room from disk; its history may be damaged although every entry is sound."""
        try:
            self._hold(stored)
        except UsageError as error:
            ref = stored.spec.ref
            self._notices.append(f"{ref}: its document is lost: {error}")
            self._hold(msgspec.structs.replace(stored, epoch="", updates=()))
        if not stored.epoch:
            self._saver.save(stored.spec.ref)

    async def _found(self, begun: Opened) -> Ref:
        """A new room; nothing is left of one whose kernel does not come up."""
        spec, room = begun.spec, self._hold(begun.stored, begun.word)
        saving = asyncio.ensure_future(self._saver.saved(spec.ref))
        try:
            await room.up()
            await asyncio.wait([saving])
        except BaseException:
            del self._rooms[spec.ref]
            await room.leave()
            await self._saver.delete(spec.ref)
            raise
        finally:
            self._tell()
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
            self._saver.save(spec.ref)
        return room

    def _stored(self, ref: Ref) -> StoredRoom | None:
        room = self._rooms.get(ref)
        return room.stored if room else None

    def _tell(self) -> None:
        self._wake()
