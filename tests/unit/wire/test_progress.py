"""How a run is told: everything, in order, not too often, and its end at once."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sandbox_tui.api import progress as module
from sandbox_tui.api.progress import RemoteExecution, joined, progress
from sandbox_tui.api.requests import Handle, Progress
from sandbox_tui.model.outputs import Display, Failure, Outcome, Output, Text
from sandbox_tui.model.refs import Ref
from sandbox_tui.runtime.execution import Execution

REF = Ref("room:lab")

texts = st.builds(Text, st.sampled_from(["stdout", "stderr"]), st.text(max_size=5))
timed = st.builds(Text, st.just("stdout"), st.text(max_size=5), st.floats(0, 10))
others = st.sampled_from([Display({"text/plain": "1"}), Failure("E", "m")])
outputs = st.lists(texts | timed | others, max_size=20)


def spoken(said: list[Output]) -> list[object]:
    """The same for two lists that say the same: characters with their stream and time."""
    flat: list[object] = []
    for output in said:
        if isinstance(output, Text):
            flat += [(output.stream, output.at, character) for character in output.text]
        else:
            flat.append(output)
    return flat


@given(outputs)
def test_joining_changes_nothing_that_is_said(said: list[Output]) -> None:
    assert spoken(list(joined(said))) == spoken(said)


@given(outputs)
def test_joined_neighbours_differ(said: list[Output]) -> None:
    found = list(joined(said))
    for left, right in pairwise(found):
        if isinstance(left, Text) and isinstance(right, Text):
            assert left.stream != right.stream or left.at is not None or right.at is not None


async def nobody() -> None:
    return


def image(execution: Execution) -> RemoteExecution:
    return RemoteExecution(
        Handle(execution.id, execution.ref, execution.code, execution.cap, execution.keep), nobody
    )


async def follow(execution: Execution, remote: RemoteExecution) -> list[Progress]:
    told: list[Progress] = []
    async for news in progress(execution):
        told.append(news)
        remote.absorb(news)
    return told


@given(outputs, st.sampled_from(Outcome))
async def test_the_image_of_an_ended_run_is_the_run(said: list[Output], outcome: Outcome) -> None:
    execution = Execution(REF, "code")
    execution.begin()
    execution.execution_count = 3
    for output in said:
        execution.feed(output)
    execution.finish(outcome, exit_code=1, detail="why")
    remote = image(execution)
    await follow(execution, remote)

    assert execution.result is not None
    assert remote.result is not None
    assert spoken(list(remote.peek())) == spoken(said)
    for field in ("outcome", "exit_code", "execution_count", "duration", "truncated", "detail"):
        assert getattr(remote.result, field) == getattr(execution.result, field)
    assert remote.started_at == execution.started_at


async def test_a_flood_is_told_seldom_and_completely() -> None:
    execution = Execution(REF, "")
    remote = image(execution)
    following = asyncio.create_task(follow(execution, remote))
    execution.begin()
    begun = time.monotonic()
    for number in range(300):
        execution.feed(Text("stdout", f"{number}\n"))
        await asyncio.sleep(0.001)
    execution.finish(Outcome.OK)
    told = await following

    assert (await remote).stdout == "".join(f"{number}\n" for number in range(300))
    assert len(told) <= (time.monotonic() - begun) / module.PACE + 3


async def test_the_end_is_told_at_once() -> None:
    execution = Execution(REF, "")
    stream = progress(execution)
    assert (await anext(stream)).started_at is None
    execution.begin()
    execution.finish(Outcome.OK)
    before = time.monotonic()

    assert (await anext(stream)).result is not None
    assert time.monotonic() - before < module.PACE


async def test_what_was_dropped_there_is_dropped_here() -> None:
    execution = Execution(REF, "", cap=10)
    execution.begin()
    for number in range(9):
        execution.feed(Text("stdout", f"line {number}\n"))
    execution.finish(Outcome.OK)
    remote = image(execution)
    await follow(execution, remote)

    assert remote.truncated
    assert (await remote).truncated
    assert (await remote).stdout == " 7\nline 8\n"


async def test_a_run_that_is_lost_has_died() -> None:
    remote = image(Execution(REF, ""))
    remote.lose("the line was cut")
    remote.lose("again")

    result = await remote
    assert result.outcome is Outcome.DIED
    assert result.detail == "the line was cut"
