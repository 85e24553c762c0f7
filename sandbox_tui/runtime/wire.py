"""Many conversations in one ordered stream of frames: what a client and a server say and how.

A frame is a four-byte big-endian length and one MessagePack message. A client asks (`Ask`) and is
answered once (`Done` or `Failed`), or in parts: one `Part` for the `Ask` and one for each `Next`,
then `Done`. Nobody sends a part that was not asked for, so a slow reader holds up only its own
conversation and nothing piles up anywhere. A long body travels in `Chunk`s, and between two of them
the other conversations go on.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import Iterator
from typing import Generic, TypeVar

import msgspec

from sandbox_tui.runtime.faults import Fault

PROTOCOL = 3
"""Raised whenever one of the messages, requests or answers changes its shape."""

CHUNK = 128 * 1024
"""Bytes of a body that travel in one frame."""

LONGEST_FRAME = 2 * CHUNK
"""Bytes. Whoever announces more does not speak this protocol."""

LONGEST_REQUEST = 64 * 1024 * 1024
"""Bytes that a client may make the server hold for one request."""

MOST_AT_ONCE = 1024
"""Conversations that one client may have at the same time."""

LONGEST_ANSWER = 1024 * 1024 * 1024
"""Bytes that the server may make a client hold for one answer."""

_LENGTH = struct.Struct(">I")


class MalformedError(ValueError):
    """The other end said something that is not of this protocol."""


class HungUpError(ConnectionError):
    """The other end is gone."""


class Message(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Base of all messages; the tag is the class name."""


class Hello(Message, frozen=True, array_like=True, tag="sandbox-tui"):
    """The first frame of either end."""

    protocol: int
    version: str
    pid: int


class Ask(Message, frozen=True, array_like=True):
    """A request; its id is chosen by the client and names the conversation."""

    id: int
    body: bytes


class Next(Message, frozen=True, array_like=True):
    """One more part, please: as new as it can be."""

    id: int


class Drop(Message, frozen=True, array_like=True):
    """Nobody waits for an answer any more; what of it is on its way is ended by a `Done`."""

    id: int


class Ping(Message, frozen=True, array_like=True):
    """Is somebody there?"""


class Pong(Message, frozen=True, array_like=True):
    """Yes."""


class Chunk(Message, frozen=True, array_like=True):
    """The beginning of the body that the next message of this id ends."""

    id: int
    body: bytes


class Part(Message, frozen=True, array_like=True):
    """One of several answers."""

    id: int
    body: bytes


class Done(Message, frozen=True, array_like=True):
    """The only answer, or the end of several."""

    id: int
    body: bytes = b""


class Failed(Message, frozen=True, array_like=True):
    """The request failed."""

    id: int
    fault: Fault


class Goodbye(Message, frozen=True, array_like=True):
    """The server hangs up, and why."""

    fault: Fault


ToServer = Hello | Ask | Next | Drop | Ping | Chunk
ToClient = Hello | Part | Done | Failed | Goodbye | Pong | Chunk
Heard = TypeVar("Heard", ToServer, ToClient)


class Channel(Generic[Heard]):
    """One end of a stream: `receive` is for one reader, `post` and `send` are for everybody."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        heard: msgspec.msgpack.Decoder[Heard],
        longest_body: int,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._decoder = heard
        self._longest_body = longest_body
        self._begun: dict[int, bytearray] = {}

    def post(self, message: Message) -> None:
        """Send a short message without waiting; whoever posts much calls `drain` in between."""
        if not self._writer.is_closing():
            frame = msgspec.msgpack.encode(message)
            self._writer.write(_LENGTH.pack(len(frame)) + frame)

    def post_long(self, message: Ask) -> None:
        """Send a message of any length without waiting."""
        for frame in _frames(message):
            self.post(frame)

    async def send(self, message: Ask | Part | Done) -> None:
        """Send a message of any length, at the reader's pace. Raises `HungUpError`."""
        for frame in _frames(message):
            self.post(frame)
            await self.drain()

    async def drain(self) -> None:
        """Return when the other end has room for more. Raises `HungUpError`."""
        try:
            await self._writer.drain()
        except OSError as error:
            raise HungUpError(str(error)) from None

    async def receive(self) -> Heard:
        """The next whole message. Raises `HungUpError` at the end, `MalformedError`."""
        while True:
            message = self._whole(self._decode(await self._frame()))
            if message is not None:
                return message

    def hang_up(self) -> None:
        """Say and hear no more, without waiting for what is still on its way."""
        self._writer.transport.abort()

    async def close(self, patience: float = 0.0) -> None:
        """Hang up; what was posted is given `patience` seconds to leave."""
        self._writer.close()
        closed = asyncio.ensure_future(self._closed())
        await asyncio.wait([closed], timeout=patience)
        if not closed.done():
            self._writer.transport.abort()
            await closed

    async def _closed(self) -> None:
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def _frame(self) -> bytes:
        try:
            [length] = _LENGTH.unpack(await self._reader.readexactly(_LENGTH.size))
            if length > LONGEST_FRAME:
                raise MalformedError(f"a frame of {length} bytes")
            return await self._reader.readexactly(length)
        except (OSError, asyncio.IncompleteReadError) as error:
            raise HungUpError(str(error)) from None

    def _decode(self, frame: bytes) -> Heard:
        try:
            return self._decoder.decode(frame)
        except msgspec.MsgspecError as error:
            raise MalformedError(str(error)) from None

    def _whole(self, message: Heard) -> Heard | None:
        """The message with its earlier chunks before it; `None` for a chunk."""
        if isinstance(message, Chunk):
            self._keep(message)
            return None
        if isinstance(message, Drop | Failed):
            self._begun.pop(message.id, None)
        if isinstance(message, Ask | Part | Done) and message.id in self._begun:
            begun = self._begun.pop(message.id)
            return msgspec.structs.replace(message, body=bytes(begun + message.body))
        return message

    def _keep(self, chunk: Chunk) -> None:
        begun = self._begun.setdefault(chunk.id, bytearray())
        begun += chunk.body
        if len(self._begun) > MOST_AT_ONCE or self._held() > self._longest_body:
            raise MalformedError(f"unfinished bodies of {self._held()} bytes")

    def _held(self) -> int:
        return sum(map(len, self._begun.values()))


def _frames(message: Ask | Part | Done) -> Iterator[Message]:
    """The message, after as many chunks of its body as it takes."""
    body = memoryview(message.body)
    while len(body) > CHUNK:
        yield Chunk(message.id, bytes(body[:CHUNK]))
        body = body[CHUNK:]
    if len(body) < len(message.body):
        message = msgspec.structs.replace(message, body=bytes(body))
    yield message


def server_channel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Channel[ToServer]:
    """The server's end."""
    decoder = msgspec.msgpack.Decoder[ToServer](ToServer)
    return Channel[ToServer](reader, writer, decoder, LONGEST_REQUEST)


def client_channel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Channel[ToClient]:
    """The client's end."""
    decoder = msgspec.msgpack.Decoder[ToClient](ToClient)
    return Channel[ToClient](reader, writer, decoder, LONGEST_ANSWER)
