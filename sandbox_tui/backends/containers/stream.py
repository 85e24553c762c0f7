"""The body of a reply that goes on: logs, events, measurements, what a command prints."""

from __future__ import annotations

import contextlib
import io
import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from sandbox_tui.backends.containers.frames import Chunks

if TYPE_CHECKING:
    import requests

PIECE = 64 * 1024


class Stream:
    """Bytes for one reading thread; `stop` may be called from any other.

    A body that ends before it is complete is an error, never a shorter body. `file` and
    `connection` lie under `reply`; `talking` is the door's own translation of errors.
    """

    def __init__(
        self,
        reply: requests.Response,
        file: io.BufferedReader,
        connection: socket.socket,
        talking: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._reply = reply
        self._file = file
        self._connection = connection
        self.talking = talking
        self._chunks = Chunks() if reply.raw.chunked else None
        self._stopped = False

    def wait_at_most(self, seconds: float | None) -> None:
        """How long one `read` may wait for bytes; `None` is for ever."""
        self._connection.settimeout(seconds)

    def read(self) -> bytes:
        """Wait for the next bytes; none at the end. Raises `BackendUnavailableError`."""
        with self.talking():
            try:
                return self._read_chunks(self._chunks) if self._chunks else self._read_plain()
            except (OSError, EOFError, ValueError):
                if self._stopped:
                    return b""
                raise

    def stop(self) -> None:
        """End a `read` that waits, at once, and every later one."""
        self._stopped = True
        with contextlib.suppress(OSError):  # the other side was quicker
            self._connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the connection up; for the thread that reads."""
        self._reply.close()

    def _read_plain(self) -> bytes:
        return self._reply.raw.read1(PIECE)

    def _read_chunks(self, chunks: Chunks) -> bytes:
        """From the file below the library: its own reading gives one chunk, one line, at a time."""
        while not chunks.complete:
            data = self._file.read1(PIECE)
            if not data:
                raise EOFError("the stream ends in the middle")
            if body := chunks.feed(data):
                return body
        return b""
