"""Apis that wrap another and refuse: to be looked at only, and with few kernels."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

import sandbox_tui.backends.memory.story  # noqa: F401  # imports files, which no loop should
from sandbox_tui.api.base import Api
from sandbox_tui.api.client import connect
from sandbox_tui.api.limited import LimitedApi
from sandbox_tui.api.read_only import LOOKS, ReadOnlyApi
from sandbox_tui.documents.line import Announce, Merge
from sandbox_tui.hub.handlers import performable
from sandbox_tui.model.actions import Action, Restart, Run, Start, Stop
from sandbox_tui.model.errors import LimitReachedError, ReadOnlyError
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.model.world import State

ROOM = Ref("room:scratch")
SAMPLES = {"ref": ROOM, "index": 0, "cursor": 0, "content": b"", "images": ()}


@asynccontextmanager
async def demo(*, read_only: bool = False) -> AsyncIterator[Api]:
    async with connect(demo=True, read_only=read_only) as api:
        await api.settled()
        yield api


@pytest.mark.parametrize("kind", sorted(performable(), key=str), ids=lambda kind: kind.__name__)
def test_every_action_but_a_look_is_refused(kind: type[Action]) -> None:
    checked = ReadOnlyApi.__new__(ReadOnlyApi)
    needed = [field.name for field in msgspec.structs.fields(kind) if field.required]
    action = kind(**{name: SAMPLES.get(name, "x") for name in needed})
    if kind in LOOKS:
        checked.check(action)
    else:
        with pytest.raises(ReadOnlyError, match=kind.__name__):
            checked.check(action)


async def test_one_can_look_and_nothing_else() -> None:
    async with demo(read_only=True) as api:
        assert api.world.get(ROOM) is not None
        assert (await anext(api.notebooks(ROOM))).cells
        for refused in (api.perform(Stop(ref=ROOM)), api.execute(ROOM, "1"), api.session(ROOM)):
            with pytest.raises(ReadOnlyError):
                await refused


async def test_a_room_can_be_watched_and_not_edited() -> None:
    async with demo(read_only=True) as api:
        room = await api.room(ROOM)
        assert room.notebook.cells
        line = await api.line(ROOM)
        line.say(Announce("ann"))
        with pytest.raises(ReadOnlyError):
            line.say(Merge("epoch", b""))
        with pytest.raises(ReadOnlyError):
            await line.perform(Restart(ref=ROOM))
        with pytest.raises(ReadOnlyError):
            await line.begin(Run(ref=ROOM, code="1"))
        await room.aclose()


async def test_only_so_many_kernels_live() -> None:
    async with demo() as api:
        live = [box for box in api.world.of(Kind.ROOM) if box.state.is_live]
        full, roomy = LimitedApi(api, len(live)), LimitedApi(api, len(live) + 1)
        start = Start(name="more", kind=Kind.ROOM)
        with pytest.raises(LimitReachedError):
            await full.perform(start)
        await full.perform(Run(ref=live[0].ref, code="echo 1"))  # it has its kernel already
        await roomy.perform(start)
        with pytest.raises(LimitReachedError):
            await roomy.perform(Start(name="room:most"))

        await api.perform(Stop(ref=live[0].ref))
        stopped = api.world.get(live[0].ref)
        assert stopped is not None
        assert stopped.state is State.STOPPED
        await full.perform(Restart(ref=live[1].ref))
        with pytest.raises(LimitReachedError):
            await full.execute(live[0].ref, "echo 1")
