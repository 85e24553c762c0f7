"""One room, several clients, a real kernel: what one does the others have, whatever happens."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from sandbox_tui.api import daemon
from sandbox_tui.api.daemon_home import DaemonHome
from sandbox_tui.api.remote import RemoteApi
from sandbox_tui.api.room import Room
from sandbox_tui.documents.line import Merge
from sandbox_tui.model.actions import OpenRoom, Remove, Start, Stop
from sandbox_tui.model.cells import CellKind
from sandbox_tui.model.errors import (
    CellNotFoundError,
    ConflictError,
    InvalidSpecError,
    NotFoundError,
    NotRunningError,
    SandboxError,
)
from sandbox_tui.model.outputs import Failure, Outcome, Result, Text
from sandbox_tui.model.refs import Kind, Place, Ref
from sandbox_tui.model.room import (
    ExecutionBegan,
    ExecutionEnded,
    InputAsked,
    KernelChanged,
    RoomEvent,
)
from sandbox_tui.model.world import RoomFacts, State
from tests.integration.daemon.conftest import processes
from tests.support import assert_within, lapse, retry_until_async

LAB = Ref("room:lab")

SOAK = float(os.environ.get("SANDBOX_TUI_TEST_SOAK", "6"))
"""Seconds for which twenty clients work; the full test is a minute."""

SILENCE = float(os.environ.get("SANDBOX_TUI_TEST_SILENCE", "2"))
"""Seconds for which a cell says nothing; the full test is 35."""


async def begin(api: RemoteApi) -> Room:
    await api.perform(Start(name="lab", kind=Kind.ROOM))
    return await api.room(LAB)


@asynccontextmanager
async def opened() -> AsyncIterator[Room]:
    """The room as another client has it."""
    api = await RemoteApi.connect(start=True)
    try:
        room = await api.room(LAB)
        yield room
        await room.aclose()
    finally:
        await api.aclose()


@pytest.fixture
async def room(api: RemoteApi) -> AsyncIterator[Room]:
    room = await begin(api)
    yield room
    await room.aclose()


@pytest.fixture
async def other(room: Room) -> AsyncIterator[Room]:
    async with opened() as other:
        yield other


def sources(room: Room) -> list[str]:
    return [cell.source for cell in room.document.cells()]


def said(room: Room, cell_id: str) -> str:
    """What the cell's latest run printed, as that client sees it."""
    run = room.run_of(cell_id)
    return "".join(o.text for o in run.outputs if isinstance(o, Text)) if run else ""


async def kill_daemon(home: Path) -> None:
    status = await daemon.status()
    assert status.pid is not None
    os.kill(status.pid, signal.SIGKILL)
    await retry_until_async(lambda: status.pid not in processes(home))


async def facts(api: RemoteApi) -> RoomFacts:
    box = (await api.settled()).get(LAB)
    assert box is not None
    assert isinstance(box.facts, RoomFacts)
    return box.facts


# --- a document -------------------------------------------------------------------------------


async def test_what_one_changes_the_other_has(room: Room, other: Room) -> None:
    first = room.document.add("print('é')")
    second = room.document.add("# T", CellKind.MARKDOWN, index=0)
    room.document.append(first, "\n6 * 7")
    room.document.set_metadata("mine", {"n": [1, None]})
    await retry_until_async(lambda: other.document.metadata() == {"mine": {"n": [1, None]}})
    assert other.document.cells() == room.document.cells()
    other.document.move(second, 5)
    other.document.remove(first)
    await retry_until_async(lambda: sources(room) == ["# T"])


async def test_a_new_cell_runs_without_a_round_trip_in_between(room: Room, other: Room) -> None:
    for number in range(20):
        cell = room.document.add(f"print({number})")
        room.document.append(cell, "\n'ü'")
        result = await (await room.run_cell(cell))
        assert result.stdout == f"{number}\n"
        assert result.display[0].data["text/plain"] == "'ü'"
    await retry_until_async(lambda: said(other, other.document.cells()[-1].id) == "19\n")
    with pytest.raises(CellNotFoundError, match="Cell not found: nope"):
        await room.run_cell("nope")


