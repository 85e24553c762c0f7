"""A room's page."""

from __future__ import annotations

import asyncio

import pytest

from sandbox_tui.backends.kernels.messages import Updated
from sandbox_tui.documents.ipynb import StoredRun
from sandbox_tui.documents.shared import SharedDocument
from sandbox_tui.hub.page import LOST, Page
from sandbox_tui.model.cells import CellRun, Notebook
from sandbox_tui.model.outputs import Display, Failure, Outcome, Text
from sandbox_tui.model.refs import Ref
from sandbox_tui.runtime.execution import Execution
from tests.support import retry_until_async

LAB = Ref("room:lab")


@pytest.fixture
def document() -> SharedDocument:
    return SharedDocument()


@pytest.fixture
def page(document: SharedDocument) -> Page:
    return Page(LAB, document)


def run_of(page: Page, cell_id: str) -> CellRun | None:
    return next(entry.run for entry in page.notebook().cells if entry.cell.id == cell_id)


def test_a_run_from_queue_to_end(page: Page, document: SharedDocument) -> None:
    cell = document.add("1")
    assert run_of(page, cell) is None
    execution = Execution(LAB, "1")
    page.queue(cell, execution)
    assert run_of(page, cell) == CellRun(execution_id=execution.id, status="queued")
    execution.begin()
    page.hear(execution, Text("stdout", "a"))
    run = run_of(page, cell)
    assert run is not None
    assert (run.status, run.outputs) == ("running", (Text("stdout", "a"),))
    assert page.running() == {cell: execution.id}
    execution.finish(Outcome.OK)
    run = run_of(page, cell)
    assert run is not None
    assert (run.status, run.outcome) == ("done", Outcome.OK)
    page.hear(execution, Text("stdout", "b, from a thread"))
    later = run_of(page, cell)
    assert later is not None
    assert later.outputs == (Text("stdout", "ab, from a thread"),)
    assert later is run_of(page, cell)


def test_an_update_reaches_every_cell(page: Page, document: SharedDocument) -> None:
    cells = [document.add("1") for _ in range(2)]
    for cell in cells:
        execution = Execution(LAB, "1")
        page.queue(cell, execution)
        page.hear(execution, Display({"text/plain": "old"}, display_id="x"))
    page.hear(None, Updated(Display({"text/plain": "new"}, display_id="x")))
    shown = [run.outputs for cell in cells if (run := run_of(page, cell))]
    assert shown == [(Display({"text/plain": "new"}, display_id="x"),)] * 2


def test_a_cell_that_is_removed_is_forgotten(page: Page, document: SharedDocument) -> None:
    cell = document.add("1")
    execution = Execution(LAB, "1")
    page.queue(cell, execution)
    document.remove(cell)
    page.hear(execution, Text("stdout", "late"))
    assert page.stored() == {}
    assert page.notebook().cells == ()


def test_what_an_earlier_daemon_stored(document: SharedDocument) -> None:
    good, bad, cut = (document.add("1") for _ in range(3))
    stored = {good: StoredRun(1, (Text("stdout", "a"),)), bad: StoredRun(2, (Failure("E", "m"),))}
    page = Page(LAB, document, stored)
    page.lose((cut,))
    runs = [run_of(page, cell) for cell in (good, bad, cut)]
    assert [run.outcome for run in runs if run] == [Outcome.OK, Outcome.ERROR, Outcome.DIED]
    assert runs[2] is not None
    assert runs[2].truncated
    assert runs[2].outputs == (Text("stderr", LOST),)
    page.forget_counts()
    assert page.stored()[good] == StoredRun(None, (Text("stdout", "a"),))


async def test_a_slow_reader_skips_and_the_end_ends(page: Page, document: SharedDocument) -> None:
    seen: list[Notebook] = []

    async def read() -> None:
        async for notebook in page.notebooks():
            seen.append(notebook)  # noqa: PERF401  # a comprehension would show nothing meanwhile

    reading = asyncio.create_task(read())
    await asyncio.sleep(0)
    for _ in range(100):
        document.add("1")
        await asyncio.sleep(0)
    await retry_until_async(lambda: len(seen[-1].cells) == 100)
    assert len(seen) <= 3
    page.end()
    async with asyncio.timeout(1):
        await reading
