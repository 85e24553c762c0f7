"""A room at the end of a line that says nothing, or nonsense."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import cast

import pytest

from sandbox_tui.api.room import Room
from sandbox_tui.documents.line import Known, Line, RoomNews
from sandbox_tui.model.errors import SandboxError
from sandbox_tui.model.refs import Ref
from tests.support import retry_until_async

LAB = Ref("room:lab")


class OddLine:
    """A line on which only `hear` happens."""

    ref = LAB

    def __init__(self, hear: Callable[[], object]) -> None:
        self._hear = hear

    async def news(self, known: Known) -> AsyncGenerator[RoomNews]:
        self._hear()
        await asyncio.Event().wait()
        yield cast(RoomNews, known)


async def entered(hear: Callable[[], object]) -> Room:
    return await Room.enter(cast(Line, OddLine(hear)))


def tasks() -> list[str]:
    return [task.get_name() for task in asyncio.all_tasks() if task.get_name() == f"room {LAB}"]


async def test_nonsense_is_told_to_who_enters() -> None:
    def nonsense() -> None:
        raise ValueError("no update")

    with pytest.raises(SandboxError, match="room:lab cannot be followed: ValueError: no update"):
        await asyncio.wait_for(entered(nonsense), 5)
    assert not tasks()


async def test_who_enters_no_more_leaves_nothing_behind() -> None:
    reached = asyncio.Event()
    entering = asyncio.create_task(entered(reached.set))
    await reached.wait()
    entering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await entering
    await retry_until_async(lambda: not tasks())
