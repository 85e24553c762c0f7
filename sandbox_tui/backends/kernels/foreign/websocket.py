"""A kernel's channels through its Jupyter server: one WebSocket, one JSON text per message."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import logging
import os
import socket
import struct
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

import msgspec

from sandbox_tui.backends.kernels.channels import Deliver
from sandbox_tui.backends.kernels.messages import Header, Message, Parent, tidied

if TYPE_CHECKING:
    from tornado.iostream import IOStream
    from tornado.websocket import WebSocketClientConnection

LOGGER = logging.getLogger(__name__)

HUNG_UP = "its server hung up"

PROTOCOL = "5.3"
"""The version of Jupyter's messages that is spoken."""


class WebSocketChannels:
    """Everything that the kernel says goes to `deliver`; `lost` hears of the socket's end."""

    can_ask = True

    def __init__(
        self,
        connection: WebSocketClientConnection,
        session: str,
        deliver: Deliver,
        lost: Callable[[str], None],
        interrupt: Callable[[], Awaitable[None]],
    ) -> None:
        self._connection = connection
        self._session = session
        self._deliver = deliver
        self._lost = lost
        self._interrupt = interrupt
        self._reader = asyncio.create_task(self._read(), name="read a server's kernel")

    def send(self, channel: str, kind: str, content: Mapping[str, object]) -> str:
        """Send; when the socket has ended, that is told by `lost` and not here."""
        from tornado.websocket import WebSocketClosedError

        message = _Asked(channel, _header(kind, self._session), content)
        with contextlib.suppress(WebSocketClosedError):
            sending = self._connection.write_message(msgspec.json.encode(message).decode())
            sending.add_done_callback(_heed)
        return message.header["msg_id"]

    async def interrupt(self) -> None:
        """Ask the server, which knows how; raises `BackendUnavailableError`."""
        await self._interrupt()

    async def close(self) -> None:
        """Hang up, without waiting for the server to do so too."""
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)
        stream = self._stream
        self._connection.close()
        if stream is not None:
            stream.close()

    @property
    def _stream(self) -> IOStream | None:
        protocol = self._connection.protocol
        return protocol.stream if protocol is not None else None

    async def _read(self) -> None:
        while (frame := await self._connection.read_message()) is not None:
            self._acknowledge()
            try:
                self._deliver(message_of(frame))
            except Exception:  # a worker's edge: one bad message must not end all listening
                LOGGER.exception("dropped a message of a server's kernel")
        self._lost(HUNG_UP)

    def _acknowledge(self) -> None:
        """Confirm what came at once, where the system can: the server sends no more before.

        It leaves Nagle's algorithm on and sends a run's end in several small pieces.
        """
        carrier = self._stream.socket if self._stream is not None else None
        if carrier is not None and hasattr(socket, "TCP_QUICKACK"):
            with contextlib.suppress(OSError):  # it has just ended
                carrier.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def session_name() -> str:
    """Tells this program from the server's other clients: questions come back to who asked."""
    return os.urandom(8).hex()


class _Asked(msgspec.Struct):
    channel: str
    header: dict[str, str]
    content: Mapping[str, object]
    parent_header: dict[str, str] = {}
    metadata: dict[str, str] = {}
    buffers: tuple[()] = ()


class _Said(msgspec.Struct):
    header: Header
    content: msgspec.Raw
    parent_header: Parent = msgspec.field(default_factory=Parent)
    channel: str = "iopub"


def message_of(frame: str | bytes) -> Message:
    """One message; a frame of bytes is one with attachments, which nobody here looks at.

    Raises `ValueError`, `msgspec.MsgspecError` or `struct.error` for anything else.
    """
    packed = _first(frame) if isinstance(frame, bytes) else frame.encode()
    try:
        said = msgspec.json.decode(packed, type=_Said)
    except msgspec.DecodeError:
        said = msgspec.json.decode(tidied(packed), type=_Said)
    parent = said.parent_header.msg_id
    return Message(said.channel, said.header.msg_type, parent, bytes(said.content))


def _first(frame: bytes) -> bytes:
    """The JSON of a frame that begins with the number of its parts and where each starts."""
    (count,) = struct.unpack_from("!I", frame)
    starts = struct.unpack_from(f"!{count}I", frame, 4)
    return frame[starts[0] : starts[1] if count > 1 else None]


def _header(kind: str, session: str) -> dict[str, str]:
    return {
        "msg_id": uuid.uuid4().hex,
        "msg_type": kind,
        "session": session,
        "username": os.environ.get("USER", ""),
        "date": datetime.datetime.now(datetime.UTC).isoformat(),
        "version": PROTOCOL,
    }


def _heed(sending: asyncio.Future[None]) -> None:
    """A socket that ended meanwhile is told of by its reader."""
    if not sending.cancelled():
        sending.exception()
