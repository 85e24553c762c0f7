"""The viewer's pages: the page itself, its events, and a frame for each piece of HTML."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from importlib import resources

import msgspec

from sandbox_tui.api.rooms.viewer import gate
from sandbox_tui.api.rooms.viewer.board import Block, Board
from sandbox_tui.api.rooms.viewer.forms import drawing, html_of
from sandbox_tui.api.rooms.viewer.gate import Answer, Refused, Request
from sandbox_tui.api.rooms.viewer.keys import Keys

HEARTBEAT = 15.0
"""Seconds between two signs of life of a stream, which show who is gone."""

PACE = 0.1
"""Seconds between two looks at what changed."""

FRAME = "<!doctype html><meta charset=utf-8><body>"


class Server:
    """Serves a `Board` on a port of loopback that the system chooses."""

    def __init__(self, board: Board, name: str) -> None:
        self._board = board
        self._name = name
        self._keys = Keys()
        self._page = (
            resources.files("sandbox_tui.api.rooms.viewer").joinpath("page.html").read_text("utf-8")
        )
        self._server: asyncio.Server | None = None
        self._guests: set[asyncio.Task[None]] = set()
        self.port = 0

    @property
    def url(self) -> str:
        """An address that works once; each is another one."""
        return f"http://127.0.0.1:{self.port}/?token={self._keys.issue()}"

    async def open(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(
            self._arrived, "127.0.0.1", 0, limit=gate.MOST_HEAD
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Hang up on everybody."""
        if self._server is not None:
            self._server.close()
        for guest in self._guests:
            guest.cancel()
        await asyncio.gather(*self._guests, return_exceptions=True)

    async def _arrived(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._guests) >= gate.MOST_GUESTS:
            writer.transport.abort()
            return
        self._guests.add(task)
        try:
            async with gate.hanging_up(writer) as answer:
                await self._serve(reader, answer)
        except asyncio.CancelledError:
            return  # the viewer closes; asyncio would log it as an error of the server's
        finally:
            self._guests.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, answer: Answer) -> None:
        try:
            request = await gate.read_request(reader, self.port)
            await self._answer(request, answer)
        except Refused as refused:
            await answer.refuse(refused.status)

    async def _answer(self, request: Request, answer: Answer) -> None:
        if request.path == "/" and "token" in request.query:
            await self._admit(request.query["token"], answer)
            return
        if not self._keys.admits(request.cookie):
            raise Refused(HTTPStatus.UNAUTHORIZED)
        match request.path.split("/"):
            case ["", ""]:
                await self._show(answer)
            case ["", "events"]:
                await self._tell(answer)
            case ["", "frame", block_id, number]:
                await self._frame(block_id, number, answer)
            case _:
                raise Refused(HTTPStatus.NOT_FOUND)

    async def _admit(self, token: str, answer: Answer) -> None:
        secret = self._keys.redeem(token)
        if secret is None:
            raise Refused(HTTPStatus.UNAUTHORIZED)
        await answer.redirect("/", secret)

    async def _show(self, answer: Answer) -> None:
        nonce = gate.new_nonce()
        policy = gate.PAGE_POLICY.format(nonce=nonce)
        body = self._page.replace("NONCE", nonce)
        await answer.whole(HTTPStatus.OK, "text/html; charset=utf-8", body, policy=policy)

    async def _tell(self, answer: Answer) -> None:
        await answer.begin_events()
        await answer.event(msgspec.json.encode(self._name), "name")
        seen = 0
        while True:
            fresh, seen = self._board.since(seen), self._board.revision
            await answer.event(msgspec.json.encode([drawing(b) for b in fresh]) if fresh else b"")
            await self._board.changed(seen, HEARTBEAT)
            await asyncio.sleep(PACE)

    async def _frame(self, block_id: str, number: str, answer: Answer) -> None:
        block = self._board.get(block_id)
        html = _html(block, number) if block is not None else None
        if html is None:
            raise Refused(HTTPStatus.NOT_FOUND)
        kind = "text/html; charset=utf-8"
        await answer.whole(HTTPStatus.OK, kind, FRAME + html, policy=gate.FRAME_POLICY)


def _html(block: Block, number: str) -> str | None:
    if not number.isdecimal() or len(number) > 9 or int(number) >= len(block.outputs):
        return None
    return html_of(block.outputs[int(number)])
