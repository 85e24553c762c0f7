"""Sockets that lead to an engine: over a unix socket, through ssh, over TCP with or without TLS.

Through ssh they lead to `docker system dial-stdio` on the other side, as the engine's own command
line does it.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol
from urllib.parse import SplitResult, urlsplit

from sandbox_tui.backends.containers.engine.endpoint import Endpoint

if TYPE_CHECKING:
    import ssl

_PORTS = {"tcp": 2375, "http": 80, "https": 443}
_PORT_WITH_TLS = 2376


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


def dialer(endpoint: Endpoint, seconds: float) -> Dialer:
    """The dialer for an address. Raises `ValueError` for one of another kind."""
    url, parts = endpoint.url, urlsplit(endpoint.url)
    if parts.scheme == "unix":
        return UnixDialer(url.removeprefix("unix://"), seconds)
    if parts.scheme == "ssh":
        return SshDialer(url, seconds)
    if parts.scheme in _PORTS and parts.hostname:
        return TcpDialer(parts, endpoint, seconds)
    raise ValueError("it is none of unix://, tcp://, https://, ssh://")


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


class TcpDialer:
    """A host and a port; with TLS where there are certificates, or the address says `https`."""

    def __init__(self, parts: SplitResult, endpoint: Endpoint, seconds: float) -> None:
        encrypted = parts.scheme == "https" or bool(endpoint.certificates)
        usual = _PORT_WITH_TLS if endpoint.certificates else _PORTS[parts.scheme]
        self._host = parts.hostname or ""
        self._port = parts.port or usual
        self._context = _context(endpoint) if encrypted else None
        self._seconds = seconds

    def dial(self) -> socket.socket:
        """Connect, and shake hands where it is encrypted."""
        connection = socket.create_connection((self._host, self._port), self._seconds)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._context is None:
            return connection
        try:
            return self._context.wrap_socket(connection, server_hostname=self._host)
        except BaseException:
            connection.close()
            raise

    def complaint(self) -> str:
        """There is nobody in between."""
        return ""

    def close(self) -> None:
        """Nothing was started."""


def _context(endpoint: Endpoint) -> ssl.SSLContext:
    """As docker's folders of certificates are meant: one authority, and who is asking.

    Raises `ValueError` for certificates that cannot be used.
    """
    import ssl

    folder = Path(endpoint.certificates) if endpoint.certificates else None
    try:
        context = ssl.create_default_context(cafile=folder / "ca.pem" if folder else None)
        if folder and (folder / "cert.pem").exists():
            context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    except OSError as error:
        reason = error.strerror or str(error)
        raise ValueError(f"certificates in {folder}: {reason}") from error
    if not endpoint.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


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
        import tempfile

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