async def test_a_cell_runs_with_the_source_that_it_has_at_its_turn(room: Room, other: Room) -> None:
    blocker = await room.execute("import time; time.sleep(0.5)")
    cell = room.document.add("print('old')")
    execution = await room.run_cell(cell)
    await retry_until_async(lambda: other.document.has(cell))
    other.document.edit(cell, "print('new')")
    await blocker
    assert (await execution).stdout == "new\n"


CHILD = """
import asyncio
from sandbox_tui.api.remote import RemoteApi
from sandbox_tui.model.refs import Ref

async def main():
    api = await RemoteApi.connect()
    room = await api.room(Ref("room:lab"))
    ball, done = (cell.id for cell in room.document.cells())
    async for notebook in room.notebooks():
        source = room.document.get(ball).source
        if source.startswith("ping"):
            room.document.edit(ball, source.replace("ping", "pong"))
        if source.startswith("print"):
            room.document.edit(ball, "")
            await room.run_cell(done)
        if source == "end":
            break
    await room.aclose()
    await api.aclose()

asyncio.run(main())
"""


async def test_two_processes_see_each_other_at_once(room: Room) -> None:
    """An edit within 50 ms, an output within 100 ms: there *and* back, the medians of fifteen.

    The slowest takes less than half a second.
    """
    ball, done = room.document.add(""), room.document.add("'done'")
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", CHILD)
    await retry_until_async(lambda: len(room.peers) == 2, timeout=20)

    async def until(there: Callable[[], bool]) -> float:
        start = time.monotonic()
        async with asyncio.timeout(10):
            async for _ in room.notebooks():
                if there():
                    return time.monotonic() - start
        raise AssertionError

    edits: list[float] = []
    outputs: list[float] = []
    for number in range(15):
        room.document.edit(ball, f"ping {number}")
        edits.append(await until(lambda n=number: room.document.get(ball).source == f"pong {n}"))
        room.document.edit(ball, f"print({number})")
        outputs.append(
            await until(
                lambda n=number: (
                    (run := room.run_of(done)) is not None
                    and run.execution_count == n + 1
                    and bool(run.outputs)
                )
            )
        )
    room.document.edit(ball, "end")
    assert await child.wait() == 0
    assert_within(edits, 0.050, worst=0.5)
    assert_within(outputs, 0.100, worst=0.5)


# --- twenty clients ---------------------------------------------------------------------------


@pytest.mark.timeout(60 + 2 * SOAK)
async def test_twenty_clients_edit_and_execute(api: RemoteApi) -> None:
    first = await begin(api)
    await (await first.execute("seen = []"))
    shared = [first.document.add("start é\n") for _ in range(4)]
    async with AsyncExitStack() as stack:
        rooms = [await stack.enter_async_context(opened()) for _ in range(20)]
        counts = await asyncio.gather(
            *(_work(room, number, shared) for number, room in enumerate(rooms))
        )
        wanted = first.document.metadata  # converged: every client has heard every other
        await retry_until_async(
            lambda: all(room.document.notebook() == rooms[0].document.notebook() for room in rooms),
            timeout=20,
        )
        await retry_until_async(
            lambda: first.document.notebook() == rooms[0].document.notebook(), timeout=20
        )
        assert len(wanted()) == 20
        ids = [cell.id for cell in first.document.cells()]
        assert len(ids) == len(set(ids))
        told = (await (await first.execute("print(*seen, sep='\\n')"))).stdout.split()
    assert sorted(told) == sorted(
        f"{number}:{turn}" for number, count in enumerate(counts) for turn in range(count)
    )
    assert min(counts) > 0
    await first.aclose()


async def _work(room: Room, number: int, shared: list[str]) -> int:
    """Edit and run until the time is over; how often it ran."""
    chance = random.Random(number)
    turn, until = 0, time.monotonic() + SOAK
    own = room.document.add("")
    while time.monotonic() < until:
        for _ in range(5):
            cell = chance.choice(shared)
            source = room.document.get(cell).source
            at = chance.randrange(len(source) + 1)
            said = chance.choice(["é", "🙂", "x", "👩‍🚀"])
            room.document.edit(cell, source[:at] + said + source[at + chance.randrange(3) :])
        room.document.move(own, chance.randrange(len(room.document)))
        mark = f"{number}:{turn}"
        room.document.edit(own, f"seen.append('{mark}'); print('{mark} é🙂')")
        result = await (await room.run_cell(own))
        assert result.outputs == (Text("stdout", f"{mark} é🙂\n"),), result
        turn += 1
    room.document.set_metadata(f"done {number}", turn)
    return turn


