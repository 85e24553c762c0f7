"""One suite for rooms as objects: over an Api in this process, and at the other end of a socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox_tui.api.base import Api
from sandbox_tui.api.client import running
from sandbox_tui.api.local import LocalApi
from sandbox_tui.api.remote import RemoteApi
from sandbox_tui.api.room import Room
from sandbox_tui.backends.memory.rooms import MemoryRooms
from sandbox_tui.hub.hub import Hub
from sandbox_tui.model.cells import CellKind
from sandbox_tui.model.errors import (
    CellNotFoundError,
    NotFoundError,
    SandboxError,
    UnsupportedError,
    UsageError,
)
from sandbox_tui.model.outputs import Outcome
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.model.room import CellsChanged, PeersChanged
from sandbox_tui.model.specs import RoomSpec
from tests.serving import served
from tests.support import retry_until_async

LAB = Ref("room:lab")


@pytest.fixture(params=["local", "remote"])
async def api(request: pytest.FixtureRequest, home: Path) -> AsyncIterator[Api]:
    rooms = MemoryRooms()
    await rooms.start(RoomSpec(name="lab"))
    hub = Hub((rooms,), intervals=dict.fromkeys(Kind, 0.05))
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


@pytest.fixture
async def room(api: Api) -> AsyncIterator[Room]:
    room = await api.room(LAB)
    yield room
    await room.aclose()


@pytest.fixture
async def other(api: Api, room: Room) -> AsyncIterator[Room]:
    other = await api.room(LAB)
    yield other
    await other.aclose()


def sources(room: Room) -> list[str]:
    return [cell.source for cell in room.document.cells()]


async def test_changes_are_there_at_once_and_then_everywhere(room: Room, other: Room) -> None:
    one = room.document.add("é")
    two = room.document.add("# T", CellKind.MARKDOWN, 0)
    room.document.append(one, "🙂")
    assert sources(room) == ["# T", "é🙂"]
    await retry_until_async(lambda: sources(other) == ["# T", "é🙂"])
    other.document.move(two, 9)
    other.document.edit(one, "e🙂")
    await retry_until_async(lambda: sources(room) == ["e🙂", "# T"])
    room.document.remove(one)
    room.document.set_metadata("a", [1])
    await retry_until_async(lambda: other.document.metadata() == {"a": [1]})
    assert sources(other) == ["# T"]


async def test_a_cell_runs_right_after_it_was_added(room: Room, other: Room) -> None:
    cell = room.document.add("echo hello")
    execution = await room.run_cell(cell)
    result = await execution
    assert result.outcome is Outcome.OK
    assert (await (await other.execution(execution.id))).stdout == result.stdout
    await retry_until_async(
        lambda: (run := other.run_of(cell)) is not None and run.status == "done"
    )
    entry = other.notebook.cells[0]
    assert entry.run is not None
    assert (entry.cell.id, entry.run.execution_id) == (cell, execution.id)
    await other.clear_outputs()
    await retry_until_async(lambda: room.run_of(cell) is None)


async def test_what_cannot_be_run(room: Room) -> None:
    text = room.document.add("# T", CellKind.MARKDOWN)
    with pytest.raises(CellNotFoundError, match="Cell not found: nope"):
        await room.run_cell("nope")
    with pytest.raises(UnsupportedError, match=f"Cannot execute non-code cell: {text}"):
        await room.run_cell(text)
    with pytest.raises(NotFoundError):
        await room.execution("nope")


async def test_notebooks_begin_with_the_newest_and_skip(room: Room) -> None:
    notebooks = room.notebooks()
    assert (await anext(notebooks)).cells == ()
    for number in range(5):
        room.document.add(str(number))
    assert [entry.cell.source for entry in (await anext(notebooks)).cells] == list("01234")


async def test_peers_and_events(room: Room, other: Room) -> None:
    events = other.events()
    waiting = asyncio.ensure_future(anext(events))
    await asyncio.sleep(0)
    await room.announce("bot", "cell-1", 2)
    async with asyncio.timeout(5):
        event = await waiting
        while not (isinstance(event, PeersChanged) and event.peers[0].name == "bot"):
            event = await anext(events)
        room.document.add("1")
        while not isinstance(event, CellsChanged):
            event = await anext(events)
    assert [peer.id for peer in other.peers] == [room.id, other.id]
    await room.leave()
    await retry_until_async(lambda: len(other.peers) == 1)


async def test_a_closed_room_takes_no_more(api: Api) -> None:
    room = await api.room(LAB)
    room.document.add("kept")
    await room.aclose()
    await room.aclose()
    with pytest.raises(UsageError, match="closed"):
        room.document.add("lost")
    with pytest.raises(SandboxError):
        await anext(room.events())
    again = await api.room(LAB)
    assert sources(again) == ["kept"]
    await again.aclose()


async def test_a_room_that_is_not_there(api: Api) -> None:
    with pytest.raises(NotFoundError):
        await api.room(Ref("room:nope"))
