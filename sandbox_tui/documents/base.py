"""What a document must do, whether it lives in memory or is shared between processes.

Cells have an order and an identity; a change is made by identity. Outputs are no part of it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Protocol

from sandbox_tui.model.cells import Cell, CellKind


class Cells(Protocol):
    """Ordered cells that can be read."""

    def cells(self) -> tuple[Cell, ...]:
        """Every cell, in order."""
        ...

    def get(self, cell_id: str) -> Cell:
        """The cell of that id. Raises `CellNotFoundError`."""
        ...

    def listen(self, changed: Callable[[], None]) -> None:
        """Call `changed` after every change, in the thread that made it."""
        ...


class Document(Cells, Protocol):
    """Ordered cells that can be changed. Every method raises `CellNotFoundError` for others."""

    def add(self, source: str, kind: CellKind = CellKind.CODE, index: int | None = None) -> str:
        """Add a cell at the end or at `index` (cut to what there is); answers with its id."""
        ...

    def edit(self, cell_id: str, source: str) -> None:
        """Give a cell another source."""
        ...

    def remove(self, cell_id: str) -> None:
        """Take a cell out."""
        ...


def new_cell_id() -> str:
    """An id that no other cell has, short enough for a notebook file."""
    return f"cell-{uuid.uuid4().hex[:16]}"
