"""Requests to an engine and its replies: as much of HTTP/1.1 as engines speak, read strictly.

An HTTP library takes longer to load than an engine takes to answer, hides the sockets that some
threads must be able to shut under others, and hands out a long reply line by line. Here a reply
that ends early, is not understood or has no end is an error, never a shorter reply (RFC 9112).
"""

from __future__ import annotations

import contextlib
import io
import re
import select
import socket
import threading
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from sandbox_tui.backends.containers.engine.frames import Chunks
from sandbox_tui.backends.containers.engine.transport import Dialer

PIECE = 64 * 1024
LONGEST_REPLY = 64 * 1024 * 1024
"""Bytes of a reply that is read as a whole."""

MOST_IDLE = 16

_LONGEST_LINE = 16 * 1024
_MOST_HEADERS = 100
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})(?: .*)?")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~\w-]+):[ \t]*(.*?)[ \t]*", re.ASCII)
_HEXADECIMAL = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*(?:;.*)?")
_LEAVES_NO_BODY = (204, 304)
_SAFE = re.compile(rb"[^\w.~-]", re.ASCII)

NOTHING: Mapping[str, str] = MappingProxyType({})


class RefusedError(Exception):
    """An answer that says no."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"refused with {status}")
        self.status = status
        self.body = body


class Request(NamedTuple):
    """What is asked for; a `body` in pieces is sent as they come."""

    method: str
    path: str
    params: Mapping[str, str] = NOTHING
    body: bytes | Iterable[bytes] = b""
    headers: Mapping[str, str] = NOTHING

    def head(self) -> bytes:
        """Everything before the body."""
        query = "&".join(f"{key}={quoted(value)}" for key, value in self.params.items())
        target = f"{self.path}?{query}" if query else self.path
        lines = [f"{self.method} {target} HTTP/1.1", "Host: engine"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if not isinstance(self.body, bytes):
            lines.append("Transfer-Encoding: chunked")
        elif self.body or self.method != "GET":
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join([*lines, "", ""]).encode()


def quoted(text: str) -> str:
    """As a part of an address."""
    raw = text.encode("utf-8", "surrogateescape")
    return _SAFE.sub(lambda found: b"%%%02X" % found[0][0], raw).decode()


class Connection:
    """A socket, and what was read from it and not used yet."""

    def __init__(self, wire: socket.socket) -> None:
        self.wire = wire
        self.file = io.BufferedReader(wire.makefile("rb", 0), PIECE)

    def ask(self, request: Request) -> Reply:
        """Send it and wait for the beginning of the reply. Raises `RefusedError` for a bad one."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it has answered already
            self._send(request)
        reply = Reply(self, bare=request.method == "HEAD")
        if reply.status >= 400:
            raise RefusedError(reply.status, reply.whole())
        return reply

    def is_quiet(self) -> bool:
        """Whether it can be used again: it still stands, and nothing came unasked."""
        waiting = select.poll()
        waiting.register(self.wire, select.POLLIN)
        return not waiting.poll(0)

    def stop(self) -> None:
        """From any thread: end what is under way on it."""
        with contextlib.suppress(OSError):  # the other side was quicker
            self.wire.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of it."""
        self.file.close()
        self.wire.close()

    def line(self) -> bytes:
        """A line of a head, without its end."""
        line = self.file.readline(_LONGEST_LINE)
        if not line.endswith(b"\n"):
            raise ValueError("a line is too long") if len(line) == _LONGEST_LINE else EOFError
        return line.rstrip(b"\r\n")

    def exactly(self, size: int) -> bytes:
        """That many bytes."""
        data = self.file.read(size)
        if len(data) < size:
            raise EOFError
        return data

    def _send(self, request: Request) -> None:
        if isinstance(request.body, bytes):
            self.wire.sendall(request.head() + request.body)
            return
        self.wire.sendall(request.head())
        for piece in filter(None, request.body):
            self.wire.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
        self.wire.sendall(b"0\r\n\r\n")


class Reply:
    """Status and headers; the body follows, as a whole or piece by piece."""

    def __init__(self, connection: Connection, *, bare: bool = False) -> None:
        """A `bare` reply has no body, whatever its headers say of one."""
        self.connection = connection
        self.status, self.headers = _head(connection)
        self.complete = bare
        """Whether nothing is left, so that the connection can be used again."""
        chunked = not bare and self._coding == "chunked"
        self._left = 0 if bare else self._length()
        self._chunks = Chunks() if chunked else None

    def whole(self, longest: int = LONGEST_REPLY) -> bytes:
        """The body. Raises `ValueError` when it is longer, `EOFError` when it is cut off."""
        if self._chunks is None and self._left is not None:
            body = self.connection.exactly(_within(self._left, longest))
        else:
            body = self._all_chunks(longest) if self._chunks else self._until_the_end(longest)
        self.complete = self._chunks is not None or self._left is not None
        return body

    def read(self) -> bytes:
        """The next bytes of the body; none at its end. Raises `EOFError` when it is cut off."""
        if self._chunks:
            return self._read_chunks(self._chunks)
        if self._left is None:
            return self.connection.file.read1(PIECE)
        data = self.connection.file.read1(min(PIECE, self._left)) if self._left else b""
        self._left -= len(data)
        if not data and self._left:
            raise EOFError
        return data

    @property
    def _coding(self) -> str | None:
        coding = self.headers.get("transfer-encoding")
        return None if coding is None else coding.lower()

    def _length(self) -> int | None:
        """Bytes of the body; `None` when it ends with the connection, or says itself."""
        coding, said = self._coding, self.headers.get("content-length")
        if coding not in (None, "chunked") or (coding and said is not None):
            raise ValueError("nobody can tell where the answer ends")
        if self.status in _LEAVES_NO_BODY:
            return 0
        if said is not None and not re.fullmatch(r"\d{1,18}", said, re.ASCII):
            raise ValueError(f"its length is {said!r}")
        return None if said is None else int(said)

    def _all_chunks(self, longest: int) -> bytes:
        connection, body = self.connection, bytearray()
        while size := _chunk_size(connection.line()):
            body += connection.exactly(_within(size, longest - len(body)))
            if connection.line():
                raise ValueError("a chunk is longer than it says")
        while connection.line():  # trailers
            continue
        return bytes(body)

    def _until_the_end(self, longest: int) -> bytes:
        body = self.connection.file.read(longest + 1)
        _within(len(body), longest)
        return body

    def _read_chunks(self, chunks: Chunks) -> bytes:
        """As many as have come: one at a time would be one log line at a time."""
        while not chunks.complete:
            data = self.connection.file.read1(PIECE)
            if not data:
                raise EOFError
            if body := chunks.feed(data):
                return body
        return b""


class Connections:
    """Connections to one engine, used again while they stand. Safe to use from several threads."""

    def __init__(self, dialer: Dialer) -> None:
        self._dialer = dialer
        self._idle: list[Connection] = []
        self._closed = False
        self._lock = threading.Lock()

    def take(self) -> Connection:
        """One for a single user. Raises `OSError`."""
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return Connection(self._dialer.dial())
            if connection.is_quiet():
                return connection
            connection.close()

    def give_back(self, connection: Connection) -> None:
        """It is wanted no more, and nothing is under way on it."""
        with self._lock:
            if not self._closed and len(self._idle) < MOST_IDLE:
                self._idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Close those that are not in use, and the others when they are given back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()


def _head(connection: Connection) -> tuple[int, dict[str, str]]:
    """Status and headers, all in lower case; what only says "go on" is passed over."""
    while True:
        line = connection.line()
        found = _STATUS.fullmatch(line)
        if found is None:
            raise ValueError(f"it begins with {line[:80]!r}")
        status, headers = int(found[1]), _headers(connection)
        if status >= 200 or status == 101:
            return status, headers


def _headers(connection: Connection) -> dict[str, str]:
    """A header that comes twice has both its values, as the protocol wants it."""
    headers: dict[str, str] = {}
    for _ in range(_MOST_HEADERS):
        line = connection.line()
        if not line:
            return headers
        found = _HEADER.fullmatch(line)
        if found is None:
            raise ValueError(f"no header is {line[:80]!r}")
        name, value = found[1].decode().lower(), found[2].decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    raise ValueError("it has too many headers")


def _chunk_size(line: bytes) -> int:
    found = _HEXADECIMAL.fullmatch(line)
    if found is None:
        raise ValueError(f"no chunk has the size {line[:80]!r}")
    return int(found[1], 16)


def _within(size: int, longest: int) -> int:
    if size > longest:
        raise ValueError("it is too long")
    return size
