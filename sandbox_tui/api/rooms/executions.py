"""A handle on one run of a cell: wait for it, read it as it goes, end it, find it again by id."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator

from sandbox_tui.api.rooms.errors import room_errors, spoken
from sandbox_tui.api.rooms.results import ExecutionResult, Output, output_of, result_of
from sandbox_tui.model.outputs import Result
from sandbox_tui.runtime import execution as runtime
from sandbox_tui.runtime.portal import Blocking, blocking


class AsyncExecution:
    """One run of one cell."""

    def __init__(self, cell_id: str, execution: runtime.Execution) -> None:
        self._execution = execution
        self.cell_id = cell_id
        """Empty for code that is no cell."""

    @property
    def execution_id(self) -> str:
        """The same for every client, and for later."""
        return self._execution.id

    @property
    def status(self) -> str:
        """`queued`, `running` or `done`."""
        return self._execution.status

    def __await__(self) -> Generator[object, None, ExecutionResult]:
        return self.result().__await__()

    def __aiter__(self) -> AsyncIterator[Output]:
        return self.outputs()

    async def outputs(self) -> AsyncIterator[Output]:
        """Everything it said so far, then everything it says, until it ends."""
        with room_errors():
            async for output in self._execution:
                yield output_of(output)

    async def ended(self) -> Result:
        """How it ended, as the rest of the product has it."""
        return await self._execution

    @spoken
    async def result(self) -> ExecutionResult:
        """How it ended, when it has."""
        return result_of(self.cell_id, self.execution_id, await self._execution)

    @spoken
    async def cancel(self) -> None:
        """End it: take it out of the queue, or interrupt it."""
        await self._execution.cancel()


class Execution(Blocking[AsyncExecution]):
    """The same, waiting."""

    cancel = blocking(AsyncExecution.cancel)
    result = blocking(AsyncExecution.result)

    @property
    def cell_id(self) -> str:
        """Empty for code that is no cell."""
        return self.twin.cell_id

    @property
    def execution_id(self) -> str:
        """The same for every client, and for later."""
        return self.twin.execution_id

    @property
    def status(self) -> str:
        """`queued`, `running` or `done`."""
        return self.twin.status

    def __iter__(self) -> Iterator[Output]:
        return self.outputs()

    def outputs(self) -> Iterator[Output]:
        """Everything it said so far, then everything it says, until it ends."""
        return self.portal.iterate(self.twin.outputs())
