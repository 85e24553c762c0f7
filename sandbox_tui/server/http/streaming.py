"""Server-sent events, and waiting for something only as long as the client is there.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from typing import TypeVar

from fastapi import Request
from fastapi.responses import StreamingResponse

from sandbox_tui.model.codec import to_json
from sandbox_tui.model.errors import SandboxError
from sandbox_tui.runtime.streams import closing
from sandbox_tui.server.http.errors import ErrorBody, Problem

T = TypeVar("T")

HEARTBEAT = 15.0
"""Seconds of silence after which a comment is sent: what is between must not hang up."""

MEDIA = "text/event-stream"
_BEAT = b": still here\n\n"
_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


def event(name: str, data: bytes, event_id: str = "") -> bytes:
    """One event; `data` is one line of JSON."""
    head = f"id: {event_id}\n" if event_id else ""
    return b"%sevent: %s\ndata: %s\n\n" % (head.encode(), name.encode(), data)


def events(request: Request, source: AsyncIterator[bytes]) -> StreamingResponse:
    """Events as they come; `source` is closed when it ends or when the client has gone."""
    return StreamingResponse(_stream(request, source), media_type=MEDIA, headers=_HEADERS)


def wants_events(request: Request, *, unsaid: bool) -> bool:
    """Whether the client asks for a stream; `unsaid` is for one that takes anything."""
    accept = request.headers.get("accept", "*/*")
    if MEDIA in accept:
        return True
    return unsaid and "application/json" not in accept


async def while_there(request: Request, work: Awaitable[T]) -> T | None:
    """What `work` gives; `None`, and the end of `work`, when the client goes first."""
    task = asyncio.ensure_future(work)
    gone = asyncio.create_task(_gone(request))
    try:
        await asyncio.wait([task, gone], return_when=asyncio.FIRST_COMPLETED)
        return await task if task.done() else None
    finally:
        task.cancel()
        gone.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def _stream(request: Request, source: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    gone = asyncio.create_task(_gone(request))
    try:
        async with closing(_with_beats(source, gone)) as told:
            async for data in told:
                yield data
    except SandboxError as error:
        problem = Problem(type(error).__name__, error.message, error.hint)
        yield event("error", to_json(ErrorBody(problem)))
    finally:
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)


async def _with_beats(
    source: AsyncIterator[bytes], gone: asyncio.Task[None]
) -> AsyncGenerator[bytes]:
    """The events of `source` until `gone`, with something to send while it is silent."""
    async with closing(source):
        while not gone.done():
            coming = asyncio.ensure_future(anext(source, b""))
            try:
                while not await _is_done(coming, gone):
                    yield _BEAT
                if gone.done() or not (data := await coming):
                    return
            finally:
                coming.cancel()
                await asyncio.wait([coming])
            yield data


async def _is_done(coming: asyncio.Future[bytes], gone: asyncio.Task[None]) -> bool:
    """Whether either is, after waiting for a heartbeat at most."""
    done, _ = await asyncio.wait([coming, gone], timeout=HEARTBEAT, return_when="FIRST_COMPLETED")
    return bool(done)


async def _gone(request: Request) -> None:
    """Return when the client has hung up."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
