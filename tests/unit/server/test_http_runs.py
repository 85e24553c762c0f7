"""Runs that are kept for later, within bounds."""

from __future__ import annotations

import pytest

from sandbox_tui.model.errors import LimitReachedError, NotFoundError
from sandbox_tui.model.outputs import Outcome, Text
from sandbox_tui.model.refs import Ref
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.server.http import runs as module
from sandbox_tui.server.http.runs import Runs


def begun(said: str = "") -> Execution:
    execution = Execution(Ref("room:lab"), "code")
    if said:
        execution.feed(Text("stdout", said))
    return execution


def ended(said: str = "") -> Execution:
    execution = begun(said)
    execution.finish(Outcome.OK)
    return execution


def test_those_that_ended_first_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    runs, first, second = Runs(100), begun(), ended()
    for execution in (first, second, ended(), ended()):
        runs.keep(execution)

    assert runs.get(first.id) is first
    with pytest.raises(NotFoundError):
        runs.get(second.id)


def test_heavy_ones_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUDGET", 100)
    runs, heavy, light = Runs(100), ended("x" * 90), ended("x" * 20)
    for execution in (heavy, light, begun()):
        runs.keep(execution)

    assert runs.get(light.id) is light
    with pytest.raises(NotFoundError):
        runs.get(heavy.id)


async def test_one_more_than_may_run_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    runs = Runs(100)
    await runs.plain([begun(), begun()])
    ends: list[str] = []

    async def end() -> None:
        ends.append("ended")

    with pytest.raises(LimitReachedError):
        await runs.plain([Execution(Ref("room:lab"), "1", on_cancel=end) for _ in range(2)])
    assert ends == ["ended", "ended"]


def test_what_is_told_is_bounded() -> None:
    runs, execution = Runs(50), begun("a" * 200)
    assert len(runs.keep(execution).outputs) == 2
    execution.finish(Outcome.OK)
    result = runs.told(execution).result
    assert result is not None
    assert result.truncated
    assert result.stdout == "a" * 50
