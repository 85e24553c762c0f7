"""Signed messages to and from one kernel, over zmq.

jupyter_client signs and serialises; waiting for messages is not left to it, because its clients
drain channels by timers. Both libraries are imported on first use: most programs that list rooms
never talk to one.
"""

from __future__ import annotations

import asyncio
import hmac
import importlib
import json
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Protocol, cast

import msgspec

from sandbox_tui.backends.kernels.channels import Deliver
from sandbox_tui.backends.kernels.connection import Connection
from sandbox_tui.backends.kernels.messages import Header, Message, Parent, tidied

if TYPE_CHECKING:
    from zmq.asyncio import Context, Socket

LOGGER = logging.getLogger(__name__)

SLICE = 0.005
"""Longest stretch of reading before others get their turn on the loop, in seconds."""

FLOOD = 16
"""Pieces of text in a row after which yet more of them are to be expected."""

GATHER = 0.005
"""Seconds for which a flood gathers: waking for each piece would take the processor from the code
that prints. A run gathers its text for longer than that in any case."""

HIGH_WATER = 100_000
"""Messages that may wait on our side of iopub before zmq drops some."""

RECONNECT = 10
"""Milliseconds between two tries to connect to a kernel that is still starting."""

_DELIMITER = b"<IDS|MSG>"


class _Session(Protocol):
    """What is used of jupyter_client's `Session`."""

    def msg(self, msg_type: str, content: dict[str, object]) -> dict[str, object]: ...
    def serialize(self, msg: dict[str, object]) -> list[bytes]: ...
    def sign(self, msg_list: list[bytes]) -> bytes: ...


class _Socket(Protocol):
    """What is used of zmq's asyncio `Socket`, with the types that it has without `copy=False`."""

    def recv_multipart(self) -> Awaitable[list[bytes]]: ...
    def send_multipart(self, msg_parts: list[bytes]) -> Awaitable[object]: ...


def new_context() -> Context:
    """What all wires of a host share: one thread that reads and writes their sockets.

    Also imports what a wire needs, which takes a while: call it in a thread.
    """
    from zmq.asyncio import Context

    importlib.import_module("jupyter_client.session")
    return Context()


class _PlainSocket(Protocol):
    """The same, without asyncio."""

    def recv_multipart(self, flags: int) -> list[bytes]: ...


_Shadow = Callable[[int], _PlainSocket]


class Wire:
    """Sockets to one kernel; everything it says goes to `deliver`, in the order of its channel."""

    def __init__(self, context: Context, connection: Connection, deliver: Deliver) -> None:
        import zmq

        self._session = _session(connection)
        self._name = os.urandom(8).hex().encode()  # a question comes back to who sent the code
        self._deliver = deliver
        self._context = context
        self._sockets = {
            "shell": self._connect(zmq.DEALER, connection.url("shell")),
            "control": self._connect(zmq.DEALER, connection.url("control")),
            "iopub": self._connect(zmq.SUB, connection.url("iopub")),
        }
        if connection.stdin_port:
            self._sockets["stdin"] = self._connect(zmq.DEALER, connection.url("stdin"))
        self._readers = [
            asyncio.create_task(self._read(channel, socket), name=f"read {channel}")
            for channel, socket in self._sockets.items()
        ]

    @property
    def can_ask(self) -> bool:
        """Whether running code can ask for input."""
        return "stdin" in self._sockets

    def send(self, channel: str, kind: str, content: Mapping[str, object]) -> str:
        """Send on `shell`, `control` or `stdin`; answers with the message's id."""
        message = self._session.msg(kind, dict(content))
        cast("_Socket", self._sockets[channel]).send_multipart(self._session.serialize(message))
        return str(message["msg_id"])

    async def interrupt(self) -> None:
        """Ask the kernel to interrupt itself."""
        self.send("control", "interrupt_request", {})

    async def close(self) -> None:
        """Close the sockets; what was sent a moment ago is not waited for."""
        for reader in self._readers:
            reader.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)
        for socket in self._sockets.values():
            socket.close(linger=0)

    def _connect(self, kind: int, url: str) -> Socket:
        import zmq

        socket = self._context.socket(kind)
        socket.linger = 0
        socket.rcvhwm = HIGH_WATER
        socket.setsockopt(zmq.RECONNECT_IVL, RECONNECT)
        socket.setsockopt(zmq.ROUTING_ID, self._name)
        if kind == zmq.SUB:
            socket.subscribe(b"")
        socket.connect(url)
        return socket

    async def _read(self, channel: str, socket: Socket) -> None:
        loop = asyncio.get_running_loop()
        patient = cast("_Socket", socket)
        there_already = _impatient(socket)
        texts = 0
        while True:
            frames: list[bytes] | None = await patient.recv_multipart()
            until = loop.time() + SLICE
            while frames is not None:
                texts = texts + 1 if self._hand_over(channel, frames) == "stream" else 0
                frames = there_already() if loop.time() < until else None
            await asyncio.sleep(GATHER if texts > FLOOD else 0)

    def _hand_over(self, channel: str, frames: list[bytes]) -> str:
        """Check, and deliver; what is not signed by the kernel or has no sense is dropped.

        Answers with what kind of message it was.
        """
        try:
            message = self._message(channel, frames)
            self._deliver(message)
        except Exception:  # a worker's edge: one bad message must not end all listening
            LOGGER.exception("dropped a message on %s", channel)
            return ""
        return message.kind

    def _message(self, channel: str, frames: list[bytes]) -> Message:
        """What `Session.deserialize` does, without its search for dates in every header."""
        start = frames.index(_DELIMITER) + 1
        signature, header, parent, metadata, content = frames[start : start + 5]
        ours = self._session.sign([header, parent, metadata, content])
        if not hmac.compare_digest(signature, ours):
            raise ValueError("the signature is not the kernel's")
        kind = msgspec.json.decode(header, type=Header).msg_type
        cause = msgspec.json.decode(parent, type=Parent).msg_id
        return Message(channel, kind, cause, content)


def _impatient(socket: Socket) -> Callable[[], list[bytes] | None]:
    """A way to take a message that is there already, else `None`: twice as fast in a flood."""
    import zmq

    shadow = cast("_Shadow", zmq.Socket.shadow)  # pyright: ignore[reportUnknownMemberType]  # stubs
    receive = shadow(socket.underlying).recv_multipart

    def take() -> list[bytes] | None:
        try:
            return receive(zmq.NOBLOCK)
        except zmq.Again:
            return None

    return take


def unpack(message: Message) -> object:
    """The content of a message as plain values, with text that can be encoded."""
    try:
        return msgspec.json.decode(message.packed)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return json.loads(tidied(message.packed))


def _session(connection: Connection) -> _Session:
    from jupyter_client.session import Session

    return Session(
        key=connection.key.encode(),
        signature_scheme=connection.signature_scheme or "hmac-sha256",
        username=os.environ.get("USER", ""),
    )
