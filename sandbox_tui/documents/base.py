"""What a document must do; `documents.shared` has the one there is.

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

    def has(self, cell_id: str) -> bool:
        """Whether there is a cell of that id."""
        ...

    def listen(self, changed: Callable[[], None]) -> None:
        """Call `changed` after every change, in the thread that made it."""
        ...


class Document(Cells, Protocol):
    """Ordered cells that can be changed. Every method raises `CellNotFoundError` for others."""

    def add(
        self,
        source: str,
        kind: CellKind = CellKind.CODE,
        index: int | None = None,
        cell_id: str = "",
    ) -> str:
        """Add a cell at the end or at `index` (cut to what there is); answers with its id.

        Raises `ConflictError` when another cell has that id.
        """
        ...

    def edit(self, cell_id: str, source: str, base: str | None = None) -> None:
        """Give a cell another source; what changed since it was `base` is kept."""
        ...

    def append(self, cell_id: str, text: str) -> None:
        """Put text at the end of a cell's source."""
        ...

    def move(self, cell_id: str, index: int) -> None:
        """Put a cell at another place, counted from 0 (cut to what there is)."""
        ...

    def remove(self, cell_id: str) -> None:
        """Take a cell out."""
        ...


def new_cell_id() -> str:
    """An id that no other cell has, short enough for a notebook file."""
    return f"cell-{uuid.uuid4().hex[:16]}"