# --- runs -------------------------------------------------------------------------------------


async def test_first_come_first_served_across_clients(room: Room, other: Room) -> None:
    await (await room.execute("order = []"))
    blocker = await room.execute("import time; time.sleep(0.3)")
    queued = [
        await client.execute(f"order.append({number})")
        for number, client in enumerate([room, other, room, other, other, room])
    ]
    for execution in (blocker, *queued):
        assert (await execution).ok
    assert (await (await other.execute("order"))).display[0].data["text/plain"] == (
        "[0, 1, 2, 3, 4, 5]"
    )


async def test_an_error_drops_the_rest_of_its_call_at_once(room: Room, other: Room) -> None:
    cells = [room.document.add(source) for source in ("1/0", "print('never')", "print('never')")]
    executions = await room.run_all(cells)
    alone = await other.execute("print('mine')")
    async with asyncio.timeout(5):
        outcomes = [(await execution).outcome for execution in executions]
        assert (await alone).stdout == "mine\n"
    assert outcomes == [Outcome.ERROR, Outcome.CANCELLED, Outcome.CANCELLED]


async def test_a_run_is_found_by_its_id_by_everybody_and_later(room: Room, other: Room) -> None:
    execution = await room.execute(
        "for n in range(3): print(n, flush=True)\nimport time\ntime.sleep(0.3)\nprint('end')"
    )
    same = await other.execution(execution.id)
    streamed = [output async for output in same]
    assert "".join(o.text for o in streamed if isinstance(o, Text)) == "0\n1\n2\nend\n"
    result = await execution
    assert (await same).stdout == result.stdout
    late = await (await other.execution(execution.id))
    assert (late.stdout, late.outcome, late.execution_count) == (result.stdout, Outcome.OK, 1)
    for unknown in ("nope", "0" * 32, "../lab"):
        with pytest.raises(NotFoundError):
            await room.execution(unknown)


async def test_a_run_outlives_its_client_and_streams_to_one_that_returns(
    room: Room, home: Path
) -> None:
    async with opened() as gone:
        cell = gone.document.add(
            "import time\nfor n in range(4): print(n, flush=True); time.sleep(0.2)"
        )
        execution_id = (await gone.run_cell(cell)).id
    async with opened() as back:
        again = await back.execution(execution_id)
        assert (await again).stdout == "0\n1\n2\n3\n"
        await retry_until_async(lambda: said(back, cell) == "0\n1\n2\n3\n")


async def test_cancel_ends_only_that_run(room: Room, other: Room) -> None:
    running = await room.execute("import time; print('in', flush=True); time.sleep(60)")
    waiting = await other.execute("print('never')")
    after = await other.execute("print('after')")
    await anext(aiter(running))
    async with asyncio.timeout(10):
        await waiting.cancel()
        assert (await waiting).outcome is Outcome.CANCELLED
        await running.cancel()
        assert (await running).outcome is Outcome.CANCELLED
        assert (await after).stdout == "after\n"


async def test_a_flood_of_prints_leaves_everything_prompt(room: Room, other: Room) -> None:
    cell = room.document.add("for n in range(10_000): print(n, flush=True)")
    execution = await room.run_cell(cell)
    await anext(aiter(execution))
    start = time.monotonic()
    other.document.add("prompt")
    await retry_until_async(lambda: "prompt" in sources(room))
    assert time.monotonic() - start < 1.0
    result = await execution
    assert result.stdout == "".join(f"{n}\n" for n in range(10_000))
    await retry_until_async(lambda: said(other, cell).endswith("9999\n"))


