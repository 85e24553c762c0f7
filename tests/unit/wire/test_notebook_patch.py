"""A notebook told in pieces is the notebook."""

from __future__ import annotations

from collections.abc import AsyncIterator

from hypothesis import given
from hypothesis import strategies as st

from sandbox_tui.api.notebook_patch import difference, patched, patches
from sandbox_tui.api.requests import NotebookPatch
from sandbox_tui.model.cells import Cell, CellKind, CellRun, Notebook, NotebookCell
from sandbox_tui.model.codec import from_msgpack, to_msgpack
from sandbox_tui.model.outputs import Display, Text
from sandbox_tui.model.refs import Ref

REF = Ref("room:lab")

words = st.sampled_from(["", "a", "é\n"])
said = st.sampled_from([Text("stdout", "a\n"), Text("stderr", "b"), Display({"text/plain": "1"})])
runs = st.builds(
    CellRun,
    execution_id=words,
    status=st.sampled_from(["queued", "running", "done"]),
    outputs=st.lists(said, max_size=3).map(tuple),
)
entries = st.builds(
    NotebookCell,
    st.builds(Cell, st.sampled_from("abcd"), st.sampled_from(CellKind), words),
    st.none() | runs,
)
cells = st.lists(entries, max_size=4, unique_by=lambda entry: entry.cell.id).map(tuple)
notebooks = st.builds(Notebook, st.just(REF), st.integers(0, 9), cells)


@given(st.lists(notebooks, min_size=1, max_size=5))
def test_any_sequence_arrives(sequence: list[Notebook]) -> None:
    there: Notebook | None = None
    here: Notebook | None = None
    for notebook in sequence:
        patch = from_msgpack(to_msgpack(difference(there, notebook)), NotebookPatch)
        here, there = patched(REF, here, patch), notebook
        assert here == notebook


def test_only_what_changed_travels() -> None:
    cells = tuple(NotebookCell(Cell(str(n), CellKind.CODE, "x" * 1000)) for n in range(50))
    changed = NotebookCell(Cell("7", CellKind.CODE, "y"))
    before = Notebook(REF, 1, cells)
    after = Notebook(REF, 2, (*cells[:7], changed, *cells[8:]))

    assert difference(before, after).changed == (changed,)
    assert difference(before, Notebook(REF, 3, cells[::-1])).changed == ()


async def test_patches_begin_with_everything() -> None:
    async def source() -> AsyncIterator[Notebook]:
        yield Notebook(REF, 1, (NotebookCell(Cell("a", CellKind.CODE, "1")),))
        yield Notebook(REF, 2, ())

    first, second = [patch async for patch in patches(source())]
    assert len(first.changed) == 1
    assert second == NotebookPatch(2, (), ())
