"""Functions that hear what a container says, one call at a time and in order.

They follow each run by its own stream, so a slow one holds the command back as a slow reader
would, and nothing piles up. A function may run commands itself: such a run neither waits for its
own output to be heard nor is held back by that, because whoever would hear it waits for the
function.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import ContextVar

from sandbox_tui.api.containers_async.values import chunk
from sandbox_tui.model.outputs import Output, Result, Text
from sandbox_tui.runtime.execution import Execution

Function = Callable[..., object]
"""Of the container and what it said; a coroutine function is awaited."""

_hearing: ContextVar[frozenset[int]] = ContextVar("_hearing", default=frozenset())


class Callbacks:
    """The functions of one container."""

    def __init__(self) -> None:
        self.stdout: list[Function] = []
        self.stderr: list[Function] = []
        self.exit: list[Function] = []
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def __bool__(self) -> bool:
        return bool(self.stdout or self.stderr or self.exit)

    def follow(self, speaker: object, execution: Execution) -> asyncio.Task[None] | None:
        """Let them hear this run; the task to wait for, unless one of them is what runs it."""
        if not self:
            return None
        nested = id(self) in _hearing.get()
        outputs = aiter(execution) if nested else execution.stream()
        task = asyncio.create_task(self._hear(speaker, execution, outputs))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return None if nested else task

    async def close(self) -> None:
        """Hear no more; not for a function to call, which would wait for itself."""
        if id(self) not in _hearing.get():
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _hear(
        self, speaker: object, execution: Execution, outputs: AsyncIterator[Output]
    ) -> None:
        _hearing.set(_hearing.get() | {id(self)})
        async for output in outputs:
            if isinstance(output, Text):
                said = chunk(output)
                await self._tell(getattr(self, said.stream), speaker, said.data)
        result = await execution
        await self._tell(self.exit, speaker, _code(result))

    async def _tell(self, functions: list[Function], speaker: object, said: str | int) -> None:
        async with self._turn:
            for function in functions:
                answer = function(speaker, said)
                if inspect.isawaitable(answer):
                    await _awaited(answer)


async def _awaited(answer: Awaitable[object]) -> None:
    await answer


def _code(result: Result) -> int:
    return -1 if result.exit_code is None else result.exit_code
