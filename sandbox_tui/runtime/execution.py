"""One run of code: await it, iterate it, or keep it.

Whoever runs the code writes (`begin`, `feed`, `finish`); everybody else reads. A late reader gets
everything from the start, as far as it is still kept. Readers that iterate never hold the code
back, and lose the oldest when they are slow; those of `stream` do hold it back, as a pipe would.
"""

from __future__ import annotations

import os
import shlex
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterable

from sandbox_tui.model.errors import UnsupportedError
from sandbox_tui.model.outputs import OUTPUT_CAP, Keep, Outcome, Output, Result
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.specs import Command
from sandbox_tui.runtime.kept import Kept, size
from sandbox_tui.runtime.pulse import Pulse

BEHIND = 512 * 1024
"""How much may wait for a reader of `stream` before the code is held back, in characters."""


class Execution:
    """A handle on one run of code in one sandbox.

    `cap` characters of its output are kept. `on_cancel` really ends the code; `on_signal` sends
    it a signal.
    """

    def __init__(
        self,
        ref: Ref,
        code: Command,
        *,
        execution_id: str = "",
        cap: int = OUTPUT_CAP,
        keep: Keep = "tail",
        on_cancel: Callable[[], Awaitable[None]] | None = None,
        on_signal: Callable[[int], Awaitable[None]] | None = None,
    ) -> None:
        self.id = execution_id or os.urandom(16).hex()
        self.ref = ref
        self.code = code if isinstance(code, str) else shlex.join(code)
        self.result: Result | None = None
        self.execution_count: int | None = None
        self.started_at: float | None = None
        self._began = time.monotonic()
        self.cap = cap
        self.keep: Keep = keep
        self._outputs = Kept(cap, keep)
        self._taps: list[_Tap] = []
        self._let_go = False
        self._read_up_to = 0
        self._pulse = Pulse()
        self._end = Pulse()
        self._on_cancel = on_cancel
        self._on_signal = on_signal

    @property
    def status(self) -> str:
        """`queued`, `running` or `done`."""
        if self.result is not None:
            return "done"
        return "queued" if self.started_at is None else "running"

    @property
    def truncated(self) -> bool:
        """Whether output was dropped to stay within the cap."""
        return self._outputs.truncated

    def __await__(self) -> Generator[object, None, Result]:
        return self._finished().__await__()

    async def __aiter__(self) -> AsyncIterator[Output]:
        position = 0
        while True:
            position = max(position, self._outputs.first)
            fresh = self._outputs.since(position)
            position += len(fresh)
            for output in fresh:
                yield output
            if position >= self._outputs.end:
                if self.result is not None:
                    return
                await self._pulse.wait()

    async def stream(self) -> AsyncGenerator[Output]:
        """All output from now on, after what is kept, with nothing left out.

        The code waits for a slow reader, where its backend can hold it back. Close it (`aclose`)
        to stop reading.
        """
        tap = _Tap(self._outputs.since(0))
        self._taps.append(tap)
        try:
            while True:
                while tap.waiting:
                    yield tap.take()
                    self._pulse.fire()
                if self.result is not None:
                    return
                await self._pulse.wait()
        finally:
            self._taps.remove(tap)
            self._pulse.fire()

    @property
    def has_room(self) -> bool:
        """Whether no reader of `stream` is far behind; for who feeds it."""
        return self._let_go or not any(tap.size > BEHIND for tap in self._taps)

    async def room(self) -> None:
        """Return when it has room."""
        while not self.has_room:
            await self._pulse.wait()

    def let_go(self) -> None:
        """Readers hold it back no more: it is about to end."""
        self._let_go = True
        self._pulse.fire()

    def peek(self) -> tuple[Output, ...]:
        """All output so far, left in place."""
        return self._outputs.whole()

    @property
    def said(self) -> int:
        """How many outputs there were so far, with those that were dropped."""
        return self._outputs.end

    def since(self, position: int) -> tuple[Output, ...]:
        """The outputs after the first `position` ones, as far as they are still here."""
        return tuple(self._outputs.since(position))

    def read(self) -> tuple[Output, ...]:
        """The output that no `read` has returned yet."""
        fresh = self._outputs.since(self._read_up_to)
        self._read_up_to = self._outputs.end
        return tuple(fresh)

    async def changed(self) -> None:
        """Return at the next output or change of status."""
        await self._pulse.wait()

    async def cancel(self) -> None:
        """End the work inside the sandbox, not just the waiting for it."""
        if self.result is None and self._on_cancel is not None:
            await self._on_cancel()

    async def signal(self, number: int) -> None:
        """Send a signal to the running code and what it started.

        Raises `UnsupportedError` where code is no process.
        """
        if self.result is not None:
            return
        if self._on_signal is None:
            raise UnsupportedError(self.ref, "send a signal to its code")
        await self._on_signal(number)

    def begin(self) -> None:
        """The code runs now."""
        self.started_at = time.time()
        self._began = time.monotonic()
        self._pulse.fire()

    def feed(self, output: Output) -> None:
        """The code said something."""
        self._outputs.add(output)
        for tap in self._taps:
            tap.add(output)
        self._pulse.fire()

    def finish(self, outcome: Outcome, *, exit_code: int | None = None, detail: str = "") -> Result:
        """The code ended; the first call decides."""
        if self.result is not None:
            return self.result
        result = Result(
            outcome=outcome,
            outputs=self.peek(),
            exit_code=exit_code,
            execution_count=self.execution_count,
            duration=time.monotonic() - self._began,
            truncated=self.truncated,
            detail=detail,
        )
        self._settle(result)
        return result

    def _settle(self, result: Result) -> None:
        self.result = result
        self._pulse.fire()
        self._end.fire()

    async def _finished(self) -> Result:
        while self.result is None:
            await self._end.wait()
        return self.result


class _Tap:
    """What one reader of a stream has not taken yet."""

    def __init__(self, outputs: Iterable[Output]) -> None:
        self.waiting = deque(outputs)
        self.size = sum(map(size, self.waiting))

    def add(self, output: Output) -> None:
        self.waiting.append(output)
        self.size += size(output)

    def take(self) -> Output:
        output = self.waiting.popleft()
        self.size -= size(output)
        return output
