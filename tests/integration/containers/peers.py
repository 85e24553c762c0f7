"""Engines that misbehave: made-up ones, and the real one behind a door that can be shut."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

Answer = bytes | Callable[[socket.socket], None]

VERSION = b'{"Version":"99.1","ApiVersion":"1.41","Components":[{"Name":"Engine"}]}'


def reply(body: bytes, *, status: str = "200 OK", length: int | None = None) -> bytes:
    """A whole HTTP answer; `length` may lie."""
    size = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\nContent-Length: {size}\r\n\r\n".encode() + body


def chunks(*parts: bytes, complete: bool = True) -> bytes:
    """An HTTP answer in chunks."""
    body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
    end = b"0\r\n\r\n" if complete else b""
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body + end


def silence(connection: socket.socket) -> None:
    """Read on, and never answer."""
    while connection.recv(4096):
        continue


class _Server:
    """A unix socket, a thread for each connection, and an end for all of them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.url = f"unix://{path}"
        self._connections: set[socket.socket] = set()
        self.listen()

    def listen(self) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self._listener.listen(64)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def close(self) -> None:
        """Be gone: the socket's file too, and every connection cut."""
        self.path.unlink(missing_ok=True)
        for each in (self._listener, *list(self._connections)):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                self._connections.add(connection)
                threading.Thread(target=self._serve_one, args=(connection,), daemon=True).start()

    def _serve_one(self, connection: socket.socket) -> None:
        try:
            with suppress(OSError):
                self.serve(connection)
        finally:
            self._connections.discard(connection)
            connection.close()

    def serve(self, connection: socket.socket) -> None:
        raise NotImplementedError


class Peer(_Server):
    """Answers by the end of the path asked for, and to `/version` and `/_ping` as engines do."""

    def __init__(self, path: Path, answers: Mapping[str, Answer]) -> None:
        self.answers: dict[str, Answer] = {
            "/version": reply(VERSION),
            "/_ping": reply(b"OK"),
            **answers,
        }
        self.asked: list[str] = []
        super().__init__(path)

    def serve(self, connection: socket.socket) -> None:
        request = b""
        while True:
            while b"\r\n\r\n" not in request:
                received = connection.recv(65536)
                if not received:
                    return
                request += received
            head, _, request = request.partition(b"\r\n\r\n")
            path = head.split(b" ")[1].decode().partition("?")[0]
            self.asked.append(path)
            if not self._answer(connection, path):
                return

    def _answer(self, connection: socket.socket, path: str) -> bool:
        """Whether the connection goes on."""
        found = (answer for end, answer in self.answers.items() if path.endswith(end))
        answer = next(found, reply(b'{"message":"page not found"}', status="404 Not Found"))
        if callable(answer):
            answer(connection)
            return False
        connection.sendall(answer)
        head, _, body = answer.partition(b"\r\n\r\n")
        return body.endswith(b"0\r\n\r\n") or f": {len(body)}".encode() in head


class Forwarder(_Server):
    """Passes everything on to a real engine, until it is told not to."""

    def __init__(self, path: Path, engine: Path) -> None:
        self._engine = engine
        self._thawed = threading.Event()
        self._thawed.set()
        super().__init__(path)

    def freeze(self) -> None:
        """Accept and read, but pass nothing on, as a stopped process does."""
        self._thawed.clear()

    def thaw(self) -> None:
        """Go on, with what came meanwhile too."""
        self._thawed.set()

    def close(self) -> None:
        self._thawed.set()
        super().close()

    def serve(self, connection: socket.socket) -> None:
        with socket.socket(socket.AF_UNIX) as engine:
            engine.connect(str(self._engine))
            self._connections.add(engine)
            back = threading.Thread(target=self._pass, args=(engine, connection), daemon=True)
            back.start()
            self._pass(connection, engine)
            back.join()
            self._connections.discard(engine)

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self._thawed.wait()
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)
