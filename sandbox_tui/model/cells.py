"""The cells of a room's document, and a room's document with the outputs of its executions."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from sandbox_tui.model.outputs import Outcome, Output
from sandbox_tui.model.refs import Ref


class CellKind(StrEnum):
    """What a cell holds; only code runs."""

    CODE = "code"
    MARKDOWN = "markdown"
    RAW = "raw"


class Cell(msgspec.Struct, frozen=True):
    """One cell of a document. Outputs belong to executions, not to cells."""

    id: str
    kind: CellKind
    source: str


class CellRun(msgspec.Struct, frozen=True, kw_only=True):
    """The latest execution of a cell, as far as it has come."""

    execution_id: str
    status: str
    """`queued`, `running` or `done`."""
    outcome: Outcome | None = None
    execution_count: int | None = None
    outputs: tuple[Output, ...] = ()
    truncated: bool = False
    started_at: float | None = None
    duration: float | None = None


class NotebookCell(msgspec.Struct, frozen=True):
    """A cell and its latest execution, as a person sees them."""

    cell: Cell
    run: CellRun | None = None


class Notebook(msgspec.Struct, frozen=True):
    """A room as a person sees it, at one revision."""

    ref: Ref
    revision: int
    cells: tuple[NotebookCell, ...] = ()
