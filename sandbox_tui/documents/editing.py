"""What an action asks for, done to a document."""

from __future__ import annotations

from sandbox_tui.documents.shared import SharedDocument
from sandbox_tui.model.actions import (
    AddCell,
    AppendSource,
    EditCell,
    MoveCell,
    RemoveCell,
    SetMetadata,
)

Edit = AddCell | EditCell | AppendSource | MoveCell | RemoveCell | SetMetadata


def apply(document: SharedDocument, edit: Edit) -> str:
    """The id of the cell it is about, or nothing. Raises `CellNotFoundError`, `ConflictError`."""
    match edit:
        case AddCell():
            return document.add(edit.source, edit.kind, edit.index, edit.cell_id)
        case EditCell():
            document.edit(edit.cell_id, edit.source, edit.base)
        case AppendSource():
            document.append(edit.cell_id, edit.text)
        case MoveCell():
            document.move(edit.cell_id, edit.index)
        case RemoveCell():
            document.remove(edit.cell_id)
        case SetMetadata():
            document.set_metadata(edit.key, edit.value)
            return ""
    return edit.cell_id
