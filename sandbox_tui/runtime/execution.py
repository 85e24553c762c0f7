"""One run of code: await it, iterate it, or keep it.

Whoever runs the code writes (`begin`, `feed`, `finish`); everybody else reads. A late reader gets
everything from the start, as far as the ring still has it.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Generator

from sandbox_tui.model.outputs import Display, Failure, Outcome, Output, Result, Text
from sandbox_tui.model.refs import Ref
from sandbox_tui.runtime.pulse import Pulse
from sandbox_tui.runtime.ring import Ring

OUTPUT_CAP = 10 * 1024 * 1024
"""Default bound of the output an execution keeps, in characters."""


def _weigh(output: Output) -> int:
    match output:
        case Text():
            return len(output.text)
        case Display():
            return 256 + sum(len(value) for value in output.data.values() if isinstance(value, str))
        case Failure():
            return 256 + len(output.message) + sum(map(len, output.traceback))


class Execution:
    """A handle on one run of code in one sandbox; `on_cancel` is what really ends the code."""

    def __init__(
        self,
        ref: Ref,
        code: str,
        *,
        execution_id: str = "",
        cap: int = OUTPUT_CAP,
        on_cancel: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.id = execution_id or uuid.uuid4().hex
        self.ref = ref
        self.code = code
        self.result: Result | None = None
        self.execution_count: int | None = None
        self.started_at: float | None = None
        self._began = time.monotonic()
        self._outputs: Ring[Output] = Ring(cap, _weigh)
        self._read_up_to = 0
        self._pulse = Pulse()
        self._on_cancel = on_cancel

    @property
    def status(self) -> str:
        """`queued`, `running` or `done`."""
        if self.result is not None:
            return "done"
        return "queued" if self.started_at is None else "running"

    @property
    def truncated(self) -> bool:
        """Whether the oldest output was dropped."""
        return self._outputs.dropped > 0

    def __await__(self) -> Generator[object, None, Result]:
        return self._finished().__await__()

    async def __aiter__(self) -> AsyncIterator[Output]:
        position = 0
        while True:
            position = max(position, self._outputs.first)
            fresh = self._outputs.slice(position)
            position += len(fresh)
            for output in fresh:
                yield output
            if position >= self._outputs.end:
                if self.result is not None:
                    return
                await self._pulse.wait()

    def peek(self) -> tuple[Output, ...]:
        """All output so far, left in place."""
        return tuple(self._outputs.slice(0))

    @property
    def said(self) -> int:
        """How many outputs there were so far, with those that were dropped."""
        return self._outputs.end

    def since(self, position: int) -> tuple[Output, ...]:
        """The outputs after the first `position` ones, as far as they are still here."""
        return tuple(self._outputs.slice(position))

    def read(self) -> tuple[Output, ...]:
        """The output that no `read` has returned yet."""
        fresh = self._outputs.slice(self._read_up_to)
        self._read_up_to = self._outputs.end
        return tuple(fresh)

    async def changed(self) -> None:
        """Return at the next output or change of status."""
        await self._pulse.wait()

    async def cancel(self) -> None:
        """End the work inside the sandbox, not just the waiting for it."""
        if self.result is None and self._on_cancel is not None:
            await self._on_cancel()

    def begin(self) -> None:
        """The code runs now."""
        self.started_at = time.time()
        self._began = time.monotonic()
        self._pulse.fire()

    def feed(self, output: Output) -> None:
        """The code said something."""
        self._outputs.append(output)
        self._pulse.fire()

    def finish(self, outcome: Outcome, *, exit_code: int | None = None, detail: str = "") -> Result:
        """The code ended; the first call decides."""
        if self.result is None:
            self.result = Result(
                outcome=outcome,
                outputs=self.peek(),
                exit_code=exit_code,
                execution_count=self.execution_count,
                duration=time.monotonic() - self._began,
                truncated=self.truncated,
                detail=detail,
            )
            self._pulse.fire()
        return self.result

    async def _finished(self) -> Result:
        while self.result is None:
            await self._pulse.wait()
        return self.result
