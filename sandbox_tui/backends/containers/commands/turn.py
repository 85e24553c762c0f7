"""One command of a session: what it is, and how far it has come."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from sandbox_tui.backends.containers.commands.marks import Mark
from sandbox_tui.backends.containers.commands.scripts import TRACED
from sandbox_tui.model.outputs import Outcome
from sandbox_tui.model.refs import Ref
from sandbox_tui.runtime.execution import Execution

_STREAMS = 2


class Turn:
    """A command that waits, runs, or has ended."""

    def __init__(
        self,
        number: str,
        ref: Ref,
        code: str,
        timeout: float | None,
        cap: int,
        *,
        on_cancel: Callable[[Turn], Awaitable[None]],
        on_signal: Callable[[Turn, int], Awaitable[None]],
    ) -> None:
        self.execution = Execution(
            ref,
            code,
            cap=cap,
            on_cancel=lambda: on_cancel(self),
            on_signal=lambda number: on_signal(self, number),
        )
        self.number = number
        self.is_given_up = False
        self.ends: dict[str, Mark] = {}
        self._timeout = timeout
        self._timer: asyncio.TimerHandle | None = None
        self._unheard: bytes | None = None
        """The beginning of the line that the shell says of our own words, until it has come."""

    @property
    def is_done(self) -> bool:
        """Whether both of its streams have ended."""
        return len(self.ends) == _STREAMS

    @property
    def exit_code(self) -> int:
        """How it ended, once it has; it might have told its end itself, and badly."""
        said = self.ends["stdout"].details[1:]
        return int(said[0]) if said and said[0].isdecimal() else 1

    def begin(self, give_up: Callable[[Turn, Outcome], None], *, traced: bool) -> None:
        """It runs now; `give_up` is called when it has run for too long."""
        self._unheard = b"" if traced else None
        self.execution.begin()
        if self._timeout is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._timeout, give_up, self, Outcome.TIMED_OUT)

    def forget(self) -> None:
        """It is nobody's concern any more how long it runs."""
        if self._timer is not None:
            self._timer.cancel()

    def own(self, stream: str, data: bytes) -> bytes:
        """What a stream says, without what a shell that traces says of our own words."""
        if self._unheard is None or stream != "stderr":
            return data
        line, end, rest = (self._unheard + data).partition(b"\n")
        self._unheard = None if end else line
        return rest if TRACED.search(line) or not end else line + end + rest
