"""A command that is still running: read as it goes, or left alone and asked now and then."""

from __future__ import annotations

import asyncio
import signal as signals
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

from sandbox_tui.api.containers_async.errors import WaitTimeoutError
from sandbox_tui.api.containers_async.values import (
    BufferSnapshot,
    ExecResult,
    StreamChunk,
    chunk,
)
from sandbox_tui.model.outputs import Text
from sandbox_tui.runtime.execution import Execution

Finish = Callable[[Execution], Awaitable[ExecResult]]
"""What makes a result of a run that has ended, or raises why it has none."""


_endings: set[asyncio.Task[None]] = set()


async def ending(execution: Execution) -> None:
    """End a command that nobody waits for any more; goes on when nobody waits for that either."""
    task = asyncio.create_task(execution.cancel(), name=f"end {execution.id}")
    _endings.add(task)
    task.add_done_callback(_endings.discard)
    await asyncio.shield(task)


async def endings(seconds: float) -> None:
    """Wait until commands that nobody wanted any more have ended, at most so long."""
    if _endings:
        await asyncio.wait(_endings, timeout=seconds)


class AsyncExecStream:
    """The output of a command, piece by piece; `result` is there after the last one.

    Leaving the loop early ends the command.
    """

    def __init__(self, execution: Execution, finish: Finish) -> None:
        self._execution = execution
        self._finish = finish
        self._result: ExecResult | None = None
        self._pieces = self._read()

    @property
    def result(self) -> ExecResult:
        """How it ended. Raises `RuntimeError` before that."""
        if self._result is None:
            raise RuntimeError("the stream has no result before its end")
        return self._result

    def __aiter__(self) -> AsyncIterator[StreamChunk]:
        return self

    async def __anext__(self) -> StreamChunk:
        return await anext(self._pieces)

    async def close(self) -> None:
        """Read no more of it and end the command, if it has not ended."""
        await self._pieces.aclose()
        await ending(self._execution)

    async def _read(self) -> AsyncGenerator[StreamChunk]:
        try:
            async for output in self._execution.stream():
                yield chunk(output)
            self._result = await self._finish(self._execution)
        finally:
            if self._execution.result is None:
                await ending(self._execution)


class AsyncProcess:
    """A command in the background."""

    def __init__(self, execution: Execution, finish: Finish) -> None:
        self._execution = execution
        self._finish = finish
        self._position = 0

    @property
    def id(self) -> str:
        """Its own id."""
        return self._execution.id

    @property
    def buffer_size(self) -> int:
        """Bytes that wait to be read."""
        return sum(len(text.data) for text in self._unread())

    @property
    def buffer_overflow(self) -> bool:
        """Whether output was dropped because nobody read it."""
        return self._execution.truncated

    async def is_running(self) -> bool:
        """Whether it still runs."""
        return self._execution.result is None

    async def kill(self, signal: int = signals.SIGTERM) -> None:
        """Send a signal to it and everything it has started."""
        await self._execution.signal(signal)

    async def wait(self, timeout: float | None = None) -> ExecResult:
        """Its result, when it has ended.

        Raises `WaitTimeoutError` (a `TimeoutError`) after `timeout` seconds; it then goes on.
        """
        try:
            async with asyncio.timeout(timeout):
                await self._execution
        except TimeoutError:
            raise WaitTimeoutError(f"process {self.id[:8]}", timeout or 0.0) from None
        return await self._finish(self._execution)

    def read(self) -> BufferSnapshot:
        """What it said that was not read yet."""
        snapshot = self.peek()
        self._position = self._execution.said
        return snapshot

    def peek(self) -> BufferSnapshot:
        """The same, left to be read."""
        return snapshot_of(self._unread())

    def _unread(self) -> list[Text]:
        return [said for said in self._execution.since(self._position) if isinstance(said, Text)]


def snapshot_of(outputs: list[Text]) -> BufferSnapshot:
    """Output by stream."""
    streams = {"stdout": "", "stderr": ""}
    for stream in streams:
        streams[stream] = "".join(
            said.data for said in map(chunk, outputs) if said.stream == stream
        )
    return BufferSnapshot(**streams)
