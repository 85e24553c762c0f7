"""One command of a session: what it is, and how far it has come."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from sandbox_tui.backends.containers.commands.marks import Mark
from sandbox_tui.backends.containers.commands.scripts import TRACED
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
        on_signal: Callable[[Turn, int], Awaitable[None]],
        changed: Callable[[], None],
    ) -> None:
        self.execution = Execution(
            ref, code, cap=cap, on_cancel=self._cancel, on_signal=lambda n: on_signal(self, n)
        )
        self.number = number
        self.timeout = timeout
        self.is_unwanted = False
        self.ends: dict[str, Mark] = {}
        self._heard: set[str] = set()
        self._changed = changed

    @property
    def is_done(self) -> bool:
        """Whether both of its streams have ended."""
        return len(self.ends) == _STREAMS

    @property
    def exit_code(self) -> int:
        """How it ended, once it has; it might have told its end itself, and badly."""
        said = self.ends["stdout"].details[1:]
        return int(said[0]) if said and said[0].isdecimal() else 1

    def own(self, stream: str, data: bytes) -> bytes:
        """What a stream says, without what the shell says of our words before the command."""
        if stream in self._heard:
            return data
        self._heard.add(stream)
        return TRACED.sub(b"", data, 1) if TRACED.match(data) else data

    def note(self, stream: str, mark: Mark) -> None:
        """A stream of it has ended."""
        self.ends[stream] = mark
        self._changed()

    async def _cancel(self) -> None:
        self.is_unwanted = True
        self._changed()
        await self.execution
