"""A room's page: its cells, each with what its latest run said."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping

import msgspec

from sandbox_tui.backends.kernels.messages import Event, Updated
from sandbox_tui.documents.base import Document
from sandbox_tui.documents.ipynb import StoredRun
from sandbox_tui.hub.transcript import Transcript
from sandbox_tui.model.cells import CellRun, Notebook, NotebookCell
from sandbox_tui.model.outputs import Failure, Outcome, Text
from sandbox_tui.model.refs import Ref
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.runtime.pulse import Pulse

FRAME = 1 / 30
"""Shortest time between two notebooks for one reader, in seconds."""

LOST = "… the daemon ended while this ran: what it said after that is lost\n"


class Latest:
    """The latest run of one cell; lets go of the Execution, and its memory, when that is done."""

    def __init__(self, cell_id: str, record: CellRun, execution: Execution | None = None) -> None:
        self.cell_id = cell_id
        self.transcript = Transcript(record.outputs)
        self._record = record
        self._execution = execution
        self._shown: tuple[CellRun, int, CellRun] | None = None

    @property
    def record(self) -> CellRun:
        """How far it has come, without its outputs."""
        if self._execution is not None:
            self._record = _record(self._execution)
            if self._record.status == "done":
                self._execution = None
        return self._record

    def run(self) -> CellRun:
        """How far it has come; the same object while nothing changed."""
        record, transcript = self.record, self.transcript
        shown = self._shown
        if shown is None or shown[0] != record or shown[1] != transcript.version:
            run = msgspec.structs.replace(
                record,
                outputs=transcript.outputs,
                truncated=record.truncated or transcript.truncated,
            )
            self._shown = shown = (record, transcript.version, run)
        return shown[2]

    def forget_count(self) -> None:
        """The kernel counts anew: this number means nothing any more."""
        self._record = msgspec.structs.replace(self.record, execution_count=None)

    def lose(self) -> None:
        """Nobody heard how it went on."""
        self.transcript.hear(Text("stderr", LOST))
        self._record = msgspec.structs.replace(self._record, outcome=Outcome.DIED, truncated=True)


class Page:
    """The cells of one room and their latest runs, at a revision that grows with every change."""

    def __init__(
        self, ref: Ref, document: Document, stored: Mapping[str, StoredRun] | None = None
    ) -> None:
        self.ref = ref
        self.document = document
        self.revision = 0
        self.on_run: Callable[[str], None] = _nobody
        """Called with the id of a cell whose latest run went on, or is another one."""
        self._latest: dict[str, Latest] = {}
        self._by_execution: dict[str, Latest] = {}
        self._pulse = Pulse()
        self._ended = False
        document.listen(self._edited)
        self.show(stored or {})

    def queue(self, cell_id: str, execution: Execution) -> None:
        """From now on the cell shows this run."""
        old = self._latest.get(cell_id)
        if old is not None:
            self._by_execution.pop(old.record.execution_id, None)
        latest = Latest(cell_id, _record(execution), execution)
        self._latest[cell_id] = self._by_execution[execution.id] = latest
        self.touch(cell_id)

    def hear(self, execution: Execution | None, event: Event) -> None:
        """Something was said; an updated value may stand in any cell."""
        if isinstance(event, Updated):
            for cell_id, latest in self._latest.items():
                if latest.transcript.update(event.display):
                    self.touch(cell_id)
        elif execution is not None and execution.id in self._by_execution:
            latest = self._by_execution[execution.id]
            latest.transcript.hear(event)
            self.touch(latest.cell_id)

    def forget_counts(self) -> None:
        """A new kernel counts from one."""
        for cell_id, latest in self._latest.items():
            latest.forget_count()
            self.touch(cell_id)

    def show(self, runs: Mapping[str, StoredRun]) -> None:
        """What these cells said when somebody else ran them."""
        for cell_id, run in runs.items():
            if self.document.has(cell_id):
                self._latest[cell_id] = Latest(cell_id, _past(run))
                self.touch(cell_id)

    def lose(self, cell_ids: Iterable[str]) -> None:
        """These ran when the daemon before this one ended."""
        for cell_id in cell_ids:
            self._latest.setdefault(cell_id, Latest(cell_id, _past(StoredRun()))).lose()

    def clear(self, cell_id: str | None = None) -> list[str]:
        """Forget what a cell's ended run said, every cell's by default; answers with these."""
        ended = [
            cleared
            for cleared, latest in self._latest.items()
            if cell_id in (None, cleared) and latest.record.status == "done"
        ]
        for cleared in ended:
            self._forget(cleared)
            self.touch(cleared)
        return ended

    def runs(self) -> dict[str, CellRun]:
        """The latest run of every cell that has one."""
        return {cell_id: latest.run() for cell_id, latest in self._latest.items()}

    def run_of(self, cell_id: str) -> CellRun | None:
        """The latest run of that cell."""
        latest = self._latest.get(cell_id)
        return latest.run() if latest else None

    def notebook(self) -> Notebook:
        """The page as it is now."""
        cells = tuple(
            NotebookCell(cell, latest.run() if latest else None)
            for cell in self.document.cells()
            for latest in (self._latest.get(cell.id),)
        )
        return Notebook(self.ref, self.revision, cells)

    def stored(self) -> dict[str, StoredRun]:
        """What is kept of the latest runs."""
        return {cell_id: _kept(latest) for cell_id, latest in self._latest.items()}

    def stored_run(self, cell_id: str) -> StoredRun | None:
        """What is kept of the latest run of that cell."""
        latest = self._latest.get(cell_id)
        return _kept(latest) if latest else None

    def running(self) -> dict[str, str]:
        """The executions that run now, by cell id."""
        return {
            cell_id: latest.record.execution_id
            for cell_id, latest in self._latest.items()
            if latest.record.status == "running"
        }

    async def notebooks(self) -> AsyncIterator[Notebook]:
        """The page now and whenever it changed, at most 30 times a second; ends with the room."""
        while not self._ended:
            notebook = self.notebook()
            due = time.monotonic() + FRAME
            yield notebook
            while self.revision == notebook.revision and not self._ended:
                await self._pulse.wait()
            await asyncio.sleep(due - time.monotonic())

    def touch(self, cell_id: str | None = None) -> None:
        """Something changed: the run of that cell, or (`None`) anything else."""
        self.revision += 1
        self._pulse.fire()
        if cell_id is not None:
            self.on_run(cell_id)

    def end(self) -> None:
        """The room is gone: readers finish."""
        self._ended = True
        self._pulse.fire()

    def _edited(self) -> None:
        """The document changed; runs of cells that it has no more are forgotten."""
        present = {cell.id for cell in self.document.cells()}
        for cell_id in self._latest.keys() - present:
            self._forget(cell_id)
        self.touch()

    def _forget(self, cell_id: str) -> None:
        gone = self._latest.pop(cell_id)
        self._by_execution.pop(gone.record.execution_id, None)


def _nobody(cell_id: str) -> None:
    """Nobody listens yet."""
    del cell_id


def _record(execution: Execution) -> CellRun:
    result = execution.result
    return CellRun(
        execution_id=execution.id,
        status=execution.status,
        outcome=result.outcome if result else None,
        execution_count=execution.execution_count,
        started_at=execution.started_at,
        duration=result.duration if result else None,
    )


def _kept(latest: Latest) -> StoredRun:
    return StoredRun(latest.record.execution_count, latest.transcript.outputs)


def _past(run: StoredRun) -> CellRun:
    """A run of an earlier daemon, read from the room's file."""
    failed = any(isinstance(output, Failure) for output in run.outputs)
    return CellRun(
        execution_id="",
        status="done",
        outcome=Outcome.ERROR if failed else Outcome.OK,
        execution_count=run.execution_count,
        outputs=run.outputs,
    )
