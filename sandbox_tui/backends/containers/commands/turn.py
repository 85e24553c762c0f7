"""One command of a session: what it is, which output is its own, how far it has come."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from sandbox_tui.backends.containers.commands.marks import Mark, Marks, nonce
from sandbox_tui.backends.containers.commands.scripts import TRACED
from sandbox_tui.model.refs import Ref
from sandbox_tui.runtime.execution import Execution


class Turn:
    """A command that waits, runs, or has ended."""

    def __init__(
        self,
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
        self.timeout = timeout
        self.nonce = nonce()
        self.is_unwanted = False
        self.ends: dict[str, Mark] = {}
        self._marks = {name: Marks(self.nonce) for name in ("stdout", "stderr")}
        self._heard: set[str] = set()
        self._changed = changed

    @property
    def is_done(self) -> bool:
        """Whether both of its streams have ended."""
        return len(self.ends) == len(self._marks)

    @property
    def exit_code(self) -> int:
        """How it ended, once it has."""
        return int(self.ends["stdout"].details[0])

    @property
    def others(self) -> tuple[str, ...]:
        """What ran when it had ended, as `/proc/PID`."""
        return self.ends["stdout"].details[1:]

    def cut(self, stream: str, data: bytes) -> list[bytes | Mark]:
        """What a stream says, cut at the mark of its end."""
        if stream not in self._heard:
            self._heard.add(stream)
            data = TRACED.sub(b"", data, 1) if TRACED.match(data) else data
        return self._marks[stream].feed(data)

    def note(self, stream: str, mark: Mark) -> None:
        """A stream of it has ended."""
        self.ends[stream] = mark
        self._changed()

    async def _cancel(self) -> None:
        self.is_unwanted = True
        self._changed()
        await self.execution
