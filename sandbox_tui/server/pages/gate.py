"""The door of a site on loopback, for one person: as little HTTP as that takes.

Only `GET`, one request per connection, small heads, a deadline on every wait. A request whose
`Host` or `Origin` is not this very address is refused, so no other page can reach it through the
person's browser, whatever name it gives this machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncGenerator, Mapping
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

import msgspec

MOST_HEAD = 16 * 1024
"""Bytes of a request's line and headers."""

PATIENCE = 5.0
"""Seconds that a request has to arrive, and a piece of the answer to be taken."""

MOST_GUESTS = 32
"""Connections at a time."""

PAGE_POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src data:; "
    "connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
FRAME_POLICY = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; img-src data: blob:; font-src data:; media-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""Of what a kernel sent: it may draw, and reach nothing: neither the page nor the network."""

_ALWAYS = (
    "Cache-Control: no-store",
    "X-Content-Type-Options: nosniff",
    "Referrer-Policy: no-referrer",
    "Cross-Origin-Resource-Policy: same-origin",
    "Connection: close",
)


class Refused(Exception):  # noqa: N818  # an answer, told by its status
    """A request that gets no more than a status."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


class Request(msgspec.Struct, frozen=True):
    """What was asked for."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]

    def cookie(self, name: str) -> str:
        """What the visitor was given to keep under that name; nothing if it sends none."""
        try:
            morsel = SimpleCookie(self.headers.get("cookie", "")).get(name)
        except CookieError:
            return ""
        return morsel.value if morsel is not None else ""


async def read_request(reader: asyncio.StreamReader, port: int) -> Request:
    """The request of a connection to `port`. Raises `Refused`."""
    try:
        async with asyncio.timeout(PATIENCE):
            head = await reader.readuntil(b"\r\n\r\n")
    except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        raise Refused(HTTPStatus.BAD_REQUEST) from None
    line, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    headers = dict(map(_header, lines))
    if len(headers) != len(lines):
        raise Refused(HTTPStatus.BAD_REQUEST)
    _must_be_ours(headers, port)
    return _target(line, headers)


def _target(line: str, headers: Mapping[str, str]) -> Request:
    method, _, rest = line.partition(" ")
    target, _, version = rest.partition(" ")
    if method != "GET":
        raise Refused(HTTPStatus.METHOD_NOT_ALLOWED)
    if version not in ("HTTP/1.1", "HTTP/1.0") or not target.startswith("/"):
        raise Refused(HTTPStatus.BAD_REQUEST)
    parts = urlsplit(f"http://_{target}")
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    return Request(parts.path, query, headers)


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not name or name != name.strip():
        raise Refused(HTTPStatus.BAD_REQUEST)
    return name.lower(), value.strip()


def _must_be_ours(headers: Mapping[str, str], port: int) -> None:
    hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
    host, origin = headers.get("host", ""), headers.get("origin")
    site = headers.get("sec-fetch-site", "none")
    if host not in hosts or site not in ("none", "same-origin"):
        raise Refused(HTTPStatus.FORBIDDEN)
    if origin is not None and origin != f"http://{host}":
        raise Refused(HTTPStatus.FORBIDDEN)


class Answer:
    """Writes to one connection; every piece within the deadline."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    async def refuse(self, status: HTTPStatus) -> None:
        """No more than a status."""
        await self.whole(status, "text/plain; charset=utf-8", f"{status.phrase}\n")

    async def whole(
        self,
        status: HTTPStatus,
        kind: str,
        body: str,
        *more: str,
        policy: str = "default-src 'none'",
    ) -> None:
        """Everything at once."""
        data = body.encode("utf-8", "replace")
        await self._head(status, kind, f"Content-Length: {len(data)}", *more, policy=policy)
        await self._send(data)

    async def redirect(self, path: str, cookie: str) -> None:
        """Elsewhere on this site, with what the visitor is to keep, as `name=value`."""
        line = f"Set-Cookie: {cookie}; Path=/; HttpOnly; SameSite=Strict"
        await self.whole(HTTPStatus.SEE_OTHER, "text/plain", "", f"Location: {path}", line)

    async def begin_events(self) -> None:
        """The head of a stream of events."""
        await self._head(HTTPStatus.OK, "text/event-stream; charset=utf-8")

    async def event(self, data: bytes, name: str = "") -> None:
        """One event; nothing but a sign of life when `data` is empty."""
        head = f"event: {name}\n".encode() if name else b""
        await self._send(head + b"data: " + data + b"\n\n" if data else b":\n\n")

    async def _head(
        self, status: HTTPStatus, kind: str, *more: str, policy: str = "default-src 'none'"
    ) -> None:
        lines = (
            f"HTTP/1.1 {status.value} {status.phrase}",
            f"Content-Type: {kind}",
            f"Content-Security-Policy: {policy}",
            *_ALWAYS,
            *more,
        )
        await self._send("\r\n".join((*lines, "", "")).encode("latin-1"))

    async def _send(self, data: bytes) -> None:
        self._writer.write(data)
        async with asyncio.timeout(PATIENCE):
            await self._writer.drain()


@contextlib.asynccontextmanager
async def hanging_up(writer: asyncio.StreamWriter) -> AsyncGenerator[Answer]:
    """An answer on a connection that is closed in the end, whatever the other side does."""
    try:
        yield Answer(writer)
    except (OSError, TimeoutError):
        writer.transport.abort()
    finally:
        writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await writer.wait_closed()


def new_nonce() -> str:
    """For one answer's policy."""
    return secrets.token_urlsafe(16)
