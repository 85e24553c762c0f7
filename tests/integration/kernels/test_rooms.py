"""Rooms with real kernels: documents, queue, states, and what a new daemon finds."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from sandbox_tui.backends.base import (
    Backend,
    Follows,
    Inspects,
    Interrupts,
    Measures,
    Notebooks,
    Restarts,
    Runs,
    Wakes,
)
from sandbox_tui.hub.rooms import RoomsBackend
from sandbox_tui.model.actions import AddCell, EditCell, RemoveCell
from sandbox_tui.model.cells import CellKind, CellRun, Notebook
from sandbox_tui.model.errors import (
    AlreadyExistsError,
    CellNotFoundError,
    ConflictError,
    InvalidSpecError,
    NotFoundError,
    NotRunningError,
    StartFailedError,
    UnsupportedError,
)
from sandbox_tui.model.outputs import Display, Outcome, Result, Text
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.specs import RoomSpec
from sandbox_tui.model.world import RoomFacts, Sandbox, State
from sandbox_tui.runtime.execution import Execution
from tests.integration.kernels.conftest import Reopen
from tests.support import lapse, retry_until_async
from tests.system import exists, in_session, names_in


async def box(rooms: RoomsBackend, ref: Ref) -> Sandbox:
    return next(box for box in await rooms.poll() if box.ref == ref)


async def facts(rooms: RoomsBackend, ref: Ref) -> RoomFacts:
    found = (await box(rooms, ref)).facts
    assert isinstance(found, RoomFacts)
    return found


async def state(rooms: RoomsBackend, ref: Ref) -> State:
    return (await box(rooms, ref)).state


async def reaches(rooms: RoomsBackend, ref: Ref, wanted: State) -> None:
    async def there() -> bool:
        return await state(rooms, ref) is wanted

    await retry_until_async(there)


async def result_of(execution: Execution) -> Result:
    async with asyncio.timeout(30):
        return await execution


async def run(rooms: RoomsBackend, ref: Ref, code: str) -> Result:
    return await result_of(await rooms.execute(ref, code))


async def add(rooms: RoomsBackend, ref: Ref, *sources: str) -> list[str]:
    return [await rooms.edit(AddCell(ref=ref, source=source)) for source in sources]


async def run_cells(rooms: RoomsBackend, ref: Ref, *cell_ids: str) -> list[Result]:
    return [await result_of(ex) for ex in await rooms.run_cells(ref, cell_ids)]


async def page(rooms: RoomsBackend, ref: Ref) -> Notebook:
    async for notebook in rooms.notebooks(ref):
        return notebook
    raise AssertionError("no notebook")


async def run_of(rooms: RoomsBackend, ref: Ref, cell_id: str) -> CellRun:
    notebook = await page(rooms, ref)
    run = next(entry.run for entry in notebook.cells if entry.cell.id == cell_id)
    assert run is not None
    return run


async def test_it_can_what_it_says(rooms: RoomsBackend) -> None:
    abilities = (
        Backend,
        Wakes,
        Runs,
        Follows,
        Interrupts,
        Restarts,
        Notebooks,
        Inspects,
        Measures,
    )
    assert [ability for ability in abilities if not isinstance(rooms, ability)] == []


# --- life -------------------------------------------------------------------------------------


async def test_a_room_lives_and_goes(rooms: RoomsBackend) -> None:
    ref = await rooms.start(RoomSpec(name="lab", labels={"team": "a"}))
    there = await box(rooms, ref)
    assert (there.state, there.managed, there.labels) == (State.IDLE, True, {"team": "a"})
    assert there.pid is not None
    with pytest.raises(AlreadyExistsError):
        await rooms.start(RoomSpec(name="lab"))
    with pytest.raises(ConflictError, match="room:lab is idle"):
        await rooms.remove(ref)
    await rooms.stop(ref)
    assert await state(rooms, ref) is State.STOPPED
    assert not exists(f"/proc/{there.pid}")
    await rooms.remove(ref)
    assert await rooms.poll() == []
    with pytest.raises(NotFoundError):
        await rooms.stop(ref)


async def test_a_start_shows_that_it_starts(rooms: RoomsBackend) -> None:
    starting = asyncio.create_task(rooms.start(RoomSpec(name="lab")))
    await asyncio.sleep(0)
    assert await state(rooms, Ref("room:lab")) is State.STARTING
    with pytest.raises(AlreadyExistsError):
        await rooms.start(RoomSpec(name="lab"))
    await starting


async def test_a_stop_while_it_starts(rooms: RoomsBackend) -> None:
    starting = asyncio.create_task(rooms.start(RoomSpec(name="lab")))
    await lapse(0.1)
    await rooms.stop(Ref("room:lab"))
    with pytest.raises(NotRunningError):
        await starting
    assert await rooms.poll() == []


async def test_a_stopped_room_starts_again_with_its_cells(rooms: RoomsBackend, lab: Ref) -> None:
    [cell] = await add(rooms, lab, "x = 1")
    await rooms.stop(lab)
    await rooms.start(RoomSpec(name="lab", env={"NEW": "1"}))
    assert [entry.cell.id for entry in (await page(rooms, lab)).cells] == [cell]
    assert (await run(rooms, lab, "import os; print(os.environ['NEW'])")).stdout == "1\n"


async def test_a_kernel_that_cannot_start_leaves_no_room(rooms: RoomsBackend) -> None:
    with pytest.raises(InvalidSpecError, match="'cobol'"):
        await rooms.start(RoomSpec(name="lab", kernel="cobol"))
    assert await rooms.poll() == []


async def test_a_room_whose_kernel_fails_to_start_again_has_failed(
    rooms: RoomsBackend, lab: Ref, home: Path
) -> None:
    await rooms.stop(lab)
    folder = home / "data/jupyter/kernels/broken"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(
        '{"argv": ["python", "-c", "oops"], "display_name": "b", "language": "python"}'
    )
    with pytest.raises(StartFailedError):
        await rooms.start(RoomSpec(name="lab", kernel="broken"))
    failed = await box(rooms, lab)
    assert failed.state is State.FAILED
    assert "oops" in failed.detail
    result = await run(rooms, lab, "1")
    assert result.outcome is Outcome.ERROR
    assert "oops" in result.detail


@pytest.mark.parametrize("name", ["a/b", "..", "a b", "ü🙂", "[/red]x", "x@y", "-rf", "a" * 300])
async def test_any_name_is_safe(rooms: RoomsBackend, home: Path, name: str) -> None:
    ref = await rooms.start(RoomSpec(name=name))
    assert (await run(rooms, ref, "print(1)")).stdout == "1\n"
    await rooms.stop(ref)
    await rooms.aclose()
    files = names_in(home / "state/rooms")
    assert len({file.rpartition(".")[0] for file in files}) == 1
    [file] = [file for file in files if file.endswith(".ipynb")]
    assert file.endswith(".ipynb")
    heir = await RoomsBackend.open(home / "state", home / "run")
    assert [box.ref for box in await heir.poll()] == [ref]
    await heir.aclose()


# --- running ----------------------------------------------------------------------------------


async def test_a_cell_runs_with_the_source_it_has_then(rooms: RoomsBackend, lab: Ref) -> None:
    slow, cell = await add(rooms, lab, "import time; time.sleep(0.3)", "print('old')")
    executions = await rooms.run_cells(lab, [slow, cell])
    await rooms.edit(EditCell(ref=lab, cell_id=cell, source="print('new')"))
    assert (await result_of(executions[1])).stdout == "new\n"
    assert executions[1].code == "print('new')"


async def test_a_cell_shows_its_latest_run(rooms: RoomsBackend, lab: Ref) -> None:
    [cell] = await add(rooms, lab, "print('a'); 42")
    [result] = await run_cells(rooms, lab, cell)
    shown = await run_of(rooms, lab, cell)
    assert (shown.status, shown.outcome, shown.execution_count) == ("done", Outcome.OK, 1)
    assert shown.outputs == (Text("stdout", "a\n"), Display({"text/plain": "42"}, {}, 1))
    assert shown.duration == result.duration


async def test_an_error_drops_the_rest_of_its_call_only(rooms: RoomsBackend, lab: Ref) -> None:
    cells = await add(rooms, lab, "print(1)", "1 / 0", "print(3)", "print(4)")
    mine = await rooms.run_cells(lab, cells)
    other = await rooms.execute(lab, "print('other')")
    outcomes = [(await result_of(execution)).outcome for execution in mine]
    assert outcomes == [Outcome.OK, Outcome.ERROR, Outcome.CANCELLED, Outcome.CANCELLED]
    assert (await result_of(other)).stdout == "other\n"


async def test_only_code_can_run_and_then_nothing_is_queued(rooms: RoomsBackend, lab: Ref) -> None:
    [code] = await add(rooms, lab, "print(1)")
    text = await rooms.edit(AddCell(ref=lab, source="# Title", kind=CellKind.MARKDOWN))
    with pytest.raises(UnsupportedError, match=f"Cannot execute non-code cell: {text}"):
        await rooms.run_cells(lab, [code, text])
    with pytest.raises(CellNotFoundError, match="Cell not found: cell-none"):
        await rooms.run_cells(lab, [code, "cell-none"])
    assert (await page(rooms, lab)).cells[0].run is None


async def test_a_cell_that_is_removed_before_its_turn(rooms: RoomsBackend, lab: Ref) -> None:
    slow, gone = await add(rooms, lab, "import time; time.sleep(0.3)", "print(1)")
    executions = await rooms.run_cells(lab, [slow, gone])
    await rooms.edit(RemoveCell(ref=lab, cell_id=gone))
    result = await result_of(executions[1])
    assert (result.outcome, result.detail) == (Outcome.ERROR, f"Cell not found: {gone}")
    assert (await run(rooms, lab, "1")).ok


async def test_clients_are_served_in_the_order_they_came(rooms: RoomsBackend, lab: Ref) -> None:
    code = "order = globals().get('order', []); order.append({}); order"
    executions = [await rooms.execute(lab, code.format(n)) for n in range(8)]
    results = [await result_of(execution) for execution in executions]
    assert results[-1].display[0].data == {"text/plain": str(list(range(8)))}


async def test_a_stop_if_idle_never_ends_a_run(rooms: RoomsBackend, lab: Ref) -> None:
    run = await rooms.execute(lab, "x = 1")
    with pytest.raises(ConflictError):
        await rooms.stop_idle(lab)
    assert (await run).ok

    await retry_until_async(lambda: idle(rooms, lab))
    ending = asyncio.create_task(rooms.stop_idle(lab))
    while (await state(rooms, lab)) is State.IDLE:
        await asyncio.sleep(0)
    after = await rooms.execute(lab, "print(2)")  # it comes while the kernel ends
    await ending
    assert (await after).stdout == "2\n"


async def idle(rooms: RoomsBackend, ref: Ref) -> bool:
    return (await state(rooms, ref)) is State.IDLE


async def test_an_interrupt_ends_what_runs_and_drops_what_waits(
    rooms: RoomsBackend, lab: Ref
) -> None:
    cells = await add(rooms, lab, "print('up')\nwhile True: pass", "print(2)")
    first, second = await rooms.run_cells(lab, cells)
    third = await rooms.execute(lab, "print(3)")
    await retry_until_async(first.peek)
    assert (await facts(rooms, lab)).queued == 2
    await rooms.interrupt(lab)
    assert {second.status, third.status} == {"done"}
    result = await result_of(first)
    assert (result.outcome, result.stdout) == (Outcome.CANCELLED, "up\n")
    assert result.error is not None
    assert (await run(rooms, lab, "print(4)")).stdout == "4\n"


async def test_an_execution_can_be_cancelled(rooms: RoomsBackend, lab: Ref) -> None:
    running = await rooms.execute(lab, "import time; time.sleep(60)")
    waiting = await rooms.execute(lab, "print(1)")
    await waiting.cancel()
    assert waiting.result is not None
    assert waiting.result.outcome is Outcome.CANCELLED
    assert running.result is None
    await running.cancel()
    assert (await result_of(running)).outcome is Outcome.CANCELLED


async def test_time_that_is_up(rooms: RoomsBackend, lab: Ref) -> None:
    execution = await rooms.execute(lab, "while True: pass", timeout=0.3)
    assert (await result_of(execution)).outcome is Outcome.TIMED_OUT
    assert (await run(rooms, lab, "1")).ok


async def test_a_busy_room_says_since_when(rooms: RoomsBackend, lab: Ref) -> None:
    before = time.time()
    execution = await rooms.execute(lab, "import time; time.sleep(60)")
    await retry_until_async(lambda: execution.started_at is not None)
    told = await facts(rooms, lab)
    assert await state(rooms, lab) is State.BUSY
    assert told.busy_since is not None
    assert before <= told.busy_since <= time.time()
    await rooms.interrupt(lab)
    await result_of(execution)
    await reaches(rooms, lab, State.IDLE)
    assert (await facts(rooms, lab)).busy_since is None


async def test_rooms_do_not_wait_for_each_other(rooms: RoomsBackend) -> None:
    refs = [await rooms.start(RoomSpec(name=f"lab-{n}")) for n in range(4)]
    slow = await rooms.execute(refs[0], "import time; time.sleep(60)")
    began = time.monotonic()
    results = await asyncio.gather(*(run(rooms, ref, f"print('{ref}')") for ref in refs[1:]))
    assert time.monotonic() - began < 1.0
    assert [result.stdout for result in results] == [f"{ref}\n" for ref in refs[1:]]
    await slow.cancel()


# --- death and restart ------------------------------------------------------------------------


async def test_a_death_fails_the_room_and_keeps_its_cells(rooms: RoomsBackend, lab: Ref) -> None:
    cells = await add(rooms, lab, "x = 1", "import os; os._exit(3)", "print(x)")
    began = time.monotonic()
    results = await run_cells(rooms, lab, *cells)
    assert time.monotonic() - began < 1.0
    assert [r.outcome for r in results] == [Outcome.OK, Outcome.DIED, Outcome.CANCELLED]
    assert results[1].exit_code == 3
    await reaches(rooms, lab, State.FAILED)
    dead = await box(rooms, lab)
    assert (dead.detail, dead.exit_code) == ("kernel died: exit code 3", 3)
    assert len((await page(rooms, lab)).cells) == 3
    with pytest.raises(NotRunningError):
        await rooms.interrupt(lab)
    await rooms.start(RoomSpec(name="lab"))
    assert (await box(rooms, lab)).detail == ""
    assert (await run(rooms, lab, "x")).error is not None


async def test_a_room_without_a_kernel_starts_one_for_a_run(rooms: RoomsBackend, lab: Ref) -> None:
    await rooms.stop(lab)
    assert (await run(rooms, lab, "print(1)")).stdout == "1\n"
    assert await state(rooms, lab) is State.IDLE


async def test_a_restart_keeps_cells_and_counts_anew(rooms: RoomsBackend, lab: Ref) -> None:
    [cell] = await add(rooms, lab, "x = 1; print(x)")
    await run_cells(rooms, lab, cell)
    running = await rooms.execute(lab, "while True: pass")
    waiting = await rooms.execute(lab, "1")
    await rooms.restart(lab)
    assert (await result_of(running)).outcome is Outcome.CANCELLED
    assert (await result_of(waiting)).outcome is Outcome.CANCELLED
    shown = await run_of(rooms, lab, cell)
    assert (shown.execution_count, shown.outputs) == (None, (Text("stdout", "1\n"),))
    assert (await facts(rooms, lab)).execution_count == 0
    assert (await run(rooms, lab, "x")).error is not None
    assert (await facts(rooms, lab)).execution_count == 1


async def test_what_happens_wakes_the_poll(rooms: RoomsBackend, lab: Ref) -> None:
    woken: list[State] = []

    looks: set[asyncio.Task[None]] = set()

    async def look() -> None:
        woken.append(await state(rooms, lab))

    rooms.listen(lambda: looks.add(asyncio.create_task(look())))
    await run(rooms, lab, "import time; time.sleep(0.1)")
    os.kill((await box(rooms, lab)).pid or 0, signal.SIGKILL)
    await retry_until_async(lambda: State.FAILED in woken)
    assert State.BUSY in woken
    assert State.IDLE in woken


# --- a new daemon -----------------------------------------------------------------------------


async def test_rooms_come_back_with_cells_outputs_and_kernel(
    rooms: RoomsBackend, reopen: Reopen, lab: Ref
) -> None:
    [cell] = await add(rooms, lab, "x = 41\nprint('said')")
    await run_cells(rooms, lab, cell)
    before = await box(rooms, lab)
    heir = await reopen()
    after = await box(heir, lab)
    assert (after.pid, after.state, after.created_at) == (
        before.pid,
        State.IDLE,
        before.created_at,
    )
    shown = await run_of(heir, lab, cell)
    assert (shown.outputs, shown.execution_count) == ((Text("stdout", "said\n"),), 1)
    assert (await run(heir, lab, "print(x + 1)")).stdout == "42\n"


async def test_a_cell_that_runs_meanwhile_is_marked(
    rooms: RoomsBackend, reopen: Reopen, lab: Ref
) -> None:
    [cell] = await add(rooms, lab, "print('begun', flush=True); import time; time.sleep(2); y = 1")
    [execution] = await rooms.run_cells(lab, [cell])
    await retry_until_async(execution.peek)
    heir = await reopen()
    assert (await result_of(execution)).outcome is Outcome.CANCELLED
    there = await box(heir, lab)
    assert there.state is State.BUSY
    assert "is lost" in there.detail
    assert (await run_of(heir, lab, cell)).truncated
    await reaches(heir, lab, State.IDLE)
    assert (await run(heir, lab, "print(y)")).stdout == "1\n"


async def test_a_kernel_that_died_meanwhile_is_told(
    rooms: RoomsBackend, reopen: Reopen, lab: Ref
) -> None:
    await add(rooms, lab, "x = 1")
    pid = (await box(rooms, lab)).pid or 0
    await rooms.aclose()
    os.killpg(pid, signal.SIGKILL)
    await retry_until_async(lambda: not in_session(pid))
    heir = await reopen()
    there = await box(heir, lab)
    assert there.state is State.FAILED
    assert there.detail == "kernel died while no daemon was there"
    assert len((await page(heir, lab)).cells) == 1


async def test_a_stopped_room_comes_back_stopped(
    rooms: RoomsBackend, reopen: Reopen, lab: Ref
) -> None:
    await rooms.stop(lab)
    assert await state(await reopen(), lab) is State.STOPPED


async def test_a_removed_room_does_not_come_back(
    rooms: RoomsBackend, reopen: Reopen, lab: Ref
) -> None:
    await rooms.stop(lab)
    await rooms.remove(lab)
    assert await (await reopen()).poll() == []


async def test_a_broken_file_is_set_aside_with_a_notice(
    rooms: RoomsBackend, reopen: Reopen, lab: Ref, home: Path
) -> None:
    await rooms.stop(lab)
    await rooms.aclose()
    (home / "state/rooms/lab.ipynb").write_text('{"nbformat": 4, "cells": [')
    (home / "state/rooms/lab.log").unlink()
    heir = await reopen()
    assert await heir.poll() == []
    assert "lab.ipynb is set aside" in (await heir.probe()).detail
    assert names_in(home / "state/rooms") == ["lab.broken-1"]


async def test_a_living_kernel_keeps_a_room_when_its_file_is_lost(
    rooms: RoomsBackend, reopen: Reopen, lab: Ref, home: Path
) -> None:
    await run(rooms, lab, "x = 41")
    await rooms.aclose()
    (home / "state/rooms/lab.ipynb").write_text("{")
    heir = await reopen()
    assert await state(heir, lab) is State.IDLE
    assert (await run(heir, lab, "print(x + 1)")).stdout == "42\n"


async def test_a_disk_that_cannot_be_written_is_told_and_stops_nothing(
    rooms: RoomsBackend, lab: Ref, home: Path
) -> None:
    async def told() -> bool:
        return "room:lab is not saved" in (await rooms.probe()).detail

    await retry_until_async((home / "state/rooms/lab.ipynb").exists)
    (home / "state/rooms").rename(home / "moved")
    (home / "state/rooms").write_text("not a folder")
    await add(rooms, lab, "x = 1")
    await retry_until_async(told)
    assert (await run(rooms, lab, "print(1)")).stdout == "1\n"
    (home / "state/rooms").unlink()


# --- looking ----------------------------------------------------------------------------------


async def test_notebooks_are_few_however_much_is_said(rooms: RoomsBackend, lab: Ref) -> None:
    [cell] = await add(rooms, lab, "for i in range(3000): print(i, flush=True)")
    [execution] = await rooms.run_cells(lab, [cell])
    began, seen = time.monotonic(), 0
    async for notebook in rooms.notebooks(lab):
        seen += 1
        run = notebook.cells[0].run
        if run is not None and run.status == "done":
            break
    assert seen <= (time.monotonic() - began) * 30 + 2
    assert (await result_of(execution)).ok
    shown = (await run_of(rooms, lab, cell)).outputs
    assert shown == (Text("stdout", "".join(f"{i}\n" for i in range(3000))),)


async def test_a_cell_shows_the_end_of_too_much(rooms: RoomsBackend, lab: Ref) -> None:
    [cell] = await add(rooms, lab, "print('x' * 1_000_000 + 'end')")
    await run_cells(rooms, lab, cell)
    shown = await run_of(rooms, lab, cell)
    assert shown.truncated
    [text] = shown.outputs
    assert isinstance(text, Text)
    assert text.text.endswith("xend\n")
    assert len(text.text) <= 200_000


async def test_progress_replaces_itself(rooms: RoomsBackend, lab: Ref) -> None:
    code = """
