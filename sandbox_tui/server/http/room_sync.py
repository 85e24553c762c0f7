"""`/v1/rooms/{name}/sync`: a seat in a room, over a WebSocket.

The client says what it has of the document (`Known`, by default nothing), then its changes
(`Merge`, with updates of Yjs) and who it is (`Announce`). It hears news: updates, runs, peers,
events. Both sides speak JSON with bytes in base64 when the client's last message was text, else
MessagePack.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TypeVar, cast

import msgspec
from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from sandbox_tui.api.base import Api
from sandbox_tui.documents.line import Known, Line, RoomNews, Word
from sandbox_tui.model import codec
from sandbox_tui.model.errors import SandboxError, UsageError
from sandbox_tui.runtime.streams import closing
from sandbox_tui.server.http.errors import ErrorBody, Problem
from sandbox_tui.server.http.reading import room

T = TypeVar("T")

REFUSED = 1008
"""The close code of a client that asks for what it cannot have."""


class RoomSync:
    """The route, over any `Api`."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def router(self) -> APIRouter:
        """It, for the app."""
        router = APIRouter(tags=["rooms"])
        router.add_api_websocket_route("/v1/rooms/{name}/sync", self.sync)
        return router

    async def sync(self, socket: WebSocket, name: str) -> None:
        """Sit in the room until the client goes, or does what it may not."""
        await socket.accept()
        talk = Talk(socket)
        try:
            line = await self._api.line(room(self._api.world, name))
            known = await talk.hear(Known)
            await _sit(talk, line, known)
        except WebSocketDisconnect:
            return
        except SandboxError as error:
            await talk.refuse(error)


class Talk:
    """Values over a WebSocket, in the client's own encoding."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._as_text = False

    async def hear(self, wanted: type[T]) -> T:
        """The next message. Raises `UsageError`, `WebSocketDisconnect`."""
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        text: str | None = message.get("text")
        self._as_text = text is not None
        try:
            if text is not None:
                return codec.from_json(text, wanted)
            return codec.from_msgpack(message["bytes"], wanted)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UsageError(f"that message cannot be read: {error}") from None

    async def say(self, value: object) -> None:
        """Send one; waits while the client does not read."""
        if self._as_text:
            await self._socket.send_text(codec.to_json(value).decode())
        else:
            await self._socket.send_bytes(codec.to_msgpack(value))

    async def refuse(self, error: SandboxError) -> None:
        """Say what is wrong, and hang up."""
        problem = Problem(type(error).__name__, error.message, error.hint)
        try:
            await self.say(ErrorBody(problem))
            await self._socket.close(REFUSED)
        except (RuntimeError, WebSocketDisconnect):
            return  # it has hung up first


async def _sit(talk: Talk, line: Line, known: Known) -> None:
    """Pass words and news on until either side ends."""
    telling = asyncio.create_task(_tell(talk, line.news(known)), name=f"news of {line.ref}")
    listening = asyncio.create_task(_listen(talk, line), name=f"words for {line.ref}")
    try:
        await asyncio.wait([telling, listening], return_when=asyncio.FIRST_COMPLETED)
    finally:
        done = [task for task in (telling, listening) if task.done()]
        telling.cancel()
        listening.cancel()
        await asyncio.gather(telling, listening, return_exceptions=True)
    for task in done:
        task.result()


async def _tell(talk: Talk, news: AsyncIterator[RoomNews]) -> None:
    async with closing(news) as told:
        async for each in told:
            await talk.say(each)


async def _listen(talk: Talk, line: Line) -> None:
    wanted = cast("type[Word]", Word)
    while True:
        line.say(await talk.hear(wanted))
