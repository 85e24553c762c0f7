"""Actions over HTTP, and the runs that they begin."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator

import msgspec
from fastapi import APIRouter, Request, Response

from sandbox_tui.api.base import Api
from sandbox_tui.model.actions import Attach, Shell
from sandbox_tui.model.codec import to_json
from sandbox_tui.model.errors import UnsupportedError
from sandbox_tui.model.outputs import Output
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.runtime.transfer import Transfer
from sandbox_tui.server.http.reading import as_json, read
from sandbox_tui.server.http.runs import Run, Runs
from sandbox_tui.server.http.schemas import any_action, gives, streams
from sandbox_tui.server.http.streaming import event, events, wants_events
from sandbox_tui.server.http.ways import Way, routes


class Answer(msgspec.Struct, frozen=True):
    """What an action answered: a full name, an id, a `Run`, several; `null` for nothing."""

    answer: object = None


class ActionRoutes:
    """`/v1/actions` and `/v1/executions`."""

    def __init__(self, api: Api, runs: Runs) -> None:
        self._api = api
        self._runs = runs
        self._action = any_action()

    def router(self) -> APIRouter:
        """Them, for the app."""
        done = gives("It is done.", Answer) | gives("It was begun: see its run.", Answer, 202)
        told = streams(
            "How far it is; as a stream, what it says and its end.", Output, Run, also=Run
        )
        ending = gives("It is told to end.", Run, 202)
        one = "/executions/{execution_id}"
        ways = (
            Way("POST", "/actions", self.perform, done, any_action(Attach, Shell)),
            Way("GET", one, self.show, told),
            Way("DELETE", one, self.cancel, ending),
        )
        return routes("/v1", "actions", ways)

    async def perform(self, request: Request) -> Response:
        """Do something. The body is an action; its `type` says which."""
        action = await read(request, self._action)
        if isinstance(action, Attach | Shell):
            hint = f"Run: sandbox-tui {type(action).__name__.lower()} {action.ref}"
            raise UnsupportedError(action.ref, "hand a terminal over HTTP", hint=hint)
        answer = await self._api.perform(action)
        if isinstance(answer, Transfer):
            answer = await answer
        begun = isinstance(answer, Execution | list)
        return as_json(Answer(_encoded(await self._runs.plain(answer))), 202 if begun else 200)

    async def show(self, request: Request, execution_id: str) -> Response:
        """A run that was begun here: how far it is or, as a stream, what it says from the start."""
        execution = self._runs.get(execution_id)
        if wants_events(request, unsaid=False):
            return events(request, telling(self._runs, execution))
        return as_json(self._runs.told(execution))

    async def cancel(self, execution_id: str) -> Response:
        """End a run, inside the sandbox too."""
        execution = self._runs.get(execution_id)
        await execution.cancel()
        return as_json(self._runs.told(execution), 202)


async def telling(runs: Runs, execution: Execution) -> AsyncIterator[bytes]:
    """What a run says, as events: `run` when it is known, an `output` each, its `run` at the end.

    The last one has no outputs: they were told already.
    """
    yield event("run", to_json(msgspec.structs.replace(runs.told(execution), outputs=())))
    async for output in execution:
        yield event("output", to_json(output))
    told = runs.told(execution)
    assert told.result is not None  # the outputs have ended
    bare = msgspec.structs.replace(told.result, outputs=())
    yield event("run", to_json(msgspec.structs.replace(told, result=bare)))


def _encoded(answer: object) -> object:
    """JSON has no bytes: a file's content is written in base64."""
    return base64.b64encode(answer).decode() if isinstance(answer, bytes) else answer
