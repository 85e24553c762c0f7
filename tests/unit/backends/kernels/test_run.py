"""One run without a kernel: both halves of its end, and how text is gathered."""

from __future__ import annotations

import asyncio

import pytest

from sandbox_tui.backends.kernels.messages import Began, Event
from sandbox_tui.backends.kernels.run import COALESCE, Run
from sandbox_tui.model.outputs import Display, Failure, Outcome, Text
from sandbox_tui.model.refs import Ref
from sandbox_tui.runtime.execution import Execution


@pytest.fixture
async def run() -> Run:
    events: list[Event] = []
    return Run(1, Execution(Ref("room:lab"), "1"), lambda _, event: events.append(event))


@pytest.mark.parametrize("reply_first", [True, False])
async def test_it_ends_when_both_halves_are_in(run: Run, reply_first: bool) -> None:
    def idle() -> None:
        run.idle = True
        run.settle()

    halves = [lambda: run.reply(Outcome.OK, 5, None), idle]
    first, second = halves if reply_first else reversed(halves)
    first()
    assert run.execution.result is None
    second()
    assert run.execution.result is not None
    assert run.execution.result.execution_count == 5
    assert run.ended.is_set()


async def test_text_is_gathered_and_stays_in_order(run: Run) -> None:
    for word in "abc":
        run.hear(Text("stdout", word))
    run.hear(Text("stderr", "!"))
    run.hear(Display({"text/plain": "1"}))
    run.hear(Text("stdout", "d"))
    said = (Text("stdout", "abc"), Text("stderr", "!"), Display({"text/plain": "1"}))
    assert run.execution.peek() == said
    await asyncio.sleep(COALESCE * 3)
    assert run.execution.peek() == (*said, Text("stdout", "d"))


async def test_the_last_text_is_there_at_the_end(run: Run) -> None:
    run.hear(Text("stdout", "last"))
    run.finish(Outcome.DIED, exit_code=3, detail="kernel died")
    assert run.execution.result is not None
    assert run.execution.result.stdout == "last"


async def test_a_failure_is_told_once(run: Run) -> None:
    failure = Failure("ValueError", "no")
    run.hear(failure)
    run.idle = True
    run.reply(Outcome.ERROR, 1, failure)
    assert run.execution.peek() == (failure,)


async def test_a_failure_that_only_the_reply_tells(run: Run) -> None:
    run.idle = True
    run.reply(Outcome.ERROR, 1, Failure("ValueError", "no"))
    assert run.execution.peek() == (Failure("ValueError", "no"),)


@pytest.mark.parametrize(
    ("verdict", "reply", "wanted"),
    [
        (None, Outcome.ERROR, Outcome.ERROR),
        (Outcome.CANCELLED, Outcome.ERROR, Outcome.CANCELLED),
        (Outcome.CANCELLED, Outcome.OK, Outcome.OK),
        (Outcome.TIMED_OUT, Outcome.ERROR, Outcome.TIMED_OUT),
        (Outcome.TIMED_OUT, Outcome.OK, Outcome.TIMED_OUT),
    ],
)
async def test_what_ended_it_decides(
    run: Run, verdict: Outcome | None, reply: Outcome, wanted: Outcome
) -> None:
    run.verdict = verdict
    run.idle = True
    run.reply(reply, 1, None)
    assert run.execution.result is not None
    assert run.execution.result.outcome is wanted


async def test_the_count_is_known_while_it_runs(run: Run) -> None:
    run.hear(Began("1", 9))
    assert run.taken_up_at is not None
    assert run.execution.execution_count == 9
