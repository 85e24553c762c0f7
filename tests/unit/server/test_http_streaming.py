"""Server-sent events: silence is filled, and what nobody reads is ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from fastapi import Request

from sandbox_tui.server.http import streaming
from sandbox_tui.server.http.streaming import event, events, while_there


class Client:
    """What a request is for whoever only waits for its end."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()
        self.request = Request({"type": "http", "headers": []}, self._receive)

    async def _receive(self) -> dict[str, str]:
        await self.gone.wait()
        return {"type": "http.disconnect"}


async def test_silence_is_filled_and_the_end_is_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "HEARTBEAT", 0.02)
    go = asyncio.Event()

    async def source() -> AsyncIterator[bytes]:
        yield event("a", b"1", "x-1")
        await go.wait()
        yield event("b", b"2")

    told = aiter(events(Client().request, source()).body_iterator)
    assert await anext(told) == b"id: x-1\nevent: a\ndata: 1\n\n"
    assert str(await anext(told)).count(":") >= 1
    assert await anext(told) == b": still here\n\n"
    go.set()
    rest = [part async for part in told]
    assert rest[-1] == b"event: b\ndata: 2\n\n"


async def test_the_source_ends_with_the_client() -> None:
    client, ended = Client(), asyncio.Event()

    async def source() -> AsyncIterator[bytes]:
        try:
            yield b"first"
            await asyncio.Event().wait()
        finally:
            ended.set()

    told = aiter(events(client.request, source()).body_iterator)
    assert await anext(told) == b"first"
    client.gone.set()
    assert [part async for part in told] == []
    assert ended.is_set()


async def test_work_ends_with_the_client() -> None:
    client, ended = Client(), asyncio.Event()

    async def work() -> int:
        try:
            await asyncio.sleep(10)
        finally:
            ended.set()
        return 1

    client.gone.set()
    assert await while_there(client.request, work()) is None
    assert ended.is_set()
    assert await while_there(Client().request, asyncio.sleep(0, 7)) == 7
