"""What one client says and asks in the rooms that it has open."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import cast

import msgspec

from sandbox_tui.api import requests
from sandbox_tui.api.base import Api
from sandbox_tui.api.progress import progress
from sandbox_tui.documents.line import Line
from sandbox_tui.model.errors import UsageError
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.runtime.streams import closing


class RoomAnswers:
    """The seats of one client, by the names that it gave them, and the runs that it watches."""

    def __init__(self, api: Api, executions: dict[str, Execution]) -> None:
        self._api = api
        self._executions = executions
        self._lines: dict[str, Line] = {}

    async def answer(self, call: requests.Say | requests.Leave) -> None:
        """Pass it on; nothing is awaited before it is said. Raises `SandboxError`."""
        line = self._line(call.seat)
        if isinstance(call, requests.Say):
            line.say(call.word)
        else:
            await line.leave(stop_kernel_if_last=call.stop_kernel_if_last)

    def answers(
        self, subscription: requests.Join | requests.Begin | requests.Recall
    ) -> AsyncIterator[object]:
        """One answer after the other. Raises `SandboxError`, at once or later."""
        match subscription:
            case requests.Join():
                return self._join(subscription)
            case requests.Begin(action):
                return self._begin(lambda: self._api.perform(action))
            case requests.Recall(seat, execution_id):
                line = self._line(seat)
                return self._begin(lambda: line.recall(execution_id))

    async def _join(self, wish: requests.Join) -> AsyncIterator[object]:
        if wish.seat in self._lines:
            raise UsageError("that seat is taken")
        line = self._lines[wish.seat] = await self._api.line(wish.ref)
        try:
            async with closing(line.news(wish.known)) as all_news:
                async for news in all_news:
                    yield news
        finally:
            del self._lines[wish.seat]

    async def _begin(self, begin: Callable[[], Awaitable[object]]) -> AsyncIterator[object]:
        """How the run goes that `begin` answers with; the first word has its id."""
        execution = cast(Execution, await begin())
        self._executions[execution.id] = execution
        try:
            async with closing(progress(execution)) as told:
                yield msgspec.structs.replace(await anext(told), execution_id=execution.id)
                async for news in told:
                    yield news
        finally:
            self._executions.pop(execution.id, None)

    def _line(self, seat: str) -> Line:
        line = self._lines.get(seat)
        if line is None:
            raise UsageError("that room is not open here")
        return line
