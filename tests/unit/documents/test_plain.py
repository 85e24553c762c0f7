"""Documents: a list of cells that is changed by identity."""

from __future__ import annotations

import re

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from sandbox_tui.documents.base import Document
from sandbox_tui.documents.plain import PlainDocument
from sandbox_tui.model.cells import Cell, CellKind
from sandbox_tui.model.errors import CellNotFoundError


class DocumentMachine(RuleBasedStateMachine):
    """Any order of changes leaves what a plain list of the same changes has."""

    ids = Bundle("ids")

    def __init__(self) -> None:
        super().__init__()
        self.document: Document = PlainDocument()
        self.model: list[Cell] = []
        self.told = 0
        self.changes = 0
        self.document.listen(self.hear)

    def hear(self) -> None:
        self.told += 1

    @rule(
        target=ids,
        source=st.text(),
        kind=st.sampled_from(CellKind),
        index=st.none() | st.integers(-3, 10),
    )
    def add(self, source: str, kind: CellKind, index: int | None) -> str:
        cell_id = self.document.add(source, kind, index)
        assert re.fullmatch(r"cell-[0-9a-f]+", cell_id)
        place = len(self.model) if index is None else max(index, 0)
        self.model.insert(place, Cell(cell_id, kind, source))
        self.changes += 1
        return cell_id

    @rule(cell_id=ids, source=st.text())
    def edit(self, cell_id: str, source: str) -> None:
        place = self.place(cell_id)
        if place is None:
            with pytest.raises(CellNotFoundError):
                self.document.edit(cell_id, source)
            return
        self.document.edit(cell_id, source)
        old = self.model[place]
        self.changes += old.source != source
        self.model[place] = Cell(old.id, old.kind, source)

    @rule(cell_id=ids)
    def remove(self, cell_id: str) -> None:
        place = self.place(cell_id)
        if place is None:
            with pytest.raises(CellNotFoundError):
                self.document.remove(cell_id)
            return
        self.document.remove(cell_id)
        del self.model[place]
        self.changes += 1

    def place(self, cell_id: str) -> int | None:
        ids = [cell.id for cell in self.model]
        return ids.index(cell_id) if cell_id in ids else None

    @invariant()
    def same(self) -> None:
        assert self.document.cells() == tuple(self.model)
        assert [self.document.get(cell.id) for cell in self.model] == self.model
        assert self.told == self.changes


TestDocument = DocumentMachine.TestCase


def test_a_cell_that_is_not_there_is_named() -> None:
    with pytest.raises(CellNotFoundError, match="Cell not found: cell-none"):
        PlainDocument().get("cell-none")


def test_it_begins_with_the_cells_it_is_given() -> None:
    cells = (Cell("cell-1", CellKind.CODE, "1"), Cell("cell-2", CellKind.RAW, ""))
    assert PlainDocument(cells).cells() == cells
