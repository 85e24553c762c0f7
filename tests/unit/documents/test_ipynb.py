"""Notebook files: what is written is read back, and is what nbformat calls a notebook."""

from __future__ import annotations

import json
from typing import cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox_tui.documents.ipynb import (
    BrokenNotebookError,
    StoredNotebook,
    StoredRun,
    decode,
    encode,
)
from sandbox_tui.documents.shared import SharedDocument
from sandbox_tui.model.cells import Cell, CellKind
from sandbox_tui.model.outputs import Display, Failure, Output, Text

nbformat = pytest.importorskip("nbformat")

text = st.text(st.characters(codec="utf-8"))
counts = st.none() | st.integers(0, 10_000)
plain_json = st.dictionaries(text, st.none() | st.booleans() | text, max_size=3)
bundles = st.fixed_dictionaries(
    {"text/plain": text},
    optional={"text/html": text, "application/json": plain_json, "image/png": st.just("aGk=")},
)
outputs: st.SearchStrategy[Output] = st.one_of(
    st.builds(Text, st.sampled_from(["stdout", "stderr"]), text),
    st.builds(Display, bundles, st.just({}), counts),
    st.builds(Failure, text, text, st.lists(text, max_size=3).map(tuple)),
)


@st.composite
def notebooks(draw: st.DrawFn) -> StoredNotebook:
    kinds = draw(st.lists(st.sampled_from(CellKind), max_size=4))
    cells = tuple(Cell(f"cell-{n}", kind, draw(text)) for n, kind in enumerate(kinds))
    runs = {
        cell.id: StoredRun(draw(st.integers(1, 99)), tuple(draw(st.lists(outputs, max_size=3))))
        for cell in cells
        if cell.kind is CellKind.CODE and draw(st.booleans())
    }
    return StoredNotebook(cells, runs, {"kernelspec": {"name": "python", "display_name": "P"}})


@given(notebooks())
def test_what_is_written_is_read_back(notebook: StoredNotebook) -> None:
    assert decode(encode(notebook)) == notebook


@given(notebooks())
def test_nbformat_takes_it(notebook: StoredNotebook) -> None:
    read = nbformat.reads(encode(notebook).decode(), as_version=4)
    nbformat.validate(read)
    assert [cell.source for cell in read.cells] == [cell.source for cell in notebook.cells]


def file(**cell: object) -> bytes:
    return json.dumps(
        {"nbformat": 4, "nbformat_minor": 2, "metadata": {}, "cells": [cell]}
    ).encode()


def test_old_cells_get_ids_and_doubled_ones_are_parted() -> None:
    cell = {"cell_type": "code", "source": ["a\n", "b"], "metadata": {}, "outputs": []}
    whole = {"nbformat": 4, "nbformat_minor": 2, "cells": [cell, {**cell, "id": "x"}] * 2}
    cells = decode(json.dumps(whole).encode()).cells
    assert len({cell.id for cell in cells}) == 4
    assert cells[1].id == "x"
    assert {cell.source for cell in cells} == {"a\nb"}


def test_values_written_as_lines_are_one_text() -> None:
    data = {"text/html": ["<b>\n", "</b>"], "application/json": ["a", "b"]}
    said = {"output_type": "display_data", "data": data, "metadata": {}}
    notebook = decode(file(cell_type="code", source="", id="a", outputs=[said]))
    wanted = {"text/html": "<b>\n</b>", "application/json": ["a", "b"]}
    assert notebook.runs["a"].outputs == (Display(wanted),)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "line 1: "),
        (b"{\n\xff\xfe", "line 2: it is not UTF-8"),
        (b'{"nbformat": 4,\n "cells": [', "line 2: "),
        (b"[]", "object"),
        (b"[" * 100_000, "nested|line"),
        (b'{"nbformat": 3, "nbformat_minor": 0}', "nbformat 3"),
        (file(cell_type="poem", source=""), "poem"),
        (file(cell_type="code", source=7), r"cells\[0\]\.source"),
        (json.dumps(json.loads(file(cell_type="code", source=7)), indent=1).encode(), "line 8: "),
    ],
)
def test_a_broken_file_says_where(data: bytes, reason: str) -> None:
    with pytest.raises(BrokenNotebookError, match=reason):
        decode(data)


def test_half_a_character_does_not_prevent_saving() -> None:
    notebook = StoredNotebook((Cell("a", CellKind.CODE, "x\ud800"),))
    assert decode(encode(notebook)).cells[0].source == "x?"


attachments = {"plot.png": {"image/png": "aGk="}}
OLD: dict[str, object] = {
    "nbformat": 4,
    "nbformat_minor": 0,
    "metadata": {
        "kernelspec": {"name": "ir", "display_name": "R"},
        "mine": {"n": 10**30, "f": 1.0},
    },
    "vendor": ["x"],
    "cells": [
        {"cell_type": "markdown", "metadata": {}, "source": "# T", "attachments": attachments},
        {"cell_type": "raw", "metadata": {"format": "text/latex"}, "source": ["a\n", "b"]},
        {
            "cell_type": "code",
            "metadata": {"collapsed": True, "tags": ["x"]},
            "source": "1",
            "execution_count": 3,
            "vendor": {"deep": [None]},
            "outputs": [
                {"output_type": "stream", "name": "stderr", "text": "s"},
                {
                    "output_type": "display_data",
                    "data": {"image/png": "aGk="},
                    "metadata": {"w": 1},
                },
            ],
        },
    ],
}


@pytest.mark.parametrize("minor", range(6))
def test_nothing_of_a_file_is_lost_on_the_way_through_a_document(minor: int) -> None:
    cells = [
        {**cell, "id": f"given-{n}"} if minor == 5 else cell
        for n, cell in enumerate(cast("list[dict[str, object]]", OLD["cells"]))
    ]
    before = nbformat.reads(
        json.dumps({**OLD, "nbformat_minor": minor, "cells": cells}), as_version=4
    )
    read = decode(json.dumps({**OLD, "nbformat_minor": minor, "cells": cells}).encode())
    through = msgspec.structs.replace(SharedDocument.of(read).notebook(), runs=read.runs)
    after = nbformat.reads(encode(through).decode(), as_version=4)
    nbformat.validate(
        {key: value for key, value in after.items() if key != "vendor"}
        | {"cells": [{k: v for k, v in cell.items() if k != "vendor"} for cell in after.cells]}
    )
    assert after.metadata == before.metadata
    assert after.vendor == ["x"]
    for old, new in zip(before.cells, after.cells, strict=True):
        assert {**old, "id": new.id} == new
    if minor == 5:
        assert [cell.id for cell in after.cells] == ["given-0", "given-1", "given-2"]
