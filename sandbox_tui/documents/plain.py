"""A document in the memory of one process."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sandbox_tui.documents.base import new_cell_id
from sandbox_tui.model.cells import Cell, CellKind
from sandbox_tui.model.errors import CellNotFoundError


class PlainDocument:
    """Cells by id in one list; see `documents.base.Document`."""

    def __init__(self, cells: Iterable[Cell] = ()) -> None:
        self._cells = list(cells)
        self._listeners: list[Callable[[], None]] = []

    def cells(self) -> tuple[Cell, ...]:
        """Every cell, in order."""
        return tuple(self._cells)

    def get(self, cell_id: str) -> Cell:
        """The cell of that id. Raises `CellNotFoundError`."""
        return self._cells[self._place(cell_id)]

    def listen(self, changed: Callable[[], None]) -> None:
        """Call `changed` after every change."""
        self._listeners.append(changed)

    def add(self, source: str, kind: CellKind = CellKind.CODE, index: int | None = None) -> str:
        """Add a cell at the end or at `index` (cut to what there is); answers with its id."""
        cell = Cell(new_cell_id(), kind, source)
        place = len(self._cells) if index is None else max(0, index)
        self._cells.insert(place, cell)
        self._tell()
        return cell.id

    def edit(self, cell_id: str, source: str) -> None:
        """Give a cell another source. Raises `CellNotFoundError`."""
        place = self._place(cell_id)
        old = self._cells[place]
        if old.source != source:
            self._cells[place] = Cell(old.id, old.kind, source)
            self._tell()

    def remove(self, cell_id: str) -> None:
        """Take a cell out. Raises `CellNotFoundError`."""
        del self._cells[self._place(cell_id)]
        self._tell()

    def _place(self, cell_id: str) -> int:
        for place, cell in enumerate(self._cells):
            if cell.id == cell_id:
                return place
        raise CellNotFoundError(cell_id)

    def _tell(self) -> None:
        for changed in self._listeners:
            changed()
