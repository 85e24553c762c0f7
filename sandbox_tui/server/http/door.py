"""What every request passes before any route: who may ask, and how long a request may be."""

from __future__ import annotations

import asyncio
from typing import cast

from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox_tui.server.http import errors
from sandbox_tui.server.http.auth import Gate, Visit, token_cookie, without_token

BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})


class Door:
    """An ASGI app in front of another.

    `longest` is the longest body, in bytes; `patience` is how long one may take, in seconds.
    """

    def __init__(self, app: ASGIApp, gate: Gate, longest: int, patience: float) -> None:
        self._app = app
        self._gate = gate
        self._longest = longest
        self._patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or answer it here."""
        if scope["type"] not in ("http", "websocket"):
            return await self._app(scope, receive, send)
        visit = visit_of(scope)
        response = self._answer(visit)
        if response is None and scope["type"] == "http" and visit.method not in BODILESS:
            response, receive = await self._in_time(visit, receive)
        if response is None:
            return await self._app(scope, receive, send)
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close", "code": 1008})  # before it is accepted
        return await response(scope, receive, send)

    def _answer(self, visit: Visit) -> Response | None:
        refusal = self._gate.refusal(visit)
        if self._gate.is_welcome(visit, refusal):
            return _welcome(visit, self._gate)
        if refusal is None:
            return None
        response = errors.answer(*refusal)
        if refusal.status == 401:
            response.headers["www-authenticate"] = "Bearer"
        return response

    async def _in_time(self, visit: Visit, receive: Receive) -> tuple[Response | None, Receive]:
        try:
            async with asyncio.timeout(self._patience):
                return await self._read(visit, receive)
        except TimeoutError:
            message = f"the body did not come within {self._patience:g} s"
            return _last(errors.answer(408, "BodyTooSlowError", message, "Send it again.")), receive

    async def _read(self, visit: Visit, receive: Receive) -> tuple[Response | None, Receive]:
        """The body, read to its end; every route needs all of it."""
        announced = visit.headers.get("content-length", "0")
        if announced.isdecimal() and int(announced) > self._longest:
            return self._too_long(), receive
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return None, _again(message, receive)
            body += message.get("body", b"")
            if len(body) > self._longest:
                return self._too_long(), receive
            if not message.get("more_body", False):
                whole: Message = {"type": "http.request", "body": bytes(body), "more_body": False}
                return None, _again(whole, receive)

    def _too_long(self) -> Response:
        message = f"the body is longer than {self._longest} bytes"
        return _last(errors.answer(413, "BodyTooLongError", message, "Send less at once."))


def visit_of(scope: Scope) -> Visit:
    """What an ASGI server says about a request."""
    pairs = cast("list[tuple[bytes, bytes]]", scope["headers"])
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in pairs}
    query = scope["query_string"].decode("latin-1")
    return Visit(scope.get("method", "GET"), scope["path"], query, headers)


def _last(response: Response) -> Response:
    """The connection ends with it: what is still to come of the body is not waited for."""
    response.headers["connection"] = "close"
    return response


def _welcome(visit: Visit, gate: Gate) -> Response:
    headers = {"set-cookie": token_cookie(gate), "referrer-policy": "no-referrer"}
    return RedirectResponse(without_token(visit), 303, headers)


def _again(first: Message, receive: Receive) -> Receive:
    """`receive`, with a message that was taken already."""
    left = [first]

    async def receive_again() -> Message:
        return left.pop() if left else await receive()

    return receive_again
