"""One sandbox over HTTP: how it is, what it says, and code to run in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Annotated

import msgspec
from fastapi import APIRouter, HTTPException, Query, Request, Response

from sandbox_tui.api.base import Api
from sandbox_tui.model.codec import to_json
from sandbox_tui.model.errors import DeadlineError, NotFoundError
from sandbox_tui.model.outputs import Output, Screen, Vitals
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.model.world import Sandbox
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.runtime.streams import closing
from sandbox_tui.server.http.outputs import newest
from sandbox_tui.server.http.reading import as_json, found, read
from sandbox_tui.server.http.routes_actions import telling
from sandbox_tui.server.http.runs import Run, Runs
from sandbox_tui.server.http.schemas import gives, streams
from sandbox_tui.server.http.streaming import event, events, wants_events, while_there
from sandbox_tui.server.http.ways import Way, routes

PATIENCE = 5.0
"""Seconds that a screen is waited for."""


class Code(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Code to run, and for how many seconds at most."""

    code: str
    timeout: Annotated[float, msgspec.Meta(gt=0, le=604_800)] | None = None


class SandboxRoutes:
    """`/v1/sandboxes/{ref}`; `ref` is a full name or a bare one that only one sandbox has."""

    def __init__(self, api: Api, runs: Runs, most_output: int) -> None:
        self._api = api
        self._runs = runs
        self._most = most_output

    def router(self) -> APIRouter:
        """Them, for the app; the bare name last, because it takes whatever is left."""
        log = streams("Its log.", Output, also=tuple[Output, ...])
        said = streams("What it says and its end.", Output, Run, also=Run)
        screen = gives("What its terminal shows.", Screen | None)
        vitals = gives("Processor, memory, traffic.", Vitals | None)
        details = gives("All that is known.", dict[str, object])
        ways = (
            Way("GET", "/{ref:path}/logs", self.logs, log),
            Way("GET", "/{ref:path}/vitals", self.vitals, vitals),
            Way("GET", "/{ref:path}/screen", self.screen, screen),
            Way("GET", "/{ref:path}/details", self.details, details),
            Way("POST", "/{ref:path}/execute", self.execute, said, Code),
            Way("GET", "/{ref:path}", self.show, gives("How it is.", Sandbox)),
        )
        return routes("/v1/sandboxes", "sandboxes", ways)

    async def show(self, ref: str) -> Response:
        """One sandbox of the world."""
        try:
            return as_json(found(self._api.world, ref))
        except NotFoundError:
            if ref.endswith("/execute"):  # names may have a slash, so this route takes that too
                raise HTTPException(405, headers={"allow": "POST"}) from None
            raise

    async def details(self, ref: str) -> Response:
        """Everything its engine knows, for a person to read."""
        return as_json(await self._api.inspect(self._find(ref)))

    async def vitals(self, ref: str) -> Response:
        """One measurement; `null` where nothing can be measured."""
        box = self._find(ref)
        return as_json((await self._api.vitals([box])).get(box))

    async def screen(self, ref: str) -> Response:
        """What a tmux session shows now; `null` for what has no screen."""
        box = found(self._api.world, ref)
        if box.ref.kind is not Kind.TMUX or not box.state.is_live:
            return as_json(None)
        try:
            async with asyncio.timeout(PATIENCE), closing(self._api.screens([box.ref])) as screens:
                shown: Mapping[Ref, Screen] = await anext(screens)
        except TimeoutError:
            raise DeadlineError(f"the screen of {box.ref}", PATIENCE) from None
        return as_json(shown.get(box.ref))

    async def logs(
        self,
        request: Request,
        ref: str,
        tail: Annotated[int, Query(ge=0, le=1_000_000)] = 200,
        follow: bool = False,
        since: Annotated[float | None, Query(ge=0)] = None,
    ) -> Response:
        """The last lines of its log; with `follow`, as events, and what comes then too."""
        log = self._api.follow(self._find(ref), tail=tail, live=follow, since=since)
        if follow:
            return events(request, _told(log))
        async with closing(log) as outputs:
            return as_json(await newest(outputs, self._most))

    async def execute(self, request: Request, ref: str) -> Response:
        """Run code: as events while it runs; with `Accept: application/json`, when it has ended.

        A client that hangs up ends the run. Its end is an event `run`; see `/v1/executions`.
        """
        asked = await read(request, Code)
        execution = await self._api.execute(self._find(ref), asked.code, timeout=asked.timeout)
        run = await self._runs.plain(execution)
        if wants_events(request, unsaid=True):
            return events(request, _to_its_end(self._runs, execution))
        if await while_there(request, _finished(execution)) is None:
            await execution.cancel()
            return as_json(run)
        return as_json(self._runs.told(execution))

    def _find(self, ref: str) -> Ref:
        return found(self._api.world, ref).ref


async def _finished(execution: Execution) -> bool:
    await execution
    return True


async def _to_its_end(runs: Runs, execution: Execution) -> AsyncIterator[bytes]:
    """What it says; whoever stops listening ends it."""
    try:
        async for told in telling(runs, execution):
            yield told
    finally:
        await execution.cancel()


async def _told(log: AsyncIterator[Output]) -> AsyncIterator[bytes]:
    async with closing(log) as outputs:
        async for output in outputs:
            yield event("output", to_json(output))
