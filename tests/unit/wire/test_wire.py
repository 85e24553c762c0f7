"""Frames: whole, in pieces, too long, cut off, and of somebody else's making."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox_tui.model.errors import UsageError
from sandbox_tui.runtime import wire
from sandbox_tui.runtime.faults import fault_of
from sandbox_tui.runtime.wire import (
    CHUNK,
    LONGEST_FRAME,
    Ask,
    Channel,
    Chunk,
    Done,
    Drop,
    Failed,
    Goodbye,
    Hello,
    HungUpError,
    MalformedError,
    Message,
    Next,
    Part,
    Ping,
    Pong,
    ToClient,
    ToServer,
)

FAULT = fault_of(UsageError("no", hint="Yes."))
TO_SERVER = (Hello(1, "1.0", 7), Ask(1, b"x"), Next(1), Drop(1), Ping(), Chunk(1, b"y"))
TO_CLIENT = (Hello(1, "1.0", 7), Part(1, b"x"), Done(2), Failed(3, FAULT), Goodbye(FAULT), Pong())


class Pair:
    """Both ends of one stream."""

    def __init__(self, client: Channel[ToClient], server: Channel[ToServer]) -> None:
        self.client = client
        self.server = server


@pytest.fixture
async def raw() -> AsyncIterator[tuple[asyncio.StreamWriter, Channel[ToServer]]]:
    """A writer of any bytes, and the server's channel that reads them."""
    here, there = socket.socketpair()
    _, writer = await asyncio.open_unix_connection(sock=here)
    channel = wire.server_channel(*await asyncio.open_unix_connection(sock=there))
    yield writer, channel
    writer.close()
    await channel.close()


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    here, there = socket.socketpair()
    client = wire.client_channel(*await asyncio.open_unix_connection(sock=here))
    server = wire.server_channel(*await asyncio.open_unix_connection(sock=there))
    yield Pair(client, server)
    await client.close()
    await server.close()


@pytest.mark.parametrize("message", TO_SERVER[:-1], ids=lambda message: type(message).__name__)
async def test_each_message_to_the_server_arrives(pair: Pair, message: Message) -> None:
    pair.client.post(message)

    assert await pair.server.receive() == message


@pytest.mark.parametrize("message", TO_CLIENT, ids=lambda message: type(message).__name__)
async def test_each_message_to_the_client_arrives(pair: Pair, message: Message) -> None:
    pair.server.post(message)

    assert await pair.client.receive() == message


@given(size=st.sampled_from([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 10 * CHUNK + 7]))
async def test_a_body_of_any_length_arrives_whole(size: int) -> None:
    here, there = socket.socketpair()
    client = wire.client_channel(*await asyncio.open_unix_connection(sock=here))
    server = wire.server_channel(*await asyncio.open_unix_connection(sock=there))
    body = bytes(index % 251 for index in range(size))
    sending = asyncio.create_task(server.send(Part(4, body)))

    assert await client.receive() == Part(4, body)

    await sending
    await client.close()
    await server.close()


async def test_a_short_answer_passes_a_long_one(pair: Pair) -> None:
    long = asyncio.create_task(pair.server.send(Part(1, bytes(40 * CHUNK))))
    await asyncio.sleep(0)
    await pair.server.send(Done(2, b"short"))

    assert await pair.client.receive() == Done(2, b"short")
    assert await pair.client.receive() == Part(1, bytes(40 * CHUNK))
    await long


async def test_who_does_not_read_stops_who_sends(pair: Pair) -> None:
    sending = asyncio.create_task(pair.server.send(Part(1, bytes(200 * CHUNK))))
    done, _ = await asyncio.wait([sending], timeout=0.2)

    assert not done
    assert await pair.client.receive() == Part(1, bytes(200 * CHUNK))
    await sending


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\xc1",
        b"GET / HTTP/1.1\r\n",
        msgspec.msgpack.encode({"a": 1}),
        msgspec.msgpack.encode(["Ask", "one", b""]),
        msgspec.msgpack.encode(["Ask", 1]),
        msgspec.msgpack.encode(["Dance", 1]),
        msgspec.msgpack.encode(Pong()),
    ],
)
async def test_a_wrong_shape_is_refused(
    raw: tuple[asyncio.StreamWriter, Channel[ToServer]], frame: bytes
) -> None:
    writer, channel = raw
    writer.write(struct.pack(">I", len(frame)) + frame)

    with pytest.raises(MalformedError):
        await channel.receive()


async def test_a_frame_that_would_be_too_long_is_refused_before_it_comes(
    raw: tuple[asyncio.StreamWriter, Channel[ToServer]],
) -> None:
    writer, channel = raw
    writer.write(struct.pack(">I", LONGEST_FRAME + 1))

    with pytest.raises(MalformedError, match=str(LONGEST_FRAME + 1)):
        await channel.receive()


@pytest.mark.parametrize("sent", [b"", b"\0\0", b"\0\0\0\x05ab"])
async def test_a_stream_that_is_cut_off_is_an_end(
    raw: tuple[asyncio.StreamWriter, Channel[ToServer]], sent: bytes
) -> None:
    writer, channel = raw
    writer.write(sent)
    writer.close()

    with pytest.raises(HungUpError):
        await channel.receive()


async def test_bodies_that_never_end_are_refused(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pair.server, "_longest_body", 1000)
    for number in range(11):
        pair.client.post(Chunk(number, bytes(100)))

    with pytest.raises(MalformedError):
        await pair.server.receive()


async def test_many_bodies_that_never_begin_are_refused(pair: Pair) -> None:
    for number in range(wire.MOST_AT_ONCE + 1):
        pair.client.post(Chunk(number, b""))

    with pytest.raises(MalformedError):
        await pair.server.receive()


async def test_what_is_given_up_half_way_is_forgotten(pair: Pair) -> None:
    for number in range(wire.MOST_AT_ONCE + 1):
        pair.client.post(Chunk(number, b"half of it"))
        pair.client.post(Drop(number))
        assert await pair.server.receive() == Drop(number)

        pair.server.post(Chunk(number, b"half of it"))
        pair.server.post(Failed(number, FAULT))
        assert await pair.client.receive() == Failed(number, FAULT)


async def test_sending_to_nobody_is_told(pair: Pair) -> None:
    await pair.client.close()

    with pytest.raises(HungUpError):
        await pair.server.send(Part(1, bytes(100 * CHUNK)))


async def test_closing_does_not_wait_for_who_does_not_read(pair: Pair) -> None:
    for _ in range(100):
        pair.server.post(Part(1, bytes(CHUNK)))

    async with asyncio.timeout(2):
        await pair.server.close(0.05)