from IPython.display import clear_output, display
for i in range(3):
    clear_output(wait=True)
    print(i)
handle = display("a", display_id="it")
handle.update("b")
"""
    [cell] = await add(rooms, lab, code)
    await run_cells(rooms, lab, cell)
    text, value = (await run_of(rooms, lab, cell)).outputs
    assert text == Text("stdout", "2\n")
    assert isinstance(value, Display)
    assert value.data["text/plain"] == "'b'"


async def test_the_log_has_code_and_outputs(rooms: RoomsBackend, lab: Ref) -> None:
    await run(rooms, lab, "x = 1\nprint('said')\nx + 41")
    await run(rooms, lab, "1 / 0")

    async def log(tail: int) -> str:
        said = rooms.follow(lab, tail=tail, live=False)
        return "".join([output.text async for output in said if isinstance(output, Text)])

    whole = await log(200)
    assert whole.startswith(
        "In [1]: x = 1\n   ...: print('said')\n   ...: x + 41\nsaid\nOut[1]: 42\nIn [2]: 1 / 0\n"
    )
    assert "ZeroDivisionError" in whole
    assert (await log(2)).splitlines() == whole.splitlines()[-2:]


async def test_a_log_can_be_followed_until_the_room_is_gone(rooms: RoomsBackend, lab: Ref) -> None:
    heard: list[str] = []

    async def listen() -> None:
        async for output in rooms.follow(lab):
            assert isinstance(output, Text)
            heard.append(output.text)

    listening = asyncio.create_task(listen())
    await run(rooms, lab, "print('live')")
    await retry_until_async(lambda: "live\n" in heard)
    await rooms.stop(lab)
    await rooms.remove(lab)
    async with asyncio.timeout(2):
        await listening


async def test_vitals_count_the_children(rooms: RoomsBackend, lab: Ref) -> None:
    await run(rooms, lab, "import subprocess; p = subprocess.Popen(['yes'], stdout=-3)")
    assert (await rooms.vitals([lab]))[lab].cpu is None

    async def busy() -> bool:
        found = (await rooms.vitals([lab, Ref("room:none")]))[lab]
        return (found.cpu or 0.0) > 0.1 and found.pids == 2

    await retry_until_async(busy)
    memory = (await rooms.vitals([lab]))[lab].memory
    assert memory is not None
    assert memory > 10_000_000


async def test_inspect_tells_everything(rooms: RoomsBackend, lab: Ref) -> None:
    told = await rooms.inspect(lab)
    assert {"ref", "state", "spec", "kernel", "banner"} <= told.keys()
    assert "IPython" in str(told["banner"])
