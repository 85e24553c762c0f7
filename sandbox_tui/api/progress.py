"""A run of code on one side of a stream and its image on the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import NamedTuple

import msgspec

from sandbox_tui.api.requests import Handle, Progress
from sandbox_tui.model.outputs import Outcome, Output, Result, Text
from sandbox_tui.runtime.execution import Execution

PACE = 0.02
"""Seconds between two tellings of one run, or of one notebook; its end is told at once."""


async def progress(execution: Execution) -> AsyncGenerator[Progress]:
    """How `execution` goes, from its first output that is still there to its result."""
    position = 0
    while True:
        told = _point(execution)
        yield _news(execution, position)
        if told.result is not None:
            return
        position = told.said
        await _more_than(told, execution)


class _Point(NamedTuple):
    """How far a run has come."""

    started_at: float | None
    execution_count: int | None
    said: int
    result: Result | None


def _point(execution: Execution) -> _Point:
    count, said = execution.execution_count, execution.said
    return _Point(execution.started_at, count, said, execution.result)


async def _more_than(told: _Point, execution: Execution) -> None:
    """Return when there is something to tell, and not before it is decent, unless it ended."""
    await _until(execution, lambda: execution.result is not None, PACE)
    await _until(execution, lambda: _point(execution) != told)


def _news(execution: Execution, position: int) -> Progress:
    result = execution.result
    return Progress(
        code=execution.code,
        started_at=execution.started_at,
        execution_count=execution.execution_count,
        outputs=tuple(joined(execution.since(position))),
        truncated=execution.truncated,
        result=msgspec.structs.replace(result, outputs=()) if result else None,
    )


async def _until(
    execution: Execution, ready: Callable[[], bool], seconds: float | None = None
) -> None:
    try:
        async with asyncio.timeout(seconds):
            while not ready():
                await execution.changed()
    except TimeoutError:
        return


def joined(outputs: Iterable[Output]) -> Iterable[Output]:
    """The same with pieces of one text stream put together, where no piece has its own time."""
    pieces: list[Text] = []
    for output in outputs:
        if pieces and not _continues(pieces[-1], output):
            yield _one(pieces)
            pieces = []
        if isinstance(output, Text):
            pieces.append(output)
        else:
            yield output
    if pieces:
        yield _one(pieces)


def _continues(text: Text, output: Output) -> bool:
    untimed = isinstance(output, Text) and output.at is None and text.at is None
    return untimed and isinstance(output, Text) and output.stream == text.stream


def _one(pieces: list[Text]) -> Text:
    if len(pieces) == 1:
        return pieces[0]
    raw = None
    if any(piece.raw is not None for piece in pieces):
        raw = b"".join(piece.data for piece in pieces)
    return Text(pieces[0].stream, "".join(piece.text for piece in pieces), raw=raw)


class RemoteExecution(Execution):
    """The image of an execution that runs elsewhere: `absorb` is its only writer."""

    def __init__(self, handle: Handle, on_cancel: Callable[[], Awaitable[None]]) -> None:
        super().__init__(
            handle.ref,
            handle.code,
            execution_id=handle.execution_id,
            cap=handle.cap,
            keep=handle.keep,
            on_cancel=on_cancel,
        )
        self._lost_some = False

    @property
    def truncated(self) -> bool:
        """Whether the oldest output was dropped, there or here."""
        return self._lost_some or super().truncated

    def absorb(self, news: Progress) -> None:
        """Become what `news` says."""
        self.code = news.code
        self.started_at = news.started_at
        self.execution_count = news.execution_count
        self._lost_some |= news.truncated
        for output in news.outputs:
            self.feed(output)
        if news.result is not None and self.result is None:
            self._settle(
                msgspec.structs.replace(news.result, outputs=self.peek(), truncated=self.truncated)
            )
        self._pulse.fire()

    def lose(self, reason: str) -> None:
        """Nothing more will be heard of it."""
        self.finish(Outcome.DIED, detail=reason)
