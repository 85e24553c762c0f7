"""The sync face of an `Execution`."""

from __future__ import annotations

from collections.abc import Iterator

from sandbox_tui.model.outputs import Output, Result
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.runtime.portal import Blocking, blocking


class BlockingExecution(Blocking[Execution]):
    """An `Execution` to wait for, to iterate, or to keep."""

    @property
    def id(self) -> str:
        """Its id, the same on every surface."""
        return self.twin.id

    @property
    def status(self) -> str:
        """`queued`, `running` or `done`."""
        return self.twin.status

    def wait(self) -> Result:
        """Its result, when it has ended."""
        return self.portal.call(self.twin)

    def __iter__(self) -> Iterator[Output]:
        return self.portal.iterate(aiter(self.twin))

    def peek(self) -> tuple[Output, ...]:
        """All output so far, left in place."""
        return self.twin.peek()

    def stream(self) -> Iterator[Output]:
        """All output from now on, with nothing left out: the code waits for a slow reader."""
        return self.portal.iterate(self.twin.stream())

    cancel = blocking(Execution.cancel)
    signal = blocking(Execution.signal)
