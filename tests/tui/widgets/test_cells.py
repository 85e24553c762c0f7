"""The notebook view: cells, their state and outputs, and a selection that stays."""

from __future__ import annotations

from time import time

from sandbox_tui.model.cells import Cell, CellKind, CellRun, Notebook, NotebookCell
from sandbox_tui.model.outputs import Display, Failure, Outcome, Output, Text
from sandbox_tui.model.refs import Ref
from sandbox_tui.tui.widgets.cells import NotebookView
from tests.support import retry_until_async
from tests.tui.widgets.stage import NASTY, Show, every_size, recording, staged

CellSelected, CellOpened = NotebookView.CellSelected, NotebookView.CellOpened


def book(*cells: NotebookCell) -> Notebook:
    return Notebook(Ref("room:a"), 1, cells)


def idle(cell_id: str, source: str = "x = 1") -> NotebookCell:
    return NotebookCell(Cell(cell_id, CellKind.CODE, source))


def ran(
    cell_id: str, *outputs: Output, source: str = "x", outcome: Outcome = Outcome.OK
) -> NotebookCell:
    run = CellRun(
        execution_id="e", status="done", outcome=outcome, execution_count=1, outputs=outputs
    )
    return NotebookCell(Cell(cell_id, CellKind.CODE, source), run)


def running(cell_id: str, since: float, *outputs: Output) -> NotebookCell:
    run = CellRun(execution_id="e", status="running", started_at=since, outputs=outputs)
    return NotebookCell(Cell(cell_id, CellKind.CODE, "work()"), run)


def content(show: Show[NotebookView]) -> list[str]:
    return [line.rstrip("┃ ") for line in show.rows]


@every_size
async def test_cells_with_source_state_and_outputs(size: tuple[int, int]) -> None:
    view = NotebookView()
    view.show(
        book(
            NotebookCell(Cell("m", CellKind.MARKDOWN, "# Title")),
            ran("a", Text("stdout", "hi\n"), Display({"text/plain": "7"}, execution_count=1)),
            ran("b", Failure("E", "m", ("\x1b[31mE: m\x1b[0m",)), outcome=Outcome.ERROR),
        )
    )
    async with staged(view, size) as show:
        assert content(show)[:13] == [
            "▌ markdown", "▌ # Title", "",
            "  In[1] ● done", "  x", "  hi", "  Out[1]: 7", "",
            "  In[1] ✕ failed", "  x", "  E: m", "", "",
        ]  # fmt: skip
        assert show.inked("In[1] ✕") == show.ink("cells--failed")
        assert show.style_of("E: m").color != view.rich_style.color


async def test_long_lines_are_wrapped_and_blank_lines_kept() -> None:
    view = NotebookView()
    view.show(book(idle("a", "x" * 50 + "\n\n    y = '日本'")))
    async with staged(view, (41, 12)) as show:
        assert content(show)[1:5] == ["▌ " + "x" * 38, "▌ " + "x" * 12, "▌", "▌     y = '日本'"]


async def test_a_running_cell_counts_its_seconds() -> None:
    view = NotebookView()
    async with staged(view) as show:
        view.show(book(running("a", time() - 41.2)))
        await show.settle()
        assert content(show)[0].startswith("▌ In[*] ● running 4")
        seen = content(show)[0]
        await retry_until_async(lambda: content(show)[0] != seen, timeout=5)
        view.show(book(ran("a")))
        await show.settle()
        assert content(show)[0] == "▌ In[1] ● done"


async def test_only_the_cell_that_changed_is_painted_again() -> None:
    kind, painted = recording(NotebookView)
    view = kind()
    view.show(book(idle("a"), ran("b", Text("stdout", "1\n")), idle("c")))
    async with staged(view) as show:
        painted.clear()
        view.show(book(idle("a"), ran("b", Text("stdout", "1\n")), idle("c")))
        assert painted == []
        view.show(book(idle("a"), ran("b", Text("stdout", "2\n")), idle("c")))
        assert painted == [5]
        await show.settle()
        assert content(show)[5] == "  2"


async def test_moving_selects_and_reveals() -> None:
    view = NotebookView()
    view.show(book(*(idle(f"c{n}", f"cell {n}") for n in range(50))))
    async with staged(view) as show:
        assert view.selected == "c0"
        view.move(1)
        assert view.selected == "c1"
        view.last()
        await show.settle()
        assert "▌ cell 49" in show.text
        assert view.selected_cell is not None
        assert view.selected_cell.cell.source == "cell 49"
        view.first()
        view.move(-5)
        await show.settle()
        assert content(show)[0] == "▌ In[ ]"
        assert view.select("c20")
        assert not view.select("none")
        await show.settle()
        assert "▌ cell 20" in show.text
        assert show.said(CellSelected)[-1].cell_id == "c20"


async def test_the_selection_is_an_identity() -> None:
    view = NotebookView()
    view.show(book(idle("a"), idle("b"), idle("c")))
    async with staged(view):
        view.select("b")
        view.show(book(idle("c"), idle("b"), idle("a")))
        assert view.selected == "b"
        view.show(book(idle("c"), idle("a")))
        assert view.selected == "a"
        view.show(book())
        assert view.selected is None
        view.show(None)
        assert view.selected is None


async def test_output_that_grows_above_does_not_push_what_is_read() -> None:
    view = NotebookView()
    cells = [idle(f"c{n}", f"cell {n}") for n in range(40)]
    view.show(book(running("r", time()), *cells))
    async with staged(view) as show:
        view.scroll_rows(60)
        await show.settle()
        before = content(show)
        view.show(book(running("r", time(), Text("stdout", "line\n" * 30)), *cells))
        await show.settle()
        assert content(show) == before


async def test_at_the_end_it_stays_at_the_end() -> None:
    view = NotebookView()
    cells = [idle(f"c{n}") for n in range(20)]
    view.show(book(*cells, running("r", time())))
    async with staged(view) as show:
        view.last()
        await show.settle()
        view.show(
            book(*cells, running("r", time(), Text("stdout", "".join(f"{n}\n" for n in range(50)))))
        )
        await show.settle()
        assert "▌ 49" in show.text


async def test_clicks() -> None:
    view = NotebookView()
    view.show(book(idle("a"), idle("b")))
    async with staged(view) as show:
        await show.pilot.click(view, offset=(4, 4))
        assert view.selected == "b"
        await show.pilot.click(view, offset=(4, 0), times=2)
        assert view.selected == "a"
        assert [m.cell_id for m in show.said(CellOpened)] == ["a"]
        await show.pilot.click(view, offset=(4, 20))
        assert view.selected == "a"


async def test_an_empty_notebook_says_so() -> None:
    view = NotebookView("no cells yet")
    view.show(book())
    async with staged(view) as show:
        assert content(show)[0] == "  no cells yet"
        view.move(1)
        view.page(1)


@every_size
async def test_anything_in_cells(size: tuple[int, int]) -> None:
    view = NotebookView()
    cells: list[NotebookCell] = []
    for n, name in enumerate(NASTY):
        outputs = (Text("stdout", name), Display({"text/plain": name}), Failure(name, "", (name,)))
        cells.append(ran(f"c{n}", *outputs, source=name))
    view.show(book(*cells))
    async with staged(view, size) as show:
        for _ in cells:
            view.move(1)
            await show.settle()
            assert not set(show.text) & set("\x00\x1b\x07\u202e\ud800")
