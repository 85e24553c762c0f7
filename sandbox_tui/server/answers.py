"""What each request of a client is answered, by whatever `Api` is served."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import cast

import msgspec

from sandbox_tui.api import requests
from sandbox_tui.api.base import Api
from sandbox_tui.api.notebook_patch import patches
from sandbox_tui.api.progress import joined, progress
from sandbox_tui.api.requests import Call, Handle, Performed, Subscription
from sandbox_tui.model.actions import Action
from sandbox_tui.model.codec import to_msgpack
from sandbox_tui.model.errors import UsageError
from sandbox_tui.model.outputs import Output, Text
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.runtime.streams import closing, gathered
from sandbox_tui.runtime.wire import CHUNK, MOST_AT_ONCE
from sandbox_tui.server.page_answers import answer_page
from sandbox_tui.server.pages.pages import Pages
from sandbox_tui.server.room_answers import RoomAnswers


class Answers:
    """Answers one client, and keeps the runs that it began until it has seen their end."""

    def __init__(self, api: Api, pages: Pages) -> None:
        self._api = api
        self._pages = pages
        self._executions: dict[str, Execution] = {}
        self._rooms = RoomAnswers(api, self._executions)

    async def answer(self, call: Call) -> object:  # noqa: PLR0911  # one per request
        """The one answer. Raises `SandboxError`."""
        match call:
            case requests.Perform(action):
                return await self._perform(action)
            case requests.Cancel(execution_id):
                return await self._execution(execution_id).cancel()
            case requests.Settle(timeout):
                return await self._api.settled(timeout)
            case requests.Measure(refs):
                return await self._api.vitals(refs)
            case requests.Say() | requests.Leave():
                return await self._rooms.answer(call)
            case requests.Inspect(ref):
                return await self._api.inspect(ref)
            case _:
                return await answer_page(call, self._pages)

    def answers(  # noqa: PLR0911  # one per request
        self, subscription: Subscription
    ) -> AsyncIterator[object]:
        """One answer after the other. Raises `SandboxError`, at once or later."""
        match subscription:
            case requests.Worlds(since):
                return self._api.worlds(since)
            case requests.Follow():
                return self._follow(subscription)
            case requests.Screens(refs):
                return self._api.screens(refs)
            case requests.Notebooks(ref):
                return patches(self._api.notebooks(ref))
            case requests.Join() | requests.Begin() | requests.Recall():
                return self._rooms.answers(subscription)
            case requests.Present(name):
                return self._pages.present(name)
            case requests.Watch(execution_id):
                return self._watch(execution_id)
            case _:
                raise UsageError(f"no answers to {type(subscription).__name__}")

    async def _perform(self, action: Action) -> Performed:
        answer = self._plain(await self._api.perform(action))
        return Performed(msgspec.Raw(to_msgpack(answer)), self._api.world.revision)

    def _plain(self, answer: object) -> object:
        """`answer` with handles where executions are."""
        if isinstance(answer, list):
            return [self._plain(item) for item in cast(list[object], answer)]
        return self._hold(answer) if isinstance(answer, Execution) else answer

    def _hold(self, execution: Execution) -> Handle:
        if len(self._executions) >= MOST_AT_ONCE:
            raise UsageError(f"{MOST_AT_ONCE} runs are watched by nobody")
        self._executions[execution.id] = execution
        return Handle(execution.id, execution.ref, execution.code, execution.cap, execution.keep)

    def _execution(self, execution_id: str) -> Execution:
        execution = self._executions.get(execution_id)
        if execution is None:
            raise UsageError(f"this client began no run {execution_id!r}")
        return execution

    async def _watch(self, execution_id: str) -> AsyncIterator[object]:
        async with closing(progress(self._execution(execution_id))) as told:
            async for news in told:
                yield news
        self._executions.pop(execution_id, None)  # it may have been watched twice

    async def _follow(self, wish: requests.Follow) -> AsyncIterator[object]:
        log = self._api.follow(wish.ref, tail=wish.tail, live=wish.live, since=wish.since)
        async with closing(gathered(log, _weigh, CHUNK)) as lists:
            async for outputs in lists:
                yield tuple(joined(outputs))


def _weigh(output: Output) -> int:
    return len(output.text) if isinstance(output, Text) else CHUNK