async def test_fifty_megabytes_come_byte_for_byte_and_more_is_cut_with_a_mark(
    room: Room, other: Room
) -> None:
    cell = room.document.add("print('0123456789' * 5_000_000, end='')")
    before = len(room.document.update())
    execution = await room.run_cell(cell)
    result = await execution
    assert (len(result.stdout), result.truncated) == (50_000_000, False)
    assert result.stdout == "0123456789" * 5_000_000
    later = await (await other.execution(execution.id))
    assert later.stdout == result.stdout
    assert len(room.document.update()) == before
    more = await (await room.execute("print('é' * 50_000_000, end='')"))
    assert more.truncated
    assert more.stdout == "é" * (64 * 1024 * 1024 // 2)
    assert "cut here" in more.stderr


@pytest.mark.timeout(60 + SILENCE)
async def test_what_was_said_before_a_long_silence_is_kept(room: Room, other: Room) -> None:
    cell = room.document.add(
        f"import time\nprint('before', flush=True); time.sleep({SILENCE}); print('after')"
    )
    execution = await room.run_cell(cell)
    await retry_until_async(lambda: said(other, cell) == "before\n")
    assert (await execution).stdout == "before\nafter\n"
    await retry_until_async(lambda: said(other, cell) == "before\nafter\n")


ENDLESS = {
    "sleep": "import time; print('up', flush=True); time.sleep(60)",
    "busy loop": "print('up', flush=True)\nwhile True: pass",
    "print loop": "while True: print('up', flush=True)",
    "subprocess": "import subprocess as s; p = s.Popen(['sleep', '60']); print('up'); p.wait()",
    "await": "import asyncio; print('up', flush=True); await asyncio.sleep(60)",
}


async def test_an_interrupt_by_another_client_ends_whatever_runs(room: Room, other: Room) -> None:
    """Within half a second, the median of three of each kind, and none takes two.

    Both see why it ended; that the next cell has run by then, too, is part of the time.
    """
    for code in ENDLESS.values():
        assert_within([await _interrupted(room, other, code) for _ in range(3)], 0.5, worst=2.0)


async def _interrupted(room: Room, other: Room, code: str) -> float:
    """Seconds until the cell with that code is over and the next one has run."""
    cell = room.document.add(code)
    execution = await room.run_cell(cell)
    await retry_until_async(lambda: said(other, cell))
    began = time.monotonic()
    await other.interrupt()
    assert (await execution).outcome is Outcome.CANCELLED, code
    assert (await (await other.execute("print('next')"))).stdout == "next\n", code
    took = time.monotonic() - began
    for client in (room, other):
        await retry_until_async(lambda room=client: interrupted(room, cell))
    return took


def interrupted(room: Room, cell: str) -> bool:
    """Whether the cell shows that it was."""
    run = room.run_of(cell)
    outputs = run.outputs if run is not None else ()
    return any(isinstance(one, Failure) and one.name == "KeyboardInterrupt" for one in outputs)


async def test_outputs_are_cleared_for_everybody(room: Room, other: Room) -> None:
    cell = room.document.add("print(1)")
    await (await room.run_cell(cell))
    await retry_until_async(lambda: said(other, cell) == "1\n")
    await other.clear_outputs(cell)
    await retry_until_async(lambda: room.run_of(cell) is None)


# --- people -----------------------------------------------------------------------------------


async def test_events_and_peers(room: Room, other: Room, api: RemoteApi) -> None:
    heard: list[RoomEvent] = []

    async def listen() -> None:
        async for event in other.events():
            heard.append(event)  # noqa: PERF401  # it is looked at while it grows

    listening = asyncio.create_task(listen())
    await asyncio.sleep(0)
    await other.announce("bot", "cell-1", 3)
    await retry_until_async(lambda: [peer.name for peer in room.peers] == ["", "bot"])
    cell = room.document.add("1")
    execution = await room.run_cell(cell)
    await execution
    await retry_until_async(lambda: any(isinstance(event, ExecutionEnded) for event in heard))
    began = next(event for event in heard if isinstance(event, ExecutionBegan))
    assert (began.execution_id, began.cell_id) == (execution.id, cell)
    states = [event.state for event in heard if isinstance(event, KernelChanged)]
    assert states[:2] == [State.BUSY, State.IDLE]
    assert (await facts(api)).peers == 2
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)


