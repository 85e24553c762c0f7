"""The daemon's rooms in another program's Hub: with a daemon, without one, and in between."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest

from sandbox_tui.api import daemon
from sandbox_tui.api.client import running
from sandbox_tui.api.local import LocalApi
from sandbox_tui.api.mounted import MountedBackend
from sandbox_tui.api.remote import RemoteApi
from sandbox_tui.backends import base
from sandbox_tui.documents.ipynb import StoredNotebook
from sandbox_tui.documents.room_log import StoredRoom
from sandbox_tui.documents.store import RoomStore
from sandbox_tui.hub.hub import Hub
from sandbox_tui.model.actions import (
    AddCell,
    Attach,
    Attachment,
    Remove,
    Restart,
    RunAll,
    RunCell,
    Start,
    Stop,
)
from sandbox_tui.model.cells import Cell, CellKind
from sandbox_tui.model.errors import NotRunningError, SandboxError
from sandbox_tui.model.outputs import Outcome, Text
from sandbox_tui.model.refs import Kind, Place, Ref
from sandbox_tui.model.specs import RoomSpec
from sandbox_tui.model.world import Health, RoomFacts, State
from sandbox_tui.runtime import link
from sandbox_tui.runtime.execution import Execution
from tests.integration.daemon.conftest import processes
from tests.support import lapse, retry_until_async

LAB = Ref("room:lab")
PLACE = Place(Kind.ROOM)


@pytest.fixture
async def client() -> AsyncIterator[LocalApi]:
    """A program's own Hub with the daemon's rooms mounted; no daemon runs yet."""
    hub = Hub([MountedBackend(PLACE)], intervals={Kind.ROOM: 0.1})
    async with running(hub):
        await hub.settled()
        yield LocalApi(hub)
    await daemon.stop()


def health(client: LocalApi) -> Health:
    found = client.world.health_of(PLACE)
    assert found is not None
    return found


def state(client: LocalApi) -> State | None:
    box = client.world.get(LAB)
    return box.state if box else None


async def begin(client: LocalApi) -> None:
    await client.perform(Start(name="lab", kind=Kind.ROOM))


def store_room(home: Path, *sources: str) -> None:
    cells = tuple(Cell(f"cell-{n}", CellKind.CODE, source) for n, source in enumerate(sources))
    RoomStore(home / "app" / "rooms").checkpoint(
        StoredRoom(spec=RoomSpec(name="lab"), notebook=StoredNotebook(cells))
    )


@pytest.mark.parametrize(
    "ability",
    [
        base.Backend,
        base.Wakes,
        base.Runs,
        base.Follows,
        base.Interrupts,
        base.Restarts,
        base.Notebooks,
        base.Measures,
        base.Inspects,
        base.Attaches,
    ],
)
def test_abilities(ability: type) -> None:
    assert isinstance(MountedBackend(PLACE), ability)


async def test_looking_starts_no_daemon(client: LocalApi, home: Path) -> None:
    for _ in range(3):
        await client._hub.refresh(PLACE)
    assert await client.vitals([LAB]) == {}

    assert client.world.sandboxes == ()
    assert health(client).ok
    assert health(client).detail == "no daemon yet (starts with the first room)"
    assert not processes(home)


async def test_a_room_starts_the_daemon(client: LocalApi) -> None:
    await begin(client)

    assert state(client) is State.IDLE
    assert health(client).ok
    assert health(client).detail == ""
    assert (await daemon.status()).rooms == 1
    result = await (await client.execute(LAB, "print(6 * 7)"))
    assert result.stdout == "42\n"


async def test_its_folder_is_this_programs(
    client: LocalApi, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "work" / "deeper").mkdir(parents=True)
    monkeypatch.chdir(home / "work")
    await begin(client)
    result = await (await client.execute(LAB, "import os; print(os.getcwd())"))
    assert result.stdout == f"{home}/work\n"

    await client.perform(Start(name="other", kind=Kind.ROOM, working_dir="deeper"))
    result = await (await client.execute(Ref("room:other"), "import os; print(os.getcwd())"))
    assert result.stdout == f"{home}/work/deeper\n"


async def test_stop_restart_remove(client: LocalApi) -> None:
    await begin(client)
    await (await client.execute(LAB, "x = 1"))
    await client.perform(Restart(ref=LAB))
    result = await (await client.execute(LAB, "x"))
    assert result.error is not None
    await client.perform(Stop(ref=LAB))
    assert state(client) is State.STOPPED
    await client.perform(Start(name="lab"))
    assert state(client) is State.IDLE
    await client.perform(Remove(ref=LAB, force=True))
    assert state(client) is None


async def test_stored_rooms_are_there_without_a_daemon(client: LocalApi, home: Path) -> None:
    await asyncio.to_thread(store_room, home, "print(1)", "print(2)")
    await retry_until_async(lambda: state(client) is State.STOPPED)

    box = client.world.get(LAB)
    assert box is not None
    assert isinstance(box.facts, RoomFacts)
    assert box.facts.cells == 2
    assert not processes(home)


async def test_doing_something_with_a_stored_room_starts_the_daemon(
    client: LocalApi, home: Path
) -> None:
    await asyncio.to_thread(store_room, home, "print(1)")
    await retry_until_async(lambda: state(client) is State.STOPPED)
    cell = cast(str, await client.perform(AddCell(ref=LAB, source="print(2)")))

    execution = cast(Execution, await client.perform(RunCell(ref=LAB, cell_id=cell)))
    assert (await execution).stdout == "2\n"
    notebook = await anext(client.notebooks(LAB))
    assert [entry.cell.source for entry in notebook.cells] == ["print(1)", "print(2)"]


async def test_run_all_through_two_hubs(client: LocalApi) -> None:
    await begin(client)
    for source in ("print(1)", "oops", "print(3)"):
        await client.perform(AddCell(ref=LAB, source=source))
    executions = cast(list[Execution], await client.perform(RunAll(ref=LAB)))

    assert [(await execution).outcome for execution in executions] == [
        Outcome.OK,
        Outcome.ERROR,
        Outcome.CANCELLED,
    ]


async def test_what_another_client_does_is_pushed(home: Path) -> None:
    hub = Hub([MountedBackend(PLACE)], intervals={Kind.ROOM: 60.0})
    other = await RemoteApi.connect(start=True)
    async with running(hub):
        await hub.settled()
        await other.perform(Start(name="lab", kind=Kind.ROOM))
        await retry_until_async(lambda: hub.world.get(LAB) is not None)
        await other.execute(LAB, "import time; time.sleep(1)")
        await retry_until_async(lambda: (box := hub.world.get(LAB)) and box.state is State.BUSY)
    await other.aclose()
    await daemon.stop()


async def test_log_inspect_vitals_attach(client: LocalApi) -> None:
    await begin(client)
    await (await client.execute(LAB, "print('logged')"))
    said = [output async for output in client.follow(LAB, live=False)]
    assert "logged\n" in "".join(output.text for output in said if isinstance(output, Text))
    assert (await client.inspect(LAB))["ref"] == LAB
    assert (await client.vitals([LAB]))[LAB].memory
    attachment = await client.perform(Attach(ref=LAB))
    assert isinstance(attachment, Attachment)
    assert attachment.argv[1:] == ("-m", "sandbox_tui", "attach", LAB)


async def test_a_killed_daemon_is_red_until_the_next(client: LocalApi) -> None:
    await begin(client)
    await lapse(0.1)  # what is older than this is on the disk
    pid = (await daemon.status()).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await retry_until_async(lambda: not health(client).ok)
    assert "died" in health(client).detail
    assert health(client).hint == "Run: sandbox-tui daemon start"
    box = client.world.get(LAB)
    assert box is not None
    assert box.stale_since is not None

    await daemon.start()
    await retry_until_async(lambda: health(client).ok)
    box = client.world.get(LAB)
    assert box is not None
    assert box.stale_since is None
    assert state(client) is State.IDLE


async def test_an_action_after_a_crash_starts_the_next_daemon(client: LocalApi) -> None:
    await begin(client)
    await (await client.execute(LAB, "x = 5"))
    await lapse(0.1)  # what is older than this is on the disk
    pid = (await daemon.status()).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await retry_until_async(lambda: not health(client).ok)

    result = await (await client.execute(LAB, "print(x)"))
    assert result.stdout == "5\n"


async def test_a_room_goes_on_with_the_next_daemon(client: LocalApi) -> None:
    await begin(client)
    room = await client.room(LAB)
    cell = room.document.add("print('é')")
    assert (await (await room.run_cell(cell))).stdout == "é\n"
    await lapse(0.1)  # what is older than this is on the disk
    pid = (await daemon.status()).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await retry_until_async(lambda: room.lost is not None)
    room.document.append(cell, "; print('more')")
    with pytest.raises(SandboxError):
        await room.run_cell(cell)
    other = await RemoteApi.connect(start=True)
    there = await other.room(LAB)
    await retry_until_async(lambda: there.document.get(cell).source.endswith("more')"))
    assert room.lost is None
    assert (await (await room.run_cell(cell))).stdout == "é\nmore\n"
    await room.aclose()
    await there.aclose()
    await other.aclose()


async def test_a_stopped_daemon_is_no_failure(client: LocalApi) -> None:
    await begin(client)
    await daemon.stop()

    await retry_until_async(lambda: state(client) is State.STOPPED)
    assert health(client).ok
    assert "no daemon yet" in health(client).detail
    with pytest.raises(NotRunningError):
        await client.perform(Stop(ref=LAB))


async def test_a_hung_daemon_is_red_and_comes_back(
    client: LocalApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "BEAT", 0.1)
    monkeypatch.setattr(link, "GREETING", 0.2)
    await begin(client)
    pid = (await daemon.status()).pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        await retry_until_async(lambda: not health(client).ok)
        assert "answer" in health(client).detail
    finally:
        os.kill(pid, signal.SIGCONT)
    await retry_until_async(lambda: health(client).ok, timeout=10)
    assert state(client) is State.IDLE
