"""Rooms of the memory backend: real documents, pretended kernels."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence

import msgspec

from sandbox_tui.backends.base import only_text
from sandbox_tui.backends.memory import script
from sandbox_tui.backends.memory.base import MemoryBackend
from sandbox_tui.documents.editing import apply
from sandbox_tui.documents.seats import Seats
from sandbox_tui.documents.shared import SharedDocument
from sandbox_tui.model.actions import AddCell, CellChange, ClearOutputs
from sandbox_tui.model.cells import CellKind, CellRun, Notebook, NotebookCell
from sandbox_tui.model.errors import ConflictError, NotFoundError, UnsupportedError
from sandbox_tui.model.outputs import OUTPUT_CAP, Keep, Outcome, Text
from sandbox_tui.model.refs import Kind, Place, Ref
from sandbox_tui.model.specs import Command, Inside, RoomSpec, Spec
from sandbox_tui.model.world import RoomFacts, State
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.runtime.pulse import Pulse

Batch = list[tuple[Execution, str | None]]
"""Executions of one call, each with the cell it runs, if it runs one."""


class _Room:
    """One room: its document, the last execution of each cell, and who waits."""

    def __init__(self) -> None:
        self.document = SharedDocument()
        self.executions: dict[str, Execution] = {}
        self.seats = Seats(self.document, self)
        self.document.listen(self.touch)
        self.all: dict[str, Execution] = {}
        self.turn = asyncio.Lock()
        self.count = itertools.count(1)
        self.changed = Pulse()
        self.revision = 0
        self.waiting: Batch = []
        self.working: set[asyncio.Task[None]] = set()

    def touch(self, cell_id: str | None = None) -> None:
        self.revision += 1
        self.changed.fire()
        if cell_id is not None:
            self.seats.touch(cell_id)

    def runs(self) -> dict[str, CellRun]:
        return {cell_id: _run_of(execution) for cell_id, execution in self.executions.items()}

    def run_of(self, cell_id: str) -> CellRun | None:
        execution = self.executions.get(cell_id)
        return _run_of(execution) if execution else None

    def clear(self, cell_id: str | None) -> None:
        for cleared in list(self.executions) if cell_id is None else [cell_id]:
            self.executions.pop(cleared, None)
            self.touch(cleared)

    def notebook(self, ref: Ref) -> Notebook:
        cells = (NotebookCell(cell, self.run_of(cell.id)) for cell in self.document.cells())
        return Notebook(ref, self.revision, tuple(cells))


class MemoryRooms(MemoryBackend):
    """Rooms whose kernels run the little language of `script`."""

    def __init__(self, where: str = "") -> None:
        super().__init__(Place(Kind.ROOM, where))
        self._rooms: dict[Ref, _Room] = {}
        self._ids = itertools.count(1)

    async def start(self, spec: Spec) -> Ref:
        """Open the room with the cells it had."""
        ref = await super().start(spec)
        self._show(ref, State.IDLE)
        return ref

    async def open_room(self, spec: RoomSpec) -> Ref:
        """A room without a kernel."""
        if spec.ref not in self._boxes:
            await super().start(spec)
            self._show(spec.ref, State.STOPPED)
        return spec.ref

    async def stop(self, ref: Ref, *, grace: float = 10.0) -> None:
        """End the kernel; the cells stay."""
        await super().stop(ref, grace=grace)
        await self.interrupt_all(ref)
        self.change(ref, state=State.STOPPED)

    async def stop_idle(self, ref: Ref, *, grace: float = 10.0) -> None:
        """See `Rests.stop_idle`."""
        if self._room(ref).working:
            raise ConflictError(f"{ref} is busy", hint="Wait until nothing runs in it.")
        await self.stop(ref, grace=grace)

    async def interrupt(self, ref: Ref) -> None:
        """End what runs and drop what waits."""
        await super().interrupt(ref)
        await self.interrupt_all(ref)

    async def interrupt_all(self, ref: Ref) -> None:
        """Cancel every execution of the room."""
        tasks = tuple(self._room(ref).working)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

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
        """Queue code that belongs to no cell."""
        text = only_text(ref, code, inside)
        await self._answer()
        self.live(ref)
        execution = self._execution(ref, text, cap, keep)
        self._queue(ref, [(execution, None)], timeout)
        return execution

    async def run_cells(
        self, ref: Ref, cell_ids: Sequence[str], *, timeout: float | None = None
    ) -> list[Execution]:
        """Queue these cells; an error drops the rest."""
        await self._answer()
        self.live(ref)
        room = self._room(ref)
        for cell_id in cell_ids:
            if room.document.get(cell_id).kind is not CellKind.CODE:
                raise UnsupportedError(ref, f"run it: Cannot execute non-code cell: {cell_id}")
        batch: Batch = [(self._execution(ref, ""), cell_id) for cell_id in cell_ids]
        room.executions.update({cell_id: ex for ex, cell_id in batch if cell_id})
        self._queue(ref, batch, timeout)
        return [execution for execution, _ in batch]

    async def edit(self, change: CellChange) -> str:
        """Change the document, or what it shows."""
        await self._answer()
        self.box(change.ref)
        room = self._room(change.ref)
        if isinstance(change, ClearOutputs):
            room.clear(change.cell_id and room.document.get(change.cell_id).id)
            return change.cell_id or ""
        if isinstance(change, AddCell) and not change.cell_id:
            change = msgspec.structs.replace(change, cell_id=f"cell-{next(self._ids)}")
        cell_id = apply(room.document, change)
        if not room.document.has(cell_id):
            room.executions.pop(cell_id, None)
        self._show(change.ref)
        return cell_id

    async def notebooks(self, ref: Ref) -> AsyncIterator[Notebook]:
        """The cells and their outputs, then again whenever they changed."""
        self.box(ref)
        room = self._room(ref)
        while True:
            notebook = room.notebook(ref)
            yield notebook
            while room.revision == notebook.revision:
                await room.changed.wait()

    def seats(self, ref: Ref) -> Seats:
        """Its document and who has it open."""
        self.box(ref)
        return self._room(ref).seats

    async def recall(self, ref: Ref, execution_id: str) -> Execution:
        """Any run that it ever had."""
        execution = self._room(ref).all.get(execution_id)
        if execution is None:
            raise NotFoundError(
                execution_id, message=f"no run of {ref} has the id {execution_id!r}"
            )
        return execution

    def reply(self, ref: Ref, execution_id: str, text: str) -> None:
        """The little language never asks."""
        del execution_id, text
        raise UnsupportedError(ref, "be answered")

    def _room(self, ref: Ref) -> _Room:
        if ref not in self._rooms:
            self._rooms[ref] = _Room()
        return self._rooms[ref]

    def _execution(
        self, ref: Ref, code: str, cap: int = OUTPUT_CAP, keep: Keep = "tail"
    ) -> Execution:
        return Execution(ref, code, cap=cap, keep=keep, on_cancel=lambda: self.interrupt(ref))

    def _queue(self, ref: Ref, batch: Batch, timeout: float | None) -> None:
        room = self._room(ref)
        room.waiting.extend(batch)
        room.all |= {execution.id: execution for execution, _ in batch}
        task = asyncio.create_task(self._work(ref, batch, timeout), name=f"run in {ref}")
        room.working.add(task)
        task.add_done_callback(room.working.discard)
        room.touch()
        self._show(ref)

    async def _work(self, ref: Ref, batch: Batch, timeout: float | None) -> None:
        room = self._room(ref)
        try:
            async with room.turn:
                for execution, cell_id in batch:
                    await self._run(ref, execution, cell_id, timeout)
                    if execution.result is not None and not execution.result.ok:
                        break
        finally:
            for execution, _ in batch:
                execution.finish(Outcome.CANCELLED, detail="dropped: an earlier one failed")
            room.waiting = [entry for entry in room.waiting if entry not in batch]
            for _, cell_id in batch:
                room.touch(cell_id)
            if ref in self._boxes and self._boxes[ref].state.is_live:
                self._show(ref, State.IDLE)

    async def _run(
        self, ref: Ref, execution: Execution, cell_id: str | None, timeout: float | None
    ) -> None:
        room = self._room(ref)
        if cell_id is not None:
            execution.code = room.document.get(cell_id).source
        execution.execution_count = next(room.count)
        self._show(ref, State.BUSY)
        running = asyncio.ensure_future(script.run(execution, timeout))
        watching = asyncio.create_task(self._watch(room, execution, cell_id))
        try:
            await running
        finally:
            watching.cancel()
            running.cancel()
            await asyncio.gather(watching, running, return_exceptions=True)
        self._tell(ref, execution)

    async def _watch(self, room: _Room, execution: Execution, cell_id: str | None) -> None:
        while execution.result is None:
            room.touch(cell_id)
            await execution.changed()

    def _tell(self, ref: Ref, execution: Execution) -> None:
        journal = self.journal(ref)
        journal.say(f"In [{execution.execution_count}]: {execution.code}")
        for output in execution.peek():
            if isinstance(output, Text):
                journal.say(output.text.rstrip("\n"), output.stream)

    def _show(self, ref: Ref, state: State | None = None) -> None:
        box, room = self.box(ref), self._room(ref)
        facts = RoomFacts(
            kernel=box.facts.kernel if isinstance(box.facts, RoomFacts) else "python",
            cells=len(room.document),
            queued=len(room.waiting),
            execution_count=max(
                (run.execution_count or 0 for run in room.executions.values()), default=0
            ),
        )
        self.change(ref, facts=facts, state=state or box.state)

    async def aclose(self) -> None:
        """End what runs."""
        for ref in tuple(self._rooms):
            await self.interrupt_all(ref)
            self._rooms[ref].document.close()

    def _facts(self, spec: Spec) -> RoomFacts:
        return RoomFacts(kernel=spec.kernel if isinstance(spec, RoomSpec) else "python")


def _run_of(execution: Execution) -> CellRun:
    result = execution.result
    return CellRun(
        execution_id=execution.id,
        status=execution.status,
        outcome=result.outcome if result else None,
        execution_count=execution.execution_count,
        outputs=execution.peek(),
        truncated=execution.truncated,
        started_at=execution.started_at,
        duration=result.duration if result else None,
    )
