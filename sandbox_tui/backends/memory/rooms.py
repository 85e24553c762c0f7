"""Rooms of the memory backend: real documents, pretended kernels."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence

import msgspec

from sandbox_tui.backends.memory import script
from sandbox_tui.backends.memory.base import MemoryBackend
from sandbox_tui.model.actions import AddCell, EditCell, RemoveCell
from sandbox_tui.model.cells import Cell, CellKind, CellRun, Notebook, NotebookCell
from sandbox_tui.model.errors import CellNotFoundError, UnsupportedError
from sandbox_tui.model.outputs import Outcome, Text
from sandbox_tui.model.refs import Kind, Place, Ref
from sandbox_tui.model.specs import RoomSpec, Spec
from sandbox_tui.model.world import RoomFacts, State
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.runtime.pulse import Pulse

Batch = list[tuple[Execution, str | None]]
"""Executions of one call, each with the cell it runs, if it runs one."""


class _Room:
    """One room: cells in order, the last execution of each, and who waits."""

    def __init__(self) -> None:
        self.cells: list[Cell] = []
        self.runs: dict[str, Execution] = {}
        self.turn = asyncio.Lock()
        self.count = itertools.count(1)
        self.changed = Pulse()
        self.revision = 0
        self.waiting: Batch = []
        self.working: set[asyncio.Task[None]] = set()

    def find(self, cell_id: str) -> int:
        for index, cell in enumerate(self.cells):
            if cell.id == cell_id:
                return index
        raise CellNotFoundError(cell_id)

    def touch(self) -> None:
        self.revision += 1
        self.changed.fire()

    def notebook(self, ref: Ref) -> Notebook:
        cells = tuple(NotebookCell(cell, _run_of(self.runs.get(cell.id))) for cell in self.cells)
        return Notebook(ref, self.revision, cells)


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

    async def stop(self, ref: Ref, *, grace: float = 10.0) -> None:
        """End the kernel; the cells stay."""
        await super().stop(ref, grace=grace)
        await self.interrupt_all(ref)
        self.change(ref, state=State.STOPPED)

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

    async def execute(self, ref: Ref, code: str, *, timeout: float | None = None) -> Execution:
        """Queue code that belongs to no cell."""
        await self._answer()
        self.live(ref)
        execution = self._execution(ref, code)
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
            if room.cells[room.find(cell_id)].kind is not CellKind.CODE:
                raise UnsupportedError(ref, f"run it: Cannot execute non-code cell: {cell_id}")
        batch: Batch = [(self._execution(ref, ""), cell_id) for cell_id in cell_ids]
        room.runs.update({cell_id: ex for ex, cell_id in batch if cell_id})
        self._queue(ref, batch, timeout)
        return [execution for execution, _ in batch]

    async def edit(self, change: AddCell | EditCell | RemoveCell) -> str:
        """Change the document."""
        await self._answer()
        self.box(change.ref)
        room = self._room(change.ref)
        match change:
            case AddCell():
                cell = Cell(f"cell-{next(self._ids)}", change.kind, change.source)
                index = len(room.cells) if change.index is None else change.index
                room.cells.insert(index, cell)
            case EditCell():
                index = room.find(change.cell_id)
                cell = msgspec.structs.replace(room.cells[index], source=change.source)
                room.cells[index] = cell
            case RemoveCell():
                cell = room.cells.pop(room.find(change.cell_id))
                room.runs.pop(cell.id, None)
        room.touch()
        self._show(change.ref)
        return cell.id

    async def notebooks(self, ref: Ref) -> AsyncIterator[Notebook]:
        """The cells and their outputs, then again whenever they changed."""
        self.box(ref)
        room = self._room(ref)
        while True:
            notebook = room.notebook(ref)
            yield notebook
            while room.revision == notebook.revision:
                await room.changed.wait()

    def _room(self, ref: Ref) -> _Room:
        return self._rooms.setdefault(ref, _Room())

    def _execution(self, ref: Ref, code: str) -> Execution:
        return Execution(ref, code, on_cancel=lambda: self.interrupt(ref))

    def _queue(self, ref: Ref, batch: Batch, timeout: float | None) -> None:
        room = self._room(ref)
        room.waiting.extend(batch)
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
            room.touch()
            if ref in self._boxes and self._boxes[ref].state.is_live:
                self._show(ref, State.IDLE)

    async def _run(
        self, ref: Ref, execution: Execution, cell_id: str | None, timeout: float | None
    ) -> None:
        room = self._room(ref)
        if cell_id is not None:
            execution.code = room.cells[room.find(cell_id)].source
        execution.execution_count = next(room.count)
        self._show(ref, State.BUSY)
        running = asyncio.ensure_future(script.run(execution, timeout))
        watching = asyncio.create_task(self._watch(room, execution))
        try:
            await running
        finally:
            watching.cancel()
            running.cancel()
            await asyncio.gather(watching, running, return_exceptions=True)
        self._tell(ref, execution)

    async def _watch(self, room: _Room, execution: Execution) -> None:
        while execution.result is None:
            room.touch()
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
            cells=len(room.cells),
            queued=len(room.waiting),
            execution_count=max(
                (run.execution_count or 0 for run in room.runs.values()), default=0
            ),
        )
        self.change(ref, facts=facts, state=state or box.state)

    async def aclose(self) -> None:
        """End what runs."""
        for ref in tuple(self._rooms):
            await self.interrupt_all(ref)

    def _facts(self, spec: Spec) -> RoomFacts:
        return RoomFacts(kernel=spec.kernel if isinstance(spec, RoomSpec) else "python")


def _run_of(execution: Execution | None) -> CellRun | None:
    if execution is None:
        return None
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
