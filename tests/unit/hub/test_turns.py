"""Who runs next."""

from __future__ import annotations

import asyncio

import pytest

from sandbox_tui.hub import turns as module
from sandbox_tui.hub.turns import Turn, Turns
from sandbox_tui.model.errors import ConflictError
from sandbox_tui.model.outputs import Outcome
from sandbox_tui.model.refs import Ref
from sandbox_tui.runtime.execution import Execution


def turn(call: object = None) -> Turn:
    return Turn(call, Execution(Ref("room:lab"), ""), None, None)


async def test_first_come_first_served() -> None:
    turns = Turns()
    added = [turn() for _ in range(3)]
    turns.add(added[:2])
    turns.add(added[2:])
    assert [await turns.next() for _ in range(3)] == added
    assert len(turns) == 0


async def test_next_waits_until_there_is_one() -> None:
    turns = Turns()
    waiting = asyncio.create_task(turns.next())
    await asyncio.sleep(0)
    assert not waiting.done()
    only = turn()
    turns.add([only])
    assert await waiting is only


async def test_one_call_can_be_dropped_and_is_answered_at_once() -> None:
    turns = Turns()
    mine, other = [turn("mine") for _ in range(2)], turn("other")
    turns.add([mine[0], other, mine[1]])
    assert turns.drop("why", call="mine")
    assert [t.execution.result and t.execution.result.outcome for t in mine] == [
        Outcome.CANCELLED,
        Outcome.CANCELLED,
    ]
    assert other.execution.result is None
    assert not turns.drop("why", call="mine")
    assert await turns.next() is other


async def test_one_execution_can_be_dropped() -> None:
    turns = Turns()
    added = [turn(), turn()]
    turns.add(added)
    assert turns.drop("why", execution=added[0].execution)
    assert await turns.next() is added[1]


async def test_everything_can_be_dropped() -> None:
    turns = Turns()
    turns.add([turn("a"), turn("b")])
    assert turns.drop("why")
    assert len(turns) == 0
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(turns.next(), 0.01)


async def test_a_turn_that_is_dropped_before_it_is_taken() -> None:
    turns = Turns()
    waiting = asyncio.create_task(turns.next())
    await asyncio.sleep(0)
    turns.add([turn()])
    turns.drop("why")
    await asyncio.sleep(0)
    only = turn()
    turns.add([only])
    async with asyncio.timeout(1):
        assert await waiting is only


async def test_there_is_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    turns = Turns()
    turns.add([turn(), turn()])
    with pytest.raises(ConflictError, match="2 runs wait already"):
        turns.add([turn()])
