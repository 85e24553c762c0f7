"""Cells and facts become lines of text."""

from __future__ import annotations

import base64

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from sandbox_tui.model.cells import Cell, CellKind, CellRun, NotebookCell
from sandbox_tui.model.outputs import Display, Failure, Outcome, Output, Text
from sandbox_tui.tui.widgets import cell_block
from sandbox_tui.tui.widgets.ansi import plain
from sandbox_tui.tui.widgets.cell_block import BlockLine, title
from sandbox_tui.tui.widgets.facts import lines_of


def cell(*outputs: Output, **run: object) -> NotebookCell:
    values: dict[str, object] = {"execution_id": "e", "status": "done", "outputs": outputs, **run}
    return NotebookCell(Cell("c", CellKind.CODE, ""), msgspec.convert(values, CellRun))


def body(cell: NotebookCell) -> list[BlockLine]:
    return [*cell_block.source(cell.cell), *cell_block.said(cell)]


def said(*outputs: Output, **run: object) -> list[str]:
    return [plain(line.text) for line in body(cell(*outputs, **run))[1:]]


def test_titles_tell_the_state_and_the_time() -> None:
    code = Cell("c", CellKind.CODE, "1")
    assert title(NotebookCell(code), 0).text == "In[ ]"
    assert title(NotebookCell(Cell("m", CellKind.MARKDOWN, "# x")), 0).text == "markdown"
    assert title(cell(status="queued"), 0).text == "In[*] ◌ queued"
    assert title(cell(status="running", started_at=10.0), 51.5).text == "In[*] ● running 41s"
    done = cell(outcome=Outcome.OK, execution_count=12, duration=0.84)
    assert title(done, 0).text == "In[12] ● done 0.8s"
    dropped = cell(outcome=Outcome.CANCELLED, duration=0.3)
    assert title(dropped, 0).text == "In[ ] ✕ did not run"
    assert title(cell(outcome=Outcome.DIED, execution_count=3), 0).text == "In[3] ✕ kernel died"


def test_pieces_of_a_stream_are_joined_and_streams_told_apart() -> None:
    lines = body(cell(Text("stdout", "a"), Text("stdout", "b\nc\n"), Text("stderr", "oh\n")))
    assert [(line.text, line.look) for line in lines[1:]] == [
        ("ab", ""),
        ("c", ""),
        ("oh", "cells--stderr"),
    ]


def test_values_have_their_prompt() -> None:
    frame = "   a\n0  1"
    assert said(Display({"text/plain": frame}, execution_count=7)) == [
        "Out[7]:    a",
        "        0  1",
    ]
    assert said(Display({"text/plain": ["x", "y"]})) == ["xy"]
    assert said(Display({"image/png": "…", "text/html": "<b>"})) == ["<image/png 0B, text/html 3B>"]


def test_a_picture_has_its_size_in_place_of_its_plain_text() -> None:
    png = base64.b64encode(
        b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + b"\0\0\2\x80\0\0\1\xe0" * 2
    ).decode()
    figure = {"text/plain": "<Figure size 640x480>", "image/png": f"{png[:20]}\n{png[20:]}"}
    assert said(Display(figure, execution_count=2)) == ["Out[2]: <image/png 640×480 33B>"]
    gif = base64.b64encode(b"GIF89a\x10\0\x20\0" + b"\0" * 5).decode()
    assert said(Display({"image/gif": gif})) == ["<image/gif 16×32 15B>"]
    app0, frame = b"\xff\xe0\0\x04ab", b"\xff\xc0\0\x11\x08\0\x30\0\x40\x03"
    jpeg = base64.b64encode(b"\xff\xd8" + app0 + frame).decode()
    assert said(Display({"image/jpeg": jpeg})) == ["<image/jpeg 64×48 18B>"]
    svg = '<svg xmlns="x" width="30" height="40.4"></svg>'
    assert said(Display({"image/svg+xml": svg})) == ["<image/svg+xml 30×40 46B>"]


@given(st.text(), st.sampled_from(["image/png", "image/svg+xml", "image/jpeg", "x/\x1b[2J"]))
def test_anything_may_call_itself_a_picture(value: str, mime: str) -> None:
    lines = said(Display({mime: value}))
    assert len(lines) == 1
    assert lines[0].isprintable()


def test_tracebacks_keep_their_colours_from_line_to_line() -> None:
    lines = body(cell(Failure("E", "m", ("\x1b[31mfirst", "second\x1b[0m\nthird"))))[1:]
    assert [(plain(line.text), line.pen) for line in lines] == [
        ("first", ""),
        ("second", "38;5;1"),
        ("third", ""),
    ]
    assert said(Failure("ValueError", "bad")) == ["ValueError: bad"]


def test_only_the_end_of_a_long_output_is_shown_and_said_so() -> None:
    lines = said(*(Text("stdout", f"{n}\n") for n in range(5000)))
    assert lines[0].startswith("…")
    assert lines[-1] == "4999"
    assert len(lines) == 501
    assert said(Text("stdout", "x\n"), truncated=True)[0].startswith("…")


def test_order_is_kept_between_kinds_of_output() -> None:
    assert said(
        Text("stdout", "1\n"), Display({"text/plain": "2"}), Display({"text/plain": "3"}),
        Failure("E", "4"), Text("stdout", "5"),
    ) == ["1", "2", "3", "E: 4", "5"]  # fmt: skip


def test_facts_are_aligned_and_nested() -> None:
    facts: dict[str, object] = {
        "ref": "container:web",
        "labels": {"a": "b", "longer": None},
        "ports": ["80", {"host": 1, "port": 2}],
        "managed": True,
        "text": "one\ntwo",
        "none": [],
    }
    assert [plain(line) for line in lines_of(facts)] == [
        "ref      container:web",
        "labels ",
        "  a       b",
        "  longer  –",
        "ports  ",
        "  - 80",
        "  - host  1",
        "    port  2",
        "managed  yes",
        "text     one",
        "         two",
        "none     –",
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.dictionaries(st.text(), JSON))
def test_any_facts_are_one_line_per_line(facts: dict[str, object]) -> None:
    for line in lines_of(facts):
        assert not set("\n\r\t\x00") & set(line)
        assert "\x1b" not in line.replace("\x1b[2m", "", 1).replace("\x1b[22m", "", 1)
