import asyncio

import pytest

from sandbox_tui.model.errors import UnsupportedError
from sandbox_tui.model.outputs import Failure, Outcome, Output, Text
from sandbox_tui.model.refs import Ref
from sandbox_tui.runtime.execution import BEHIND, Execution

REF = Ref("container:web")


def said(text: str) -> Text:
    return Text("stdout", text)


async def outputs_of(execution: Execution) -> list[Output]:
    return [output async for output in execution]


async def test_it_can_be_awaited_iterated_and_kept() -> None:
    execution = Execution(REF, "echo")
    readers = [asyncio.create_task(outputs_of(execution)) for _ in range(3)]
    waiter = asyncio.ensure_future(execution)
    await asyncio.sleep(0)
    assert execution.status == "queued"

    execution.begin()
    assert execution.status == "running"
    execution.feed(said("a"))
    await asyncio.sleep(0)
    execution.feed(Failure("E", "no"))
    execution.finish(Outcome.ERROR, exit_code=3)

    expected = [said("a"), Failure("E", "no")]
    assert [await reader for reader in readers] == [expected] * 3
    result = await waiter
    assert (result.outputs, result.exit_code, result.ok) == (tuple(expected), 3, False)
    assert result.error == Failure("E", "no")
    assert execution.status == "done"


async def test_a_late_reader_gets_everything_from_the_start() -> None:
    execution = Execution(REF, "echo")
    execution.feed(said("a"))
    execution.finish(Outcome.OK)

    assert await outputs_of(execution) == [said("a")]
    assert (await execution).stdout == "a"


async def test_read_gives_each_output_once_and_peek_leaves_them() -> None:
    execution = Execution(REF, "echo")
    execution.feed(said("a"))

    assert execution.peek() == execution.read() == (said("a"),)
    assert execution.read() == ()
    execution.feed(said("b"))
    assert execution.read() == (said("b"),)
    assert execution.peek() == (said("a"), said("b"))


async def test_output_beyond_the_cap_drops_the_oldest_and_says_so() -> None:
    execution = Execution(REF, "flood", cap=30)
    for number in range(10):
        execution.feed(said(f"{number:010}"))
    result = execution.finish(Outcome.OK)

    assert result.stdout == "".join(f"{number:010}" for number in (7, 8, 9))
    assert result.truncated


async def test_the_first_output_is_kept_instead_when_that_is_wished() -> None:
    execution = Execution(REF, ("seq", "1 2"), cap=5, keep="head")
    for text in ("abc", "def", "ghi"):
        execution.feed(said(text))
    result = execution.finish(Outcome.OK)

    assert (execution.code, result.stdout, result.truncated) == ("seq '1 2'", "abcde", True)


async def test_a_reader_of_the_stream_loses_nothing_and_holds_the_code_back() -> None:
    execution = Execution(REF, "flood", cap=10)
    stream = execution.stream()
    execution.feed(said("x"))
    assert await anext(stream) == said("x")
    for _ in range(3):
        execution.feed(said("y" * BEHIND))
    waiting = asyncio.create_task(execution.room())
    for _ in range(2):
        await asyncio.sleep(0)
        assert not waiting.done()
        assert await anext(stream) == said("y" * BEHIND)
    await asyncio.wait_for(waiting, 1)

    execution.finish(Outcome.OK)
    assert [each async for each in stream] == [said("y" * BEHIND)]


@pytest.mark.parametrize("leave", ["close", "end"])
async def test_one_that_stops_reading_holds_nothing_back(leave: str) -> None:
    execution = Execution(REF, "flood")
    execution.feed(said("x"))
    stream = execution.stream()
    await anext(stream)
    for _ in range(2):
        execution.feed(said("y" * BEHIND))
    waiting = asyncio.create_task(execution.room())
    await asyncio.sleep(0)
    if leave == "close":
        await stream.aclose()
    else:
        execution.let_go()

    await asyncio.wait_for(waiting, 1)


async def test_a_signal_needs_a_process() -> None:
    execution = Execution(REF, "1")
    with pytest.raises(UnsupportedError):
        await execution.signal(15)
    execution.finish(Outcome.OK)
    await execution.signal(15)


async def test_the_first_end_decides() -> None:
    execution = Execution(REF, "x")
    execution.finish(Outcome.TIMED_OUT, detail="late")
    execution.finish(Outcome.OK)

    assert (await execution).outcome is Outcome.TIMED_OUT


async def test_cancel_ends_the_work_once_and_only_while_it_runs() -> None:
    ends = 0

    async def end() -> None:
        nonlocal ends
        ends += 1
        execution.finish(Outcome.CANCELLED)

    execution = Execution(REF, "sleep", on_cancel=end)
    await execution.cancel()
    await execution.cancel()

    assert (ends, (await execution).outcome) == (1, Outcome.CANCELLED)


async def test_a_cancelled_reader_harms_no_other() -> None:
    execution = Execution(REF, "x")
    first, second = (asyncio.create_task(outputs_of(execution)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    execution.feed(said("a"))
    execution.finish(Outcome.OK)

    assert await second == [said("a")]
