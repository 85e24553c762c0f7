"""The runs that were begun over HTTP, for whoever asks for one later."""

from __future__ import annotations

from typing import cast

import msgspec

from sandbox_tui.model.errors import LimitReachedError, NotFoundError
from sandbox_tui.model.outputs import Output, Result
from sandbox_tui.model.refs import Ref
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.server.http.outputs import bounded, result_within, weight

MOST = 1000
"""Runs that are kept; of those that have ended, the oldest go first."""

BUDGET = 64 * 1024 * 1024
"""Characters of output that ended runs may hold together."""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A run of code, as far as it has come."""

    id: str
    ref: Ref
    status: str
    """`queued`, `running` or `done`."""
    started_at: float | None = None
    execution_count: int | None = None
    outputs: tuple[Output, ...] = ()
    """What it said so far; when it has ended, that is in `result`."""
    result: Result | None = None


class Runs:
    """Executions by id. An answer has at most `most_output` characters of output."""

    def __init__(self, most_output: int) -> None:
        self._most_output = most_output
        self._executions: dict[str, Execution] = {}
        self._ended: dict[str, int] = {}
        """How heavy those are that have ended, in the order in which that was seen."""

    def keep(self, execution: Execution) -> Run:
        """Hold on to it. Raises `LimitReachedError` when as many as there may be still run."""
        self._make_room()
        if len(self._executions) >= MOST:
            raise LimitReachedError("runs", MOST, hint="Wait, or cancel some.")
        self._executions[execution.id] = execution
        return self.told(execution)

    def get(self, execution_id: str) -> Execution:
        """The run of that id. Raises `NotFoundError`."""
        execution = self._executions.get(execution_id)
        if execution is None:
            message = f"no run has the id {execution_id!r}"
            raise NotFoundError(
                execution_id, message=message, hint="It began elsewhere, or is gone."
            )
        return execution

    def told(self, execution: Execution) -> Run:
        """How far it is."""
        result = execution.result
        done = None if result is None else result_within(result, self._most_output)
        so_far = () if done else bounded(execution.peek(), self._most_output)
        return Run(
            id=execution.id,
            ref=execution.ref,
            status=execution.status,
            started_at=execution.started_at,
            execution_count=execution.execution_count,
            outputs=so_far,
            result=done,
        )

    async def plain(self, answer: object) -> object:
        """What an action answered, with the runs in it kept and told; see `keep`.

        When they cannot all be kept, all are ended: nobody could find the rest again.
        """
        several = isinstance(answer, list)
        items = cast("list[object]", answer) if several else [answer]
        try:
            told = [self.keep(item) if isinstance(item, Execution) else item for item in items]
        except LimitReachedError:
            for item in items:
                if isinstance(item, Execution):
                    await item.cancel()
            raise
        return told if several else told[0]

    def _make_room(self) -> None:
        """Forget those that ended first, as far as there are too many or they are too heavy."""
        for run in self._executions.values():
            if run.result is not None and run.id not in self._ended:
                self._ended[run.id] = sum(map(weight, run.result.outputs))
        while self._ended and (len(self._executions) >= MOST or sum(self._ended.values()) > BUDGET):
            oldest = next(iter(self._ended))
            del self._ended[oldest], self._executions[oldest]
