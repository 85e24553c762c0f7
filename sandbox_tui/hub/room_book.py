"""What a room has to read: its document, what its cells said, and who reads along.

All of it outlives the daemon: whatever changes is written down by the saver.
"""

from __future__ import annotations

from sandbox_tui.documents import records, room_log
from sandbox_tui.documents.editing import apply
from sandbox_tui.documents.ipynb import StoredNotebook
from sandbox_tui.documents.room_log import Changed, Ran, StoredRoom
from sandbox_tui.documents.seats import Seats
from sandbox_tui.documents.shared import SharedDocument
from sandbox_tui.hub.page import Page
from sandbox_tui.hub.saving import Saver
from sandbox_tui.model.actions import CellChange, ClearOutputs
from sandbox_tui.model.errors import ConflictError
from sandbox_tui.model.outputs import Outcome
from sandbox_tui.model.room import ExecutionBegan, ExecutionEnded
from sandbox_tui.runtime.execution import Execution


class RoomBook:
    """The document, page and seats of one room. Raises `UsageError` for a damaged history."""

    def __init__(self, stored: StoredRoom, saver: Saver) -> None:
        self.ref = stored.spec.ref
        self.document = _document(stored)
        self.page = Page(self.ref, self.document, stored.runs)
        self.seats = Seats(self.document, self.page)
        self._saver = saver
        self.page.on_run = self.seats.touch
        self.page.lose(stored.running)
        self.document.on_update(lambda update, _: self.log(Changed(update)))

    def edit(self, change: CellChange) -> str:
        """Change the document, or what it shows. Raises `CellNotFoundError`, `ConflictError`."""
        if not isinstance(change, ClearOutputs):
            return apply(self.document, change)
        cell_id = change.cell_id and self.document.get(change.cell_id).id
        for cleared in self.page.clear(cell_id):
            self.log(Ran(cleared, None))
        return cell_id or ""

    def fill(self, notebook: StoredNotebook) -> None:
        """Take in what a file holds. Raises `ConflictError` when there are cells already."""
        if len(self.document):
            hint = "Open the file as a room of another name."
            raise ConflictError(f"{self.ref} has cells already", hint=hint)
        self.document.fill(notebook)
        self.page.show(notebook.runs)
        for cell_id in notebook.runs:
            self.log(Ran(cell_id, self.page.stored_run(cell_id)))

    def begins(self, execution: Execution, cell_id: str | None) -> None:
        """It is its turn: a cell's source is read now. Raises `CellNotFoundError`."""
        self.seats.tell(ExecutionBegan(execution_id=execution.id, cell_id=cell_id))
        if cell_id is not None:
            execution.code = self.document.get(cell_id).source
            self.log(room_log.Began(cell_id, execution.id))

    def ends(self, execution: Execution, cell_id: str | None) -> None:
        """It has ended, or will not run any more."""
        self.seats.tell(
            ExecutionEnded(
                execution_id=execution.id,
                cell_id=cell_id,
                outcome=execution.finish(Outcome.CANCELLED).outcome,
                execution_count=execution.execution_count,
            )
        )
        self.page.touch(cell_id)
        if cell_id is not None:
            self.log(Ran(cell_id, self.page.stored_run(cell_id)))

    def log(self, entry: room_log.Entry) -> None:
        """Write it down."""
        self._saver.log(self.ref, entry)

    def record(self, execution: Execution, entry: records.Entry) -> None:
        """Write down what a run said."""
        self._saver.record(self.ref, execution.id, entry)

    def end(self) -> None:
        """The room is gone: readers finish."""
        self.page.end()
        self.seats.end()
        self.document.close()


def _document(stored: StoredRoom) -> SharedDocument:
    """The document as it was; one without a history gets its epoch now."""
    if stored.epoch:
        return SharedDocument.restored(stored.epoch, stored.updates)
    return SharedDocument.of(stored.notebook)
