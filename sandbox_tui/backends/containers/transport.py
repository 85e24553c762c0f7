"""Connections to an engine over a unix socket or through ssh, for the docker library to use.

Its own leave sockets that could not connect to the garbage collector, open a connection for every
address asked for, and through ssh know neither deadlines nor a way to be interrupted. These give it
one pool of plain sockets, which over ssh lead to `docker system dial-stdio` on the other side, as
the engine's own command line does it.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import tempfile
import threading
from typing import IO, Any, Protocol
from urllib.parse import urlsplit

import requests.adapters
import urllib3
import urllib3.connection

POOL_SIZE = 16


class Dialer(Protocol):
    """A way to make sockets that lead to an engine."""

    def dial(self) -> socket.socket:
        """A new one. Raises `OSError`."""
        ...

    def complaint(self) -> str:
        """Why they end at once, when somebody in between has said so."""
        ...

    def close(self) -> None:
        """End what was started for them. May block."""
        ...


def dialer(url: str, seconds: float) -> Dialer | None:
    """The dialer for an address; `None` for those that the library reaches well by itself."""
    if url.startswith("unix://"):
        return UnixDialer(url.removeprefix("unix://"), seconds)
    return SshDialer(url, seconds) if url.startswith("ssh://") else None


class UnixDialer:
    """A unix socket."""

    def __init__(self, path: str, seconds: float) -> None:
        self._path = path
        self._seconds = seconds

    def dial(self) -> socket.socket:
        """Connect, within the time."""
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.settimeout(self._seconds)
            connection.connect(self._path)
        except BaseException:
            connection.close()
            raise
        return connection

    def complaint(self) -> str:
        """There is nobody in between."""
        return ""

    def close(self) -> None:
        """Nothing was started."""


class SshDialer:
    """A process of ssh for each connection. They end with their connections."""

    def __init__(self, url: str, seconds: float) -> None:
        self._argv = ssh_command(url, seconds)
        self._seconds = seconds
        self._running: list[tuple[subprocess.Popen[bytes], IO[bytes]]] = []
        self._lock = threading.Lock()
        self._complaint = ""

    def dial(self) -> socket.socket:
        """Start one; it may fail later, and then the connection just ends."""
        ours, theirs = socket.socketpair()
        ours.settimeout(self._seconds)
        said = tempfile.TemporaryFile()  # noqa: SIM115  # closed when its process has ended
        try:
            with theirs:
                # In a session of its own: no question on the terminal, no Ctrl-C from it.
                end = theirs.fileno()
                process = subprocess.Popen(
                    self._argv, stdin=end, stdout=end, stderr=said, start_new_session=True
                )
        except OSError:
            ours.close()
            said.close()
            raise
        with self._lock:
            self._reap()
            self._complaint = ""
            self._running.append((process, said))
        return ours

    def complaint(self) -> str:
        """What ssh said, when it failed since the last connection was made.

        One that has hung up just now may need a moment to be gone.
        """
        with self._lock:
            if self._running:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._running[-1][0].wait(0.2)
            self._reap()
            return self._complaint

    def close(self) -> None:
        """End them all."""
        with self._lock:
            for process, _ in self._running:
                process.terminate()
            for process, _ in self._running:
                process.wait()
            self._reap()

    def _reap(self) -> None:
        """Forget those that have ended, and keep what a failed one has said."""
        for process, said in [each for each in self._running if each[0].poll() is not None]:
            self._running.remove((process, said))
            with said:
                said.seek(0)
                lines = said.read().decode("utf-8", "replace").strip().splitlines()
            if process.returncode and lines:
                self._complaint = lines[-1]


def ssh_command(url: str, seconds: float) -> list[str]:
    """The command line for `ssh://[USER@]HOST[:PORT]`. Never asks for a password."""
    parts = urlsplit(url)
    options = ["-T", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={max(1, round(seconds))}"]
    if parts.username:
        options += ["-l", parts.username]
    if parts.port:
        options += ["-p", str(parts.port)]
    return ["ssh", *options, "--", parts.hostname or "", "docker system dial-stdio"]


class SocketAdapter(requests.adapters.HTTPAdapter):
    """HTTP over a dialer's sockets, one pool for all addresses."""

    def __init__(self, dialer: Dialer) -> None:
        super().__init__()
        self._pool = _Pool(dialer)

    def get_connection_with_tls_context(self, *_: object, **__: object) -> Any:
        """The one pool."""
        return self._pool

    get_connection = get_connection_with_tls_context

    def request_url(self, request: requests.PreparedRequest, proxies: object) -> str:  # noqa: ARG002
        """The path alone: there is no proxy to a socket."""
        return request.path_url

    def close(self) -> None:
        """Close the connections that are not in use."""
        super().close()
        self._pool.close()


class _Pool(urllib3.HTTPConnectionPool):
    def __init__(self, dialer: Dialer) -> None:
        super().__init__("localhost", maxsize=POOL_SIZE)
        self._dialer = dialer

    def _new_conn(self) -> Any:
        return _Connection(self._dialer)


class _Connection(urllib3.connection.HTTPConnection):
    def __init__(self, dialer: Dialer) -> None:
        super().__init__("localhost")
        self._dialer = dialer

    def connect(self) -> None:
        """Use a socket of ours."""
        self.sock = self._dialer.dial()
