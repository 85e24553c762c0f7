"""A shell of the memory backend: it runs the little language of `script` and remembers nothing."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator

from sandbox_tui.backends.memory import script
from sandbox_tui.model.errors import SessionClosedError
from sandbox_tui.model.outputs import OUTPUT_CAP, Outcome, Text
from sandbox_tui.model.refs import Ref
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.runtime.heard import Heard

_LAST = ("exit", "die")
"""Commands after which a shell is gone."""


class MemorySession:
    """See `runtime.session.Session`."""

    def __init__(self, ref: Ref) -> None:
        self.id = uuid.uuid4().hex
        self.ref = ref
        self._why = ""
        self._turn = asyncio.Lock()
        self._running: set[asyncio.Task[None]] = set()
        self.heard = Heard()

    @property
    def is_open(self) -> bool:
        """See `Session.is_open`."""
        return not self._why

    async def run(
        self, command: str, *, timeout: float | None = None, cap: int = OUTPUT_CAP
    ) -> Execution:
        """See `Session.run`."""
        if self._why:
            raise SessionClosedError(self.ref, self._why)
        execution = Execution(self.ref, command, cap=cap, on_cancel=lambda: _end(task))
        task = asyncio.create_task(self._run(execution, timeout), name=f"session in {self.ref}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return execution

    def outputs(self) -> AsyncIterator[Text]:
        """See `Session.outputs`."""
        return self.heard.texts(self.heard.end)

    async def aclose(self) -> None:
        """See `Session.aclose`."""
        self._why = self._why or "it was closed"
        for task in tuple(self._running):
            await _end(task)
        self.heard.close()

    async def _run(self, execution: Execution, timeout: float | None) -> None:
        try:
            async with self._turn:
                if not self._why:
                    await script.run(execution, timeout)
                    self._tell(execution)
        finally:
            execution.finish(Outcome.CANCELLED if self.is_open else Outcome.DIED)

    def _tell(self, execution: Execution) -> None:
        for output in execution.peek():
            if isinstance(output, Text):
                self.heard.add(output)
        commands = {line.strip().partition(" ")[0] for line in execution.code.splitlines()}
        if commands.intersection(_LAST):
            self._why = "its shell has exited"
            self.heard.close()


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