async def test_input_fails_at_once_unless_somebody_answers(room: Room, other: Room) -> None:
    async with asyncio.timeout(10):
        result = await (await room.execute("input('name? ')"))
    assert result.error is not None
    assert result.error.name == "StdinNotImplementedError"
    await other.answer_input()
    await other.announce("person")  # heard in order: now it is known that somebody answers
    await retry_until_async(lambda: any(peer.name == "person" for peer in room.peers))
    events = other.events()
    asked = asyncio.ensure_future(_question(events))
    await asyncio.sleep(0)
    execution = await room.execute("print('hello', input('name? '))")
    async with asyncio.timeout(10):
        question = await asked
        assert (question.execution_id, question.prompt) == (execution.id, "name? ")
        await other.answer(execution.id, "Zoë")
        assert (await execution).stdout == "hello Zoë\n"
    with pytest.raises(ConflictError, match="asks nothing"):
        await other.answer(execution.id, "again")
    waiting = await room.execute("input()")
    await retry_until_async(lambda: _waits(other))
    async with asyncio.timeout(10):
        await room.interrupt()
        assert (await waiting).outcome is Outcome.CANCELLED


async def test_input_fails_at_once_when_nobody_is_left_to_answer(room: Room) -> None:
    ask = "try: input()\nexcept EOFError: print('no more')\ninput('name? ')"
    async with asyncio.timeout(20):
        result = await _unanswered(room, ask, lambda answering: answering.answer_input(False))
        assert result.stdout == "no more\n"
        result = await _unanswered(room, "input()", lambda answering: answering.aclose())
        assert result.error is not None
        assert "nobody is left" in result.error.traceback[-1]
        assert (await (await room.execute("1"))).ok


async def _unanswered(room: Room, code: str, leave: Callable[[Room], Awaitable[None]]) -> Result:
    """How code ends that asked while there was somebody who answers, and then nobody."""
    async with opened() as answering:
        await answering.answer_input()
        await answering.announce(code)
        await retry_until_async(lambda: any(peer.name == code for peer in room.peers))
        execution = await room.execute(code)
        await retry_until_async(lambda: _waits(room))
        await leave(answering)
        result = await execution
    assert result.error is not None
    assert result.error.name == "StdinNotImplementedError"
    return result


async def test_input_fails_at_once_when_the_client_that_answers_is_killed(room: Room) -> None:
    client = await asyncio.create_subprocess_exec(sys.executable, "-c", ANSWERS)
    try:
        await retry_until_async(lambda: any(peer.name == "person" for peer in room.peers), 20)
        execution = await room.execute("input()")
        await retry_until_async(lambda: _waits(room))
    finally:
        client.kill()
        await client.wait()
    async with asyncio.timeout(5):
        result = await execution
    assert result.error is not None
    assert result.error.name == "StdinNotImplementedError"


ANSWERS = """
import time
from sandbox_tui import Ref, blocking
with blocking() as api:
    room = api.room(Ref("room:lab"))
    room.answer_input()
    room.announce("person")
    time.sleep(60)
"""


async def _question(events: AsyncIterator[RoomEvent]) -> InputAsked:
    async for event in events:
        if isinstance(event, InputAsked):
            return event
    raise AssertionError


async def _waits(room: Room) -> bool:
    api = await RemoteApi.connect()
    try:
        return (await facts(api)).waits_for_input
    finally:
        await api.aclose()


async def test_what_code_may_go_on_with(room: Room) -> None:
    await (await room.execute("élan_vital = 1"))
    offered = await room.complete("x = élan_v", 10)
    assert (offered.matches, offered.start, offered.end) == (("élan_vital",), 4, 10)
    await room.stop()
    with pytest.raises(NotRunningError):
        await room.complete("1", 1)


async def test_the_last_one_to_leave_may_stop_the_kernel(api: RemoteApi) -> None:
    room = await begin(api)
    async with opened() as other:
        await room.leave(stop_kernel_if_last=True)
        assert (await (await other.execute("1"))).ok
        await other.leave(stop_kernel_if_last=True)
    await retry_until_async(lambda: _state(api) is State.STOPPED)


def _state(api: RemoteApi) -> State | None:
    box = api.world.get(LAB)
    return box.state if box else None


async def test_who_vanishes_leaves_its_seat(room: Room) -> None:
    api = await RemoteApi.connect()
    gone = await api.room(LAB)
    gone.document.add("mine")
    await retry_until_async(lambda: sources(room) == ["mine"])
    await api.aclose()
    await retry_until_async(lambda: len(room.peers) == 1)
    assert gone.lost is not None
    with pytest.raises(SandboxError):
        gone.document.add("nobody hears this")


