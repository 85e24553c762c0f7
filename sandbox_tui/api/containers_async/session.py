"""A shell that stays open: what one command leaves behind, the next one finds."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable

from sandbox_tui.api.containers_async.running import ending
from sandbox_tui.api.containers_async.values import ExecResult
from sandbox_tui.model.outputs import OUTPUT_CAP, Text
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.runtime.session import Session


class AsyncSession:
    """One shell in one container. Commands run in the order in which they were given."""

    def __init__(
        self,
        session: Session,
        occupied: Callable[[Execution], Execution],
        *,
        timeout: float | None,
        finish: Callable[[Execution], Awaitable[ExecResult]],
    ) -> None:
        """`occupied` is told each run, `finish` makes its result."""
        self._session = session
        self._occupied = occupied
        self._timeout = timeout
        self._finish = finish
        self._read_up_to = session.heard.end
        self._functions: list[Callable[[str], object]] = []
        self._hearing: asyncio.Task[None] | None = None

    @property
    def id(self) -> str:
        """Its own id."""
        return self._session.id

    async def send(self, command: str) -> None:
        """Run a command without waiting for it. Raises `SessionClosed`."""
        self._occupied(await self._session.run(command))

    async def send_and_wait(self, command: str, *, timeout: float | None = None) -> ExecResult:
        """Run a command to its end, after those that were sent before. Raises `SessionClosed`.

        `timeout` (seconds; by default the container's) ends the command, not the session.
        """
        limit = self._timeout if timeout is None else timeout
        execution = self._occupied(await self._session.run(command, timeout=limit, cap=OUTPUT_CAP))
        try:
            return await self._finish(execution)
        except asyncio.CancelledError:
            await ending(execution)
            raise

    def read(self) -> str:
        """What was printed since the last `read`; of very much, the end."""
        heard = self._session.heard
        fresh, self._read_up_to = heard.since(self._read_up_to), heard.end
        return "".join(text.text for text in fresh)

    def on_output(self, fn: Callable[[str], object]) -> None:
        """Call `fn(data)` with everything that is printed, in order."""
        self._functions.append(fn)
        if self._hearing is None:
            name = f"hear session {self.id}"
            self._hearing = asyncio.create_task(self._hear(self._session.outputs()), name=name)

    async def close(self) -> None:
        """End the shell and everything it has started."""
        await self._session.aclose()
        if self._hearing is not None:
            self._hearing.cancel()
            await asyncio.gather(self._hearing, return_exceptions=True)

    async def __aenter__(self) -> AsyncSession:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    async def _hear(self, outputs: AsyncIterator[Text]) -> None:
        async for output in outputs:
            for function in self._functions:
                answer = function(output.text)
                if inspect.isawaitable(answer):
                    await answer
