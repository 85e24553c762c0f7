"""The site of all pages: a page itself, its events, and a frame for each piece of HTML."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from importlib import resources

import msgspec

from sandbox_tui.server.pages import gate
from sandbox_tui.server.pages.board import Block, Board
from sandbox_tui.server.pages.forms import drawing, html_of
from sandbox_tui.server.pages.gate import Answer, Refused, Request
from sandbox_tui.server.pages.keys import Keys

HEARTBEAT = 15.0
"""Seconds between two signs of life of a stream, which show who is gone."""

PACE = 0.1
"""Seconds between two looks at what changed."""

FRAME = "<!doctype html><meta charset=utf-8><body>"


class Site:
    """Serves `boards`, by their ids, on a port of loopback that the system chooses."""

    def __init__(self, boards: Mapping[str, Board]) -> None:
        self._boards = boards
        self._keys = Keys()
        self._cookie = f"sandbox-tui-{secrets.token_hex(4)}"
        """Of this site only: whatever else serves on this host shares the browser's cookies."""
        self._page = (
            resources.files("sandbox_tui.server.pages").joinpath("page.html").read_text("utf-8")
        )
        self._server: asyncio.Server | None = None
        self._guests: set[asyncio.Task[None]] = set()
        self._port = 0

    @classmethod
    async def open(cls, boards: Mapping[str, Board]) -> Site:
        """Listen."""
        site = cls(boards)
        site._server = await asyncio.start_server(
            site._arrived, "127.0.0.1", 0, limit=gate.MOST_HEAD
        )
        site._port = site._server.sockets[0].getsockname()[1]
        return site

    def url(self, page_id: str) -> str:
        """An address of a page that works once; each is another one."""
        return f"http://127.0.0.1:{self._port}/{page_id}/?token={self._keys.issue()}"

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
            return  # the site closes; asyncio would log it as an error of the server's
        finally:
            self._guests.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, answer: Answer) -> None:
        try:
            request = await gate.read_request(reader, self._port)
            await self._answer(request, answer)
        except Refused as refused:
            await answer.refuse(refused.status)

    async def _answer(self, request: Request, answer: Answer) -> None:
        _, page_id, *path = request.path.split("/")
        if path == [""] and "token" in request.query:
            await self._admit(request.query["token"], page_id, answer)
            return
        if not self._keys.admits(request.cookie(self._cookie)):
            raise Refused(HTTPStatus.UNAUTHORIZED)
        if (board := self._boards.get(page_id)) is None:
            raise Refused(HTTPStatus.NOT_FOUND)
        match path:
            case [""]:
                await self._show(answer)
            case ["events"]:
                await _tell(board, answer)
            case ["frame", block_id, number]:
                await _frame(board, block_id, number, answer)
            case _:
                raise Refused(HTTPStatus.NOT_FOUND)

    async def _admit(self, token: str, page_id: str, answer: Answer) -> None:
        secret = self._keys.redeem(token)
        if secret is None or page_id not in self._boards:
            raise Refused(HTTPStatus.UNAUTHORIZED)
        await answer.redirect(f"/{page_id}/", f"{self._cookie}={secret}")

    async def _show(self, answer: Answer) -> None:
        nonce = gate.new_nonce()
        policy = gate.PAGE_POLICY.format(nonce=nonce)
        body = self._page.replace("NONCE", nonce)
        await answer.whole(HTTPStatus.OK, "text/html; charset=utf-8", body, policy=policy)


async def _tell(board: Board, answer: Answer) -> None:
    await answer.begin_events()
    await answer.event(msgspec.json.encode(board.name), "name")
    seen = 0
    while not board.ended:
        fresh, seen = board.since(seen), board.revision
        await answer.event(msgspec.json.encode([drawing(b) for b in fresh]) if fresh else b"")
        await board.changed(seen, HEARTBEAT)
        await asyncio.sleep(PACE)
    await answer.event(b"{}", "ended")


async def _frame(board: Board, block_id: str, number: str, answer: Answer) -> None:
    block = board.get(block_id)
    html = _html(block, number) if block is not None else None
    if html is None:
        raise Refused(HTTPStatus.NOT_FOUND)
    kind = "text/html; charset=utf-8"
    await answer.whole(HTTPStatus.OK, kind, FRAME + html, policy=gate.FRAME_POLICY)


def _html(block: Block, number: str) -> str | None:
    if not number.isdecimal() or len(number) > 9 or int(number) >= len(block.outputs):
        return None
    return html_of(block.outputs[int(number)])