async def test_a_change_that_is_none_ends_that_client_and_no_other(room: Room, other: Room) -> None:
    line = vars(room)["_line"]
    line.say(Merge(room.document.epoch, b"rubbish"))
    await retry_until_async(lambda: room.lost is not None)
    assert "no change of a document" in str(room.lost)
    other.document.add("1")
    assert (await (await other.execute("1"))).ok
    assert len(other.peers) == 1


async def test_a_room_that_is_not_there(api: RemoteApi) -> None:
    with pytest.raises(NotFoundError):
        await api.room(LAB)


# --- files ------------------------------------------------------------------------------------


async def test_a_notebook_file_is_opened_and_saved_without_loss(
    api: RemoteApi, tmp_path: Path
) -> None:
    cells: list[dict[str, object]] = [
        {"cell_type": "markdown", "id": "one", "metadata": {"x": 1}, "source": ["# T"]},
        {
            "cell_type": "code",
            "id": "two",
            "metadata": {"tags": ["t"]},
            "execution_count": 7,
            "source": ["1 + 1"],
            "outputs": [{"output_type": "stream", "name": "stdout", "text": ["said\n"]}],
        },
    ]
    whole = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"mine": True}, "cells": cells}
    file = tmp_path / "a.ipynb"
    await asyncio.to_thread(file.write_text, json.dumps(whole))
    await api.perform(Start(name="lab", kind=Kind.ROOM, notebook=str(file), labels={"a": "b"}))
    box = api.world.get(LAB)
    assert box is not None
    assert box.labels == {"a": "b"}
    room = await api.room(LAB)
    assert said(room, "two") == "said\n"
    assert await room.save_as() == str(file)
    saved = json.loads(await asyncio.to_thread(file.read_text))
    assert saved["cells"] == cells
    assert saved["metadata"]["mine"] is True
    await room.aclose()


