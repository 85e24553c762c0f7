"""A notebook whose cells can be typed into, in place.

One field stands over the source of one cell; the rows under it are kept free, so that everything
else goes on to arrive, to move and to be painted as in a notebook that is only looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from textual.timer import Timer

from sandbox_tui.model.cells import Notebook, NotebookCell
from sandbox_tui.model.refs import Ref
from sandbox_tui.tui.widgets.cell_block import BlockLine
from sandbox_tui.tui.widgets.cell_messages import CellLeft, CellLost, CellTyped, Left
from sandbox_tui.tui.widgets.cells import GUTTER, CellRow, NotebookView

if TYPE_CHECKING:
    from textual import events
    from textual.widgets import TextArea

    from sandbox_tui.tui.widgets.cell_editor import CellEditor

ENDS: Mapping[str, Left] = {"escape": Left.NOTHING}

PAUSE = 0.2
"""Seconds without a key after which what was typed is told to everybody."""


class NotebookEditor(NotebookView):
    """See the module."""

    DEFAULT_CSS = "NotebookEditor { overflow: hidden; }"

    def __init__(
        self, placeholder: str = "", ends: Mapping[str, Left] = ENDS, *, id: str | None = None
    ) -> None:
        """`ends` has the keys that leave a cell that is typed into."""
        super().__init__(placeholder, id=id)
        self._ends = ends
        self._ref: Ref | None = None
        self._editor: CellEditor | None = None
        self._editing: str | None = None
        self._began_with = ""
        self._taken = 1
        self._awaited: tuple[str, bool] | None = None
        self._pause: Timer | None = None

    # Values in.

    def show(self, notebook: Notebook | None) -> None:
        """Show another revision; the cell that is typed into takes what others did to it."""
        if notebook is None:
            self.leave()
            self._awaited = None
        super().show(notebook)
        self._ref = notebook.ref if notebook is not None else None
        if self._editing is not None and self._editor is not None:
            self._hear(self._editor)
        if self._awaited is not None:
            self.expect(*self._awaited)

    def expect(self, cell_id: str, edit: bool = False) -> None:
        """Select a cell, now or as soon as it is there, and type into it with `edit`."""
        self._awaited = (cell_id, edit)
        if self.select(cell_id):
            self._awaited = None
            if edit:
                self.edit(cell_id)

    @property
    def caption(self) -> str:
        """Where one is in it and what is still to run, in a few words."""
        ids = self.cell_ids
        at = ids.index(self.selected) + 1 if self.selected in ids else 0
        queued = sum(cell.run is not None and cell.run.status == "queued" for cell in self._cells)
        parts = (
            f"cell {at} of {len(ids)}" if at else "",
            f"{queued} queued" if queued else "",
            "editing" if self._editing else "",
        )
        return " · ".join(filter(None, parts))

    # Typing.

    @property
    def editing(self) -> str | None:
        """The id of the cell that is typed into."""
        return self._editing

    def edit(self, cell_id: str) -> None:
        """Open the field over the source of a cell."""
        if not self.select(cell_id) or self.selected_cell is None:
            return
        self.leave()
        source, editor = self.selected_cell.cell.source, self._field()
        self._editing, self._began_with = cell_id, source
        editor.display = True
        editor.begin(source)
        editor.focus()
        self._fit()

    def leave(self, how: Left = Left.NOTHING) -> None:
        """Close the field; what stands in it is the cell's source."""
        cell_id, editor = self._editing, self._editor
        if self._ref is not None and cell_id is not None and editor is not None:
            source = editor.text
            self._close(editor)
            changed = source != self._began_with
            self.post_message(CellLeft(self._ref, cell_id, source, how, changed))

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Make room for the text, and tell it when the fingers rest."""
        event.stop()
        if self._editing is not None:
            self._fit()
            if self._pause is not None:
                self._pause.stop()
            self._pause = self.set_timer(PAUSE, self._tell)

    def on_text_area_selection_changed(self, event: TextArea.SelectionChanged) -> None:
        """Keep the cursor in view."""
        event.stop()
        self._reveal_cursor()

    def on_cell_editor_ended(self, event: CellEditor.Ended) -> None:
        """Escape, or a key that runs."""
        event.stop()
        self.leave(event.how)

    def on_click(self, event: events.Click) -> None:
        """A click beside the field leaves it."""
        del event
        self.leave()

    # How it is laid out.

    def sync(self) -> None:
        """Repaint what differs, and put the field where its cell is."""
        super().sync()
        self._place()

    def _source_rows(self, cell: NotebookCell) -> Sequence[CellRow]:
        if self._editing != cell.cell.id:
            return super()._source_rows(cell)
        return [CellRow(BlockLine("", "cells--source"))] * self._taken

    def _field(self) -> CellEditor:
        if self._editor is None:
            from sandbox_tui.tui.widgets.cell_editor import CellEditor

            self._editor = CellEditor(self._ends)
            self.mount(self._editor)
        return self._editor

    def _fit(self) -> None:
        """As many rows as the text takes."""
        if self._editor is not None and self._editing is not None:
            self._taken = self._editor.rows
            self._blocks.pop(self._editing, None)
            self._lay_out()
            self._reveal_cursor()

    def _place(self) -> None:
        editor = self._editor
        if editor is None or self._editing not in self._blocks:
            return
        top = self._starts[self._index(self._editing)] + 1 - self._top
        editor.styles.offset = (GUTTER, top)
        editor.styles.width = max(1, self.columns - GUTTER)
        editor.styles.height = self._taken

    def _reveal_cursor(self) -> None:
        """Scroll as little as shows the row of the cursor, and the title above the first one."""
        editor = self._editor
        if editor is not None and self._editing in self._blocks:
            row = self._starts[self._index(self._editing)] + 1 + editor.cursor_row
            above = row - (editor.cursor_row == 0)
            self._top = min(max(self._top, row + 1 - self.size.height), above)
            self.sync()

    def _tell(self) -> None:
        editor, cell_id = self._editor, self._editing
        source = editor.unsent() if editor is not None and cell_id is not None else None
        if self._ref is not None and source is not None and cell_id is not None:
            self.post_message(CellTyped(self._ref, cell_id, source))

    def _hear(self, editor: CellEditor) -> None:
        """Take what others did to the cell that is typed into."""
        cell = next((cell for cell in self._cells if cell.cell.id == self._editing), None)
        if cell is not None:
            editor.hear(cell.cell.source)
        elif self._ref is not None:
            self.post_message(CellLost(self._ref, editor.text))
            self._close(editor)

    def _close(self, editor: CellEditor) -> None:
        if self._pause is not None:
            self._pause.stop()
        had_keys = editor.has_focus
        if self._editing is not None:
            self._blocks.pop(self._editing, None)
        self._editing = None
        editor.display = False
        self._lay_out()
        self.sync()
        if had_keys:
            self.screen.set_focus(self)
