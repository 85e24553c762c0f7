"""What the keys do to the cells of the notebook that is looked at: edit, run, add, move, delete.

The document is shared. Every change is an action that names its cell; what it does to the screen
comes back with the notebook, as everybody else's changes do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import singledispatchmethod
from typing import TYPE_CHECKING, NamedTuple

from sandbox_tui.documents.base import new_cell_id
from sandbox_tui.model.actions import (
    Action,
    AddCell,
    ClearOutputs,
    EditCell,
    MoveCell,
    RemoveCell,
    RunAll,
    RunCell,
)
from sandbox_tui.model.cells import Cell, CellKind
from sandbox_tui.model.errors import CellNotFoundError, SandboxError
from sandbox_tui.model.refs import Ref
from sandbox_tui.tui.desk import Notice
from sandbox_tui.tui.messages import Failed
from sandbox_tui.tui.widgets.cell_messages import CellLeft, CellLost, CellMessage, CellTyped, Left

if TYPE_CHECKING:
    from sandbox_tui.tui.screens.dashboard import Dashboard
    from sandbox_tui.tui.widgets.notebook_editor import NotebookEditor

KEPT = 100
"""How many deleted cells of one room can be had back."""


class Deleted(NamedTuple):
    """A cell that was taken out, and where it was."""

    cell: Cell
    place: int


class Editing:
    """Edits for the dashboard that it is given."""

    def __init__(self, dashboard: Dashboard) -> None:
        self._on = dashboard
        self._deleted: dict[Ref, list[Deleted]] = {}
        self._brought: tuple[EditCell, CellKind] | None = None
        """What the last editor made of a cell of that kind."""
        self._do: Mapping[str, Callable[[Ref], object]] = {
            "cell.edit": self._edit,
            "cell.editor": self._edit_elsewhere,
            "cell.advance": self._advance,
            "cell.run": self._run,
            "cell.run_all": lambda ref: self._perform(RunAll(ref=ref)),
            "cell.above": lambda ref: self._add(ref, 0),
            "cell.below": lambda ref: self._add(ref, 1),
            "cell.text": lambda ref: self._add(ref, 1, CellKind.MARKDOWN),
            "cell.up": lambda ref: self._move(ref, -1),
            "cell.down": lambda ref: self._move(ref, 1),
            "cell.delete": self._delete,
            "cell.undo": self._undo,
            "cell.clear": self._clear,
            "cell.clear_all": lambda ref: self._perform(ClearOutputs(ref=ref)),
        }

    def does(self, command_id: str, ref: Ref | None) -> bool:
        """Do it, if it is a command of this kind."""
        deed = self._do.get(command_id)
        if deed is None or ref is None:
            return False
        deed(ref)
        return True

    # What the notebook tells.

    @singledispatchmethod
    def heed(self, message: CellMessage) -> None:
        """Act on what was typed."""

    @heed.register
    def _(self, message: CellTyped) -> None:
        action = EditCell(ref=message.ref, cell_id=message.cell_id, source=message.source)
        self._on.bridge.perform(action, quiet=True)

    @heed.register
    def _(self, message: CellLeft) -> None:
        ref, cell_id = message.ref, message.cell_id
        if message.changed:
            self._perform(EditCell(ref=ref, cell_id=cell_id, source=message.source))
        if message.how is Left.RUN:
            self._run(ref)
        elif message.how is Left.ADVANCE:
            self._advance(ref)

    @heed.register
    def _(self, message: CellLost) -> None:
        cell = Cell("", CellKind.CODE, message.source)
        self._lost(message.ref, cell, "somebody deleted the cell you typed into")

    def failed(self, message: Failed) -> None:
        """Keep the words that came from an editor when their cell cannot have them."""
        edit, kind = self._brought or (None, CellKind.CODE)
        if edit is not None and message.action is edit:
            gone = isinstance(message.error, CellNotFoundError)
            why = "somebody deleted the cell you edited" if gone else "what you wrote is kept"
            self._lost(edit.ref, Cell("", kind, edit.source), why)

    # Cells.

    @property
    def _notebook(self) -> NotebookEditor:
        return self._on.viewer.panels.notebook

    @property
    def _cell(self) -> Cell | None:
        selected = self._notebook.selected_cell
        return selected.cell if selected is not None else None

    @property
    def _index(self) -> int:
        """Where the selected cell is; the end when there is none."""
        ids, selected = self._notebook.cell_ids, self._notebook.selected
        return ids.index(selected) if selected in ids else len(ids)

    def _edit(self, _: Ref) -> None:
        if (cell := self._cell) is not None:
            self._on.give_keys(self._notebook)
            self._notebook.edit(cell.id)
            self._on.refresh_cells()

    def _edit_elsewhere(self, ref: Ref) -> None:
        """In the person's own editor, which has the terminal meanwhile."""
        from sandbox_tui.tui.editor import edited

        if (cell := self._cell) is None:
            return
        try:
            source = edited(self._on.program, cell)
        except SandboxError as error:
            self._on.tell(Notice(f"{error.message}\n{error.hint}", "error"))
        else:
            if source != cell.source:
                edit = EditCell(ref=ref, cell_id=cell.id, source=source, base=cell.source)
                self._brought = edit, cell.kind
                self._perform(edit)

    def _run(self, ref: Ref) -> None:
        cell = self._cell
        if cell is not None and cell.kind is CellKind.CODE:
            self._perform(RunCell(ref=ref, cell_id=cell.id))

    def _advance(self, ref: Ref) -> None:
        """Run it and go on to the next; after the last one comes a new one."""
        self._run(ref)
        if self._index + 1 < len(self._notebook.cell_ids):
            self._notebook.move(1)
        else:
            self._add(ref, 1)

    def _add(self, ref: Ref, after: int, kind: CellKind = CellKind.CODE) -> None:
        self._insert(AddCell(ref=ref, kind=kind, index=self._index + after, cell_id=new_cell_id()))
        self._on.give_keys(self._notebook)

    def _insert(self, action: AddCell, *, edit: bool = True) -> None:
        self._perform(action)
        self._notebook.expect(action.cell_id, edit)

    def _move(self, ref: Ref, step: int) -> None:
        cell, index = self._cell, self._index + step
        if cell is not None and 0 <= index < len(self._notebook.cell_ids):
            self._perform(MoveCell(ref=ref, cell_id=cell.id, index=index))

    def _delete(self, ref: Ref) -> None:
        if (cell := self._cell) is not None:
            self._remember(ref, Deleted(cell, self._index))
            self._perform(RemoveCell(ref=ref, cell_id=cell.id))
            key = self._on.keymap.label("cell.undo")
            self._on.tell(Notice(f"deleted a cell · {key} brings it back"))

    def _undo(self, ref: Ref) -> None:
        """The cell that was deleted last, with its words; what it had said is gone."""
        deleted = self._deleted.get(ref)
        if not deleted:
            self._on.tell(Notice("no cell was deleted here"))
            return
        cell, place = deleted.pop()
        new_id = new_cell_id()
        action = AddCell(ref=ref, source=cell.source, kind=cell.kind, index=place, cell_id=new_id)
        self._insert(action, edit=False)

    def _clear(self, ref: Ref) -> None:
        if (cell := self._cell) is not None:
            self._perform(ClearOutputs(ref=ref, cell_id=cell.id))

    def _lost(self, ref: Ref, cell: Cell, why: str) -> None:
        self._remember(ref, Deleted(cell, len(self._notebook.cell_ids)))
        key = self._on.keymap.label("cell.undo")
        self._on.tell(Notice(f"{why}: {key} adds it", "warning"))

    def _remember(self, ref: Ref, deleted: Deleted) -> None:
        self._deleted[ref] = [*self._deleted.get(ref, []), deleted][-KEPT:]

    def _perform(self, action: Action) -> None:
        self._on.acting.perform(action)