@pytest.mark.parametrize("content", ['{"nbformat": 4,\n "cells": [', '{\n"cells": 3}', None])
async def test_a_bad_file_makes_no_room_and_is_left_alone(
    api: RemoteApi, tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "bad.ipynb"
    if content is not None:
        await asyncio.to_thread(file.write_text, content)
    with pytest.raises(InvalidSpecError, match=r"bad\.ipynb: (line 2|No such file)"):
        await api.perform(Start(name="lab", kind=Kind.ROOM, notebook=str(file)))
    assert api.world.get(LAB) is None
    if content is not None:
        assert await asyncio.to_thread(file.read_text) == content


def notebook_for(folder: Path, name: str, language: str) -> str:
    """A notebook file that names a kernel."""
    metadata = {"kernelspec": {"name": name, "language": language, "display_name": name}}
    whole = {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": []}
    file = folder / f"{name}.ipynb"
    file.write_text(json.dumps(whole))
    return str(file)


async def kernel_of(api: RemoteApi, wish: Start) -> str:
    """The kernel that the room is given."""
    await api.perform(wish)
    box = api.world.get(LAB)
    assert box is not None
    assert isinstance(box.facts, RoomFacts)
    return box.facts.kernel


@pytest.fixture
def _mine(home: Path) -> None:
    """An installed kernel named `mine`, which is this Python."""
    folder = home / "data/jupyter/kernels/mine"
    folder.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "mine", "language": "python"}
    (folder / "kernel.json").write_text(json.dumps(spec))


@pytest.mark.usefixtures("_mine")
@pytest.mark.parametrize(
    ("named", "asked", "given"),
    [("mine", None, "mine"), ("python3", None, "python"), ("gone", "mine", "mine")],
)
async def test_a_file_chooses_the_kernel_that_nobody_named(
    api: RemoteApi, tmp_path: Path, named: str, asked: str | None, given: str
) -> None:
    file = await asyncio.to_thread(notebook_for, tmp_path, named, "python")
    wish = Start(name="lab", kind=Kind.ROOM, notebook=file, kernel=asked)
    assert await kernel_of(api, wish) == given


async def test_a_room_is_shut_in_as_it_is_told(api: RemoteApi) -> None:
    await api.perform(OpenRoom(ref=LAB))
    room = await api.room(LAB)
    with pytest.raises(InvalidSpecError, match=r"'box' is none of none, container, container\+net"):
        await room.start(isolation="box")
    await room.start(isolation="none")
    assert (await (await room.execute("print(1)"))).ok
    await room.aclose()


async def test_a_file_for_a_kernel_that_is_not_there(api: RemoteApi, tmp_path: Path) -> None:
    """Python is Python, and it is said; any other language is refused with what there is."""
    lost = await asyncio.to_thread(notebook_for, tmp_path, "lost-env", "python")
    assert await kernel_of(api, Start(name="lab", kind=Kind.ROOM, notebook=lost)) == "python"
    log = [output.text async for output in api.follow(LAB, live=False) if isinstance(output, Text)]
    assert "no kernel named 'lost-env' is installed" in "".join(log)
    await api.perform(Stop(ref=LAB))
    await api.perform(Remove(ref=LAB))
    julia = await asyncio.to_thread(notebook_for, tmp_path, "julia-1.9", "julia")
    with pytest.raises(InvalidSpecError, match=r"'julia-1\.9' is installed; there are: .*python"):
        await api.perform(Start(name="lab", kind=Kind.ROOM, notebook=julia))
    assert api.world.get(LAB) is None


# --- a daemon that is killed ------------------------------------------------------------------


async def test_a_kill_right_after_the_start_loses_no_room(home: Path) -> None:
    api = await RemoteApi.connect(start=True)
    await api.perform(Start(name="lab", kind=Kind.ROOM))
    await kill_daemon(home)
    await api.aclose()
    async with opened() as room:
        assert (await (await room.execute("print('alive')"))).stdout == "alive\n"
    await daemon.stop()


async def test_a_kill_in_the_middle_of_a_run_loses_a_tenth_of_a_second(home: Path) -> None:
    api = await RemoteApi.connect(start=True)
    room = await begin(api)
    done = room.document.add("print('done é')")
    await (await room.run_cell(done))
    cell = room.document.add(
        "import time\nn = 0\nwhile n < 60:\n  print(n, flush=True); n += 1\n  time.sleep(0.05)"
    )
    room.document.set_metadata("mine", "ü")
    execution = await room.run_cell(cell)
    async for output in execution:
        if isinstance(output, Text) and "9\n" in output.text:
            break
    notebook = room.document.notebook()
    await lapse(0.1)  # what is older than this is on the disk
    await kill_daemon(home)
    assert (await execution).outcome is Outcome.DIED
    await api.aclose()
    async with opened() as back:
        assert back.document.notebook() == notebook
        assert said(back, done) == "done é\n"
        lost = said(back, cell)
        assert lost.startswith("".join(f"{n}\n" for n in range(9)))
        assert "is lost" in lost
        died = await (await back.execution(execution.id))
        assert died.outcome is Outcome.DIED
        assert died.stdout.startswith("".join(f"{n}\n" for n in range(9)))
        await back.interrupt()
        assert (await (await back.execute("print(n > 0)"))).stdout == "True\n"
    await daemon.stop()


async def test_the_epoch_outlives_the_daemon(home: Path) -> None:
    async with _daemon() as api:
        room = await begin(api)
        epoch = room.document.epoch
        room.document.add("kept")
        await room.aclose()
    async with _daemon() as api:
        room = await api.room(LAB)
        assert (room.document.epoch, sources(room)) == (epoch, ["kept"])
        await room.aclose()


@asynccontextmanager
async def _daemon() -> AsyncIterator[RemoteApi]:
    api = await RemoteApi.connect(start=True)
    try:
        yield api
    finally:
        await api.aclose()
        await daemon.stop()


async def test_a_corrupt_log_is_set_aside_and_told(home: Path) -> None:
    """The room comes back from its notebook file, and whoever looks is told what happened."""
    api = await RemoteApi.connect(start=True)
    room = await begin(api)
    room.document.add("x = 'é'")
    await room.aclose()
    await api.aclose()
    await daemon.stop()
    log = DaemonHome.at().state / "rooms" / "lab.log"
    await asyncio.to_thread(log.write_bytes, b"\0" * 100)
    async with opened() as again:
        assert [cell.source for cell in again.document.cells()] == ["x = 'é'"]
        api = await RemoteApi.connect()
        health = (await api.settled()).health_of(Place(Kind.ROOM))
        await api.aclose()
        assert health is not None
        assert health.impaired
        assert "lab.log is set aside" in health.detail
        assert await asyncio.to_thread(log.with_suffix(".broken-1").exists)
    await daemon.stop()
