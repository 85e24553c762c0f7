"""The world over HTTP: as it is now, and as it changes."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response

from sandbox_tui.api.base import Api
from sandbox_tui.model.codec import to_json
from sandbox_tui.model.world import World
from sandbox_tui.runtime.streams import closing
from sandbox_tui.server.http.schemas import gives, streams
from sandbox_tui.server.http.streaming import event, events
from sandbox_tui.server.http.ways import Way, routes


class WorldRoutes:
    """`/v1/world` and `/v1/events`. A world is encoded once, however often it is asked for."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._run = secrets.token_hex(4)
        """Revisions begin anew with every run of the server; this tells them apart."""
        self._encoded: tuple[World, bytes] | None = None

    def router(self) -> APIRouter:
        """Them, for the app."""
        now = gives("Everything there is, at one revision.", World)
        now[304] = {"description": "It is still the one of that ETag."}
        told = streams("The world now and whenever it changed; a slow reader skips.", World)
        ways = (Way("GET", "/world", self.world, now), Way("GET", "/events", self.events, told))
        return routes("/v1", "world", ways)

    async def world(self, request: Request) -> Response:
        """Everything there is. Its ETag changes when something a person could see has changed."""
        world = self._api.world
        tag = f'"{self._id(world)}"'
        headers = {"etag": tag, "cache-control": "no-cache"}
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(self._bytes(world), headers=headers, media_type="application/json")

    async def events(
        self, request: Request, last_event_id: Annotated[str, Header()] = ""
    ) -> Response:
        """Each world as an event; with `Last-Event-ID`, from the first one after that."""
        run, _, revision = last_event_id.partition("-")
        since = int(revision) if run == self._run and revision.isdecimal() else -1
        return events(request, self._worlds(since))

    async def _worlds(self, since: int) -> AsyncIterator[bytes]:
        async with closing(self._api.worlds(since)) as worlds:
            async for world in worlds:
                yield event("world", self._bytes(world), self._id(world))

    def _id(self, world: World) -> str:
        return f"{self._run}-{world.revision}"

    def _bytes(self, world: World) -> bytes:
        if self._encoded is None or self._encoded[0] is not world:
            self._encoded = (world, to_json(world))
        return self._encoded[1]
