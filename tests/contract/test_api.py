"""One suite, every Api: in this process, and at the other end of a socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest

from sandbox_tui.api.base import Api
from sandbox_tui.api.client import running
from sandbox_tui.api.local import LocalApi
from sandbox_tui.api.remote import RemoteApi
from sandbox_tui.backends.memory.kinds import MemoryContainers, MemoryTerminals
from sandbox_tui.backends.memory.rooms import MemoryRooms
from sandbox_tui.hub.hub import Hub
from sandbox_tui.model import actions
from sandbox_tui.model.actions import Attachment
from sandbox_tui.model.cells import Notebook
from sandbox_tui.model.errors import (
    AlreadyExistsError,
    BackendUnavailableError,
    CellNotFoundError,
    ConflictError,
    InvalidSpecError,
    NotFoundError,
    NotRunningError,
    SandboxError,
    UnsupportedError,
)
from sandbox_tui.model.outputs import Display, Failure, Outcome, Output, Text
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.model.specs import ContainerSpec, RoomSpec, TmuxSpec
from sandbox_tui.model.world import State, World
from sandbox_tui.runtime.execution import Execution
from tests.serving import served

DEV, WEB, LAB = Ref("tmux:dev"), Ref("container:web"), Ref("room:lab")
SOON = 5.0


class Machine:
    """Three memory backends with one sandbox each."""

    def __init__(self) -> None:
        self.terminals = MemoryTerminals()
        self.containers = MemoryContainers()
        self.rooms = MemoryRooms()

    async def begin(self) -> None:
        await self.terminals.start(TmuxSpec(name="dev"))
        await self.containers.start(ContainerSpec(name="web", image="web:1"))
        await self.rooms.start(RoomSpec(name="lab"))

    def hub(self) -> Hub:
        return Hub(
            (self.terminals, self.containers, self.rooms),
            definitions={Ref("tmux:bot"): TmuxSpec(name="bot", command="python bot.py")},
            intervals=dict.fromkeys(Kind, 0.05),
        )


@pytest.fixture
async def machine() -> Machine:
    machine = Machine()
    await machine.begin()
    return machine


@pytest.fixture(params=["local", "remote"])
async def api(request: pytest.FixtureRequest, machine: Machine, home: Path) -> AsyncIterator[Api]:
    hub = machine.hub()
    async with running(hub):
        await hub.settled()
        local = LocalApi(hub)
        if request.param == "local":
            yield local
            return
        async with served(local, home / "run" / "api.sock") as path:
            remote = await RemoteApi.connect(path)
            yield remote
            await remote.aclose()


def state(api: Api, ref: Ref) -> State | None:
    box = api.world.get(ref)
    return box.state if box else None


async def first(source: AsyncIterator[Output], count: int) -> list[Output]:
    found: list[Output] = []
    async with asyncio.timeout(SOON):
        async for item in source:
            found.append(item)
            if len(found) == count:
                break
    return found


async def run(api: Api, ref: Ref, code: str, *, timeout: float | None = None) -> Execution:
    return await api.execute(ref, code, timeout=timeout)


# --- the world ----------------------------------------------------------------------------------


async def test_the_world_is_there_at_once(api: Api) -> None:
    assert {box.ref for box in api.world.sandboxes} == {DEV, WEB, LAB, Ref("tmux:bot")}
    assert all(health.ok for health in api.world.health)


async def test_worlds_begin_with_the_newest_and_go_on(api: Api, machine: Machine) -> None:
    seen: list[World] = []
    async with asyncio.timeout(SOON):
        async for world in api.worlds():
            seen.append(world)
            if len(seen) == 1:
                machine.terminals.drop(DEV)
            if world.get(DEV) is None:
                break

    assert seen[0].get(DEV) is not None
    revisions = [world.revision for world in seen]
    assert revisions == sorted(set(revisions))


async def test_a_slow_reader_skips_worlds(api: Api, machine: Machine) -> None:
    worlds = api.worlds()
    begin = await anext(worlds)
    for number in range(10):
        machine.terminals.change(DEV, title=f"title {number}")
        await until(api, lambda world, n=number: titled(world, f"title {n}"))

    world = await anext(worlds)
    assert titled(world, "title 9")
    assert world.revision >= begin.revision + 10


async def until(api: Api, wanted: object) -> World:
    async with asyncio.timeout(SOON):
        async for world in api.worlds():
            if callable(wanted) and wanted(world):
                return world
    raise AssertionError("worlds ended")


def titled(world: World, title: str) -> bool:
    box = world.get(DEV)
    return box is not None and box.title == title


async def test_worlds_since_the_newest_waits_for_the_next(api: Api, machine: Machine) -> None:
    following = asyncio.ensure_future(anext(api.worlds(api.world.revision)))
    done, _ = await asyncio.wait([following], timeout=0.2)
    assert not done

    machine.terminals.drop(DEV)
    async with asyncio.timeout(SOON):
        assert (await following).get(DEV) is None


async def test_settled_is_a_world_in_which_everybody_answered(api: Api) -> None:
    world = await api.settled()

    assert {health.kind for health in world.health} == set(Kind)
    assert api.world.revision >= world.revision


async def test_a_dead_backend_is_told_and_its_sandboxes_are_stale(
    api: Api, machine: Machine
) -> None:
    machine.containers.down = "no engine"

    world = await until(api, lambda world: not all(health.ok for health in world.health))

    box = world.get(WEB)
    assert box is not None
    assert box.stale_since is not None
    with pytest.raises(BackendUnavailableError, match="no engine"):
        await api.perform(actions.Stop(ref=WEB))


# --- actions ------------------------------------------------------------------------------------


async def test_start_answers_with_a_ref_that_the_world_knows(api: Api) -> None:
    ref = await api.perform(actions.Start(name="new", kind=Kind.CONTAINER, image="x:1"))

    assert ref == "container:new"
    assert isinstance(ref, Ref)
    assert state(api, ref) is State.RUNNING


async def test_a_definition_is_started(api: Api) -> None:
    assert state(api, Ref("tmux:bot")) is State.DEFINED
    await api.perform(actions.Start(name="bot"))
    assert state(api, Ref("tmux:bot")) is State.RUNNING


async def test_stop_and_remove(api: Api) -> None:
    assert await api.perform(actions.Stop(ref=WEB)) is None
    assert state(api, WEB) is State.EXITED
    assert await api.perform(actions.Remove(ref=WEB)) is None
    assert state(api, WEB) is None


async def test_pause_resume_restart(api: Api) -> None:
    await api.perform(actions.Pause(ref=WEB))
    assert state(api, WEB) is State.PAUSED
    await api.perform(actions.Resume(ref=WEB))
    assert state(api, WEB) is State.RUNNING
    before = api.world.get(WEB)
    await api.perform(actions.Restart(ref=WEB))
    after = api.world.get(WEB)
    assert before is not None
    assert after is not None
    assert before.pid != after.pid


async def test_send_and_interrupt(api: Api) -> None:
    await api.perform(actions.Send(ref=DEV, text="make [red]all[/red]"))
    await api.perform(actions.Send(ref=DEV, key="C-c"))
    await api.perform(actions.Interrupt(ref=DEV))

    said = await first(api.follow(DEV), 3)
    assert [text.text for text in said if isinstance(text, Text)] == [
        "$ make [red]all[/red]\n",
        "<C-c>\n",
        "^C\n",
    ]


@pytest.mark.parametrize("action", [actions.Attach(ref=WEB), actions.Shell(ref=WEB)])
async def test_attach_and_shell_answer_with_an_attachment(api: Api, action: actions.Action) -> None:
    attachment = await api.perform(action)

    assert isinstance(attachment, Attachment)
    assert attachment.ref == WEB
    assert attachment.leave == "enter"
    assert attachment.argv


@pytest.mark.parametrize(
    ("action", "error"),
    [
        (actions.Stop(ref=Ref("tmux:nobody")), NotFoundError),
        (actions.Start(name="web", kind=Kind.CONTAINER, image="x"), AlreadyExistsError),
        (actions.Start(name="x", kind=Kind.CONTAINER), InvalidSpecError),
        (actions.Remove(ref=WEB), ConflictError),
        (actions.Pause(ref=DEV), UnsupportedError),
        (actions.Run(ref=DEV, code="ls"), UnsupportedError),
        (actions.EditCell(ref=LAB, cell_id="nope", source=""), CellNotFoundError),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, actions.Action) else "",
)
async def test_a_refusal_is_typed_and_says_what_helps(
    api: Api, action: actions.Action, error: type[SandboxError]
) -> None:
    with pytest.raises(error) as raised:
        await api.perform(action)

    assert type(raised.value) is error
    assert raised.value.message
    assert raised.value.hint


async def test_an_error_carries_its_data(api: Api) -> None:
    with pytest.raises(NotFoundError) as raised:
        await api.perform(actions.Stop(ref=Ref("tmux:dve")))

    assert raised.value.text == "tmux:dve"
    assert DEV in raised.value.known


async def test_one_refusal_does_not_harm_what_else_is_under_way(api: Api) -> None:
    slow = await run(api, WEB, "sleep 0.2\necho done")
    with pytest.raises(NotFoundError):
        await api.perform(actions.Stop(ref=Ref("tmux:nobody")))

    assert (await slow).stdout == "done\n"


async def test_actions_of_one_client_begin_in_their_order(api: Api) -> None:
    cells = [actions.AddCell(ref=LAB, source=str(number)) for number in range(20)]
    await asyncio.gather(*(api.perform(cell) for cell in cells))

    notebook = await anext(api.notebooks(LAB))
    assert [entry.cell.source for entry in notebook.cells] == [str(n) for n in range(20)]


# --- running code -------------------------------------------------------------------------------


async def test_execute_tells_everything(api: Api) -> None:
    execution = await run(api, WEB, "echo out\nerr bad\nexit 3")
    result = await execution

    assert execution.ref == WEB
    assert execution.code == "echo out\nerr bad\nexit 3"
    assert execution.status == "done"
    assert execution.started_at is not None
    assert result.outcome is Outcome.ERROR
    assert result.exit_code == 3
    assert (result.stdout, result.stderr) == ("out\n", "bad\n")
    assert not result.truncated


async def test_outputs_stream_while_it_runs(api: Api) -> None:
    execution = await run(api, WEB, "echo one\nsleep 0.3\necho two")
    said = [(text, execution.status) async for text in execution]

    assert said[0] == (Text("stdout", "one\n"), "running")
    assert said[-1][0] == Text("stdout", "two\n")


async def test_a_late_reader_gets_everything(api: Api) -> None:
    execution = await run(api, WEB, "echo one\nshow two\nraise three")
    await execution

    assert [output async for output in execution] == list(execution.peek())
    one, two, three = execution.peek()
    assert one == Text("stdout", "one\n")
    assert isinstance(two, Display)
    assert two.data == {"text/plain": "two"}
    assert three == Failure("RuntimeError", "three", ("RuntimeError: three",))


async def test_cancel_ends_the_code_itself(api: Api) -> None:
    execution = await run(api, WEB, "echo begun\nsleep 60")
    await anext(aiter(execution))

    async with asyncio.timeout(SOON):
        await execution.cancel()
        result = await execution
    assert result.outcome is Outcome.CANCELLED
    assert result.stdout == "begun\n"
    await execution.cancel()


async def test_only_so_much_of_the_output_is_kept_as_is_wished(api: Api) -> None:
    head = await api.execute(WEB, "echo begin\necho end", cap=5, keep="head")
    tail = await api.execute(WEB, "echo begin\necho end", cap=4)

    assert ((await head).stdout, (await head).truncated) == ("begin", True)
    assert ((await tail).stdout, (await tail).truncated) == ("end\n", True)


async def test_a_command_line_is_run_as_it_is(api: Api) -> None:
    assert (await (await api.execute(WEB, ("echo", "hi")))).stdout == "hi\n"
    with pytest.raises(UnsupportedError):
        await api.execute(LAB, ("echo", "hi"))


async def test_a_session_is_a_shell_of_its_own(api: Api) -> None:
    if isinstance(api, RemoteApi):
        with pytest.raises(UnsupportedError):
            await api.session(WEB)
        return
    session = await api.session(WEB)
    assert (await (await session.run("echo hi"))).stdout == "hi\n"
    await session.aclose()
    with pytest.raises(UnsupportedError):
        await api.session(LAB)
    with pytest.raises(NotFoundError):
        await api.session(Ref("container:nobody"))


async def test_a_timeout_ends_the_code_itself(api: Api) -> None:
    async with asyncio.timeout(SOON):
        result = await (await run(api, WEB, "sleep 60", timeout=0.1))

    assert result.outcome is Outcome.TIMED_OUT


async def test_what_runs_it_dies(api: Api) -> None:
    assert (await (await run(api, WEB, "die"))).outcome is Outcome.DIED


async def test_to_stop_waiting_is_not_to_cancel(api: Api) -> None:
    execution = await run(api, WEB, "sleep 0.3\necho done")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(asyncio.ensure_future(execution)), 0.05)

    assert (await execution).stdout == "done\n"


async def test_a_flood_arrives_whole_and_in_order(api: Api) -> None:
    result = await (await run(api, WEB, "flood 20000"))

    assert result.stdout == "".join(f"line {number}\n" for number in range(20000))


async def test_more_than_the_cap_keeps_the_newest_and_says_so(api: Api) -> None:
    async with asyncio.timeout(30):
        result = await (await run(api, WEB, "flood 1200000"))

    assert result.truncated
    assert result.stdout.endswith("line 1199999\n")
    assert len(result.stdout) <= 11 * 2**20


async def test_two_runs_do_not_mix(api: Api) -> None:
    left = await run(api, WEB, "\n".join(["echo left\nsleep 0.01"] * 10))
    right = await run(api, WEB, "\n".join(["echo right\nsleep 0.01"] * 10))

    assert (await left).stdout == "left\n" * 10
    assert (await right).stdout == "right\n" * 10


async def test_run_needs_something_that_runs(api: Api) -> None:
    await api.perform(actions.Stop(ref=WEB))

    with pytest.raises(NotRunningError):
        await run(api, WEB, "echo no")


# --- logs and screens ---------------------------------------------------------------------------


async def test_follow_is_the_tail_and_then_what_comes(api: Api, machine: Machine) -> None:
    for number in range(5):
        machine.containers.journal(WEB).say(f"line {number}")
    log = api.follow(WEB, tail=2)

    assert [await text_of(log) for _ in range(2)] == ["line 3\n", "line 4\n"]
    machine.containers.journal(WEB).say("line 5")
    assert await text_of(log) == "line 5\n"


async def text_of(log: AsyncIterator[Output]) -> str:
    async with asyncio.timeout(SOON):
        output = await anext(log)
    assert isinstance(output, Text)
    return output.text


async def test_follow_without_live_ends(api: Api, machine: Machine) -> None:
    for number in range(3000):
        machine.containers.journal(WEB).say(f"line {number}")
    machine.containers.journal(WEB).say("wrong", "stderr")

    async with asyncio.timeout(SOON):
        said = [output async for output in api.follow(WEB, tail=2501, live=False)]
    text = "".join(output.text for output in said if isinstance(output, Text))
    assert text == "".join(f"line {number}\n" for number in range(500, 3000)) + "wrong\n"
    assert isinstance(said[-1], Text)
    assert said[-1].stream == "stderr"
    assert said[-1].at is not None


async def test_follow_of_nobody_is_refused(api: Api) -> None:
    with pytest.raises(NotFoundError):
        await anext(api.follow(Ref("tmux:nobody")))


async def test_screens_show_what_changed(api: Api, machine: Machine) -> None:
    screens = api.screens([DEV, WEB])
    async with asyncio.timeout(SOON):
        assert set(await anext(screens)) == {DEV}
        machine.terminals.journal(DEV).say("\x1b[31mred\x1b[0m [/bold]")
        shown = (await anext(screens))[DEV]
    assert shown.rows[-1] == "\x1b[31mred\x1b[0m [/bold]"


# --- rooms --------------------------------------------------------------------------------------


async def add(api: Api, source: str) -> str:
    return cast(str, await api.perform(actions.AddCell(ref=LAB, source=source)))


async def test_cells_are_added_edited_removed(api: Api) -> None:
    one, two = await add(api, "echo 1"), await add(api, "echo 2")
    await api.perform(actions.AddCell(ref=LAB, source="# title", index=0))
    await api.perform(actions.EditCell(ref=LAB, cell_id=two, source="echo é"))
    await api.perform(actions.RemoveCell(ref=LAB, cell_id=one))

    notebook = await anext(api.notebooks(LAB))
    assert notebook.ref == LAB
    assert [entry.cell.source for entry in notebook.cells] == ["# title", "echo é"]


async def test_a_cell_runs_with_the_source_it_has(api: Api) -> None:
    cell = await add(api, "echo old")
    await api.perform(actions.EditCell(ref=LAB, cell_id=cell, source="echo new\nshow value"))
    execution = await api.perform(actions.RunCell(ref=LAB, cell_id=cell))

    assert isinstance(execution, Execution)
    result = await execution
    assert result.stdout == "new\n"
    assert execution.code == "echo new\nshow value"
    assert result.execution_count == 1
    assert result.display[0].execution_count == 1


async def test_a_notebook_grows_before_the_reader(api: Api) -> None:
    first_cell = await add(api, "echo one\nsleep 0.1\necho two\nsleep 0.1\necho three")
    await add(api, "echo untouched")
    await api.perform(actions.RunCell(ref=LAB, cell_id=first_cell))

    seen: list[Notebook] = []
    async with asyncio.timeout(SOON):
        async for notebook in api.notebooks(LAB):
            seen.append(notebook)
            run = notebook.cells[0].run
            if run is not None and run.status == "done":
                break
    texts = [said(notebook) for notebook in seen]
    assert texts == sorted(texts, key=len)
    assert texts[-1] == "one\ntwo\nthree\n"
    assert seen[-1].cells[1].cell.source == "echo untouched"


def said(notebook: Notebook) -> str:
    run = notebook.cells[0].run
    outputs = run.outputs if run else ()
    return "".join(output.text for output in outputs if isinstance(output, Text))


async def test_a_slow_reader_skips_notebooks(api: Api) -> None:
    notebooks = api.notebooks(LAB)
    await anext(notebooks)
    for number in range(50):
        await add(api, str(number))

    async with asyncio.timeout(SOON):
        assert len((await anext(notebooks)).cells) == 50


async def test_run_all_is_in_order_and_an_error_drops_the_rest(api: Api) -> None:
    for source in ("echo 1", "raise no", "echo 3"):
        await add(api, source)
    executions = cast(list[Execution], await api.perform(actions.RunAll(ref=LAB)))

    outcomes = [(await execution).outcome for execution in executions]
    assert outcomes == [Outcome.OK, Outcome.ERROR, Outcome.CANCELLED]


async def test_some_cells_run_alone(api: Api) -> None:
    cells = [await add(api, f"echo {number}") for number in range(3)]
    action = actions.RunAll(ref=LAB, cell_ids=(cells[2], cells[0]))
    executions = cast(list[Execution], await api.perform(action))

    assert [(await execution).stdout for execution in executions] == ["2\n", "0\n"]


async def test_notebooks_of_what_has_none_is_refused(api: Api) -> None:
    with pytest.raises(UnsupportedError):
        await anext(api.notebooks(DEV))


# --- looking closer -----------------------------------------------------------------------------


async def test_vitals_of_what_can_be_measured(api: Api) -> None:
    await api.perform(actions.Stop(ref=WEB))
    vitals = await api.vitals([DEV, WEB, LAB, Ref("tmux:nobody")])

    assert set(vitals) == {DEV, LAB}
    assert vitals[DEV].memory is not None


async def test_inspect_is_plain(api: Api) -> None:
    told = await api.inspect(WEB)

    assert told["ref"] == WEB
    assert cast(dict[str, object], told["facts"])["image"] == "web:1"
    with pytest.raises(NotFoundError):
        await api.inspect(Ref("container:nobody"))
