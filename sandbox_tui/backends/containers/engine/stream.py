"""The body of a reply that goes on: logs, events, measurements, what a command prints."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable
from contextlib import AbstractContextManager

from sandbox_tui.backends.containers.engine.exchange import Reply


class Stream:
    """Bytes for one reading thread; `stop` and `send` may be called from any other.

    A body that ends before it is complete is an error, never a shorter body. `talking` is the
    door's own translation of errors.
    """

    def __init__(self, reply: Reply, talking: Callable[[], AbstractContextManager[None]]) -> None:
        self._reply = reply
        self._wire = reply.connection.wire
        self.talking = talking
        self._stopped = False

    def wait_at_most(self, seconds: float | None) -> None:
        """How long one `read` may wait for bytes; `None` is for ever."""
        self._wire.settimeout(seconds)

    def read(self) -> bytes:
        """Wait for the next bytes; none at the end. Raises `BackendUnavailableError`."""
        with self.talking():
            try:
                return self._reply.read()
            except (OSError, EOFError, ValueError):
                if self._stopped:
                    return b""
                raise

    def send(self, data: bytes) -> None:
        """Write to the other end, where it listens. Raises `BackendUnavailableError`."""
        with self.talking():
            self._wire.sendall(data)

    def bare(self) -> tuple[socket.socket, bytes] | None:
        """The socket itself, for who reads and writes without waiting, and what came already.

        `None` for one that is encrypted.
        """
        if isinstance(self._wire, ssl.SSLSocket):
            return None
        self._wire.setblocking(False)
        return self._wire, self._reply.connection.file.peek()

    def end_input(self) -> None:
        """Say that nothing more will be sent."""
        with self.talking():
            self._wire.shutdown(socket.SHUT_WR)

    def stop(self) -> None:
        """End a `read` that waits, at once, and every later one."""
        self._stopped = True
        with contextlib.suppress(OSError):  # the other side was quicker
            self._wire.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the connection up; for the thread that reads."""
        self._reply.connection.close()
