"""A server that runs commands in containers of its own: `POST /execute`, as Dockyter defines it.

The contract has one request and one reply, so output comes when the command has ended. What this
program's own server adds, the exit code in a header, is used where it is there.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from sandbox_tui.model.errors import BackendUnavailableError, InvalidSpecError, RemoteRefusalError

EXIT_CODE = "X-Exit-Code"
PATIENCE = 5.0
"""Seconds to connect, or to say how it is."""

LARGEST = 64 * 1024 * 1024
"""Bytes in one reply."""


class Answer(NamedTuple):
    """What one command said."""

    stdout: str
    stderr: str
    exit_code: int | None = None


class _Said(msgspec.Struct):
    stdout: str = ""
    stderr: str = ""


class _Error(msgspec.Struct):
    message: str = ""
    hint: str = ""


class _Refused(msgspec.Struct):
    error: _Error


class RemoteServer:
    """One such server. Its methods block; `stop`, from another thread, ends what waits."""

    def __init__(self, url: str, token: str = "") -> None:
        """Raises `InvalidSpecError` for what is no `http://` or `https://` address, or no token."""
        self.url = url.rstrip("/")
        self._token = token
        try:
            parts = urlsplit(self.url)
            self._host, self._port = parts.hostname or "", parts.port
        except ValueError:
            raise InvalidSpecError("url", f"{url!r} is no address") from None
        if parts.scheme not in ("http", "https") or not self._host:
            raise InvalidSpecError("url", f"{url!r} is not http://HOST[:PORT]")
        if not (token.isascii() and token.isprintable()):
            raise InvalidSpecError("token", "it has characters that no header can carry")
        self._tls = parts.scheme == "https"
        self._path = parts.path
        self._lock = threading.Lock()
        self._open: set[http.client.HTTPConnection] = set()

    def ping(self) -> None:
        """Raise `BackendUnavailableError` when it does not answer."""
        self._ask("GET", "/health", None, PATIENCE)

    def execute(self, command: str, arguments: str, timeout: float | None = None) -> Answer:
        """Run a shell command in a container that `arguments` describe, as for `docker run`.

        Raises `BackendUnavailableError`, or `RemoteRefusalError` with what the server says.
        """
        body = msgspec.json.encode({"cmd": command, "args": arguments})
        headers, reply = self._ask("POST", "/execute", body, timeout)
        try:
            said = msgspec.json.decode(reply, type=_Said)
        except msgspec.DecodeError:
            raise self._unavailable("Invalid JSON response from Dockyter API.") from None
        code = headers.get(EXIT_CODE.lower(), "")
        return Answer(said.stdout, said.stderr, int(code) if code.isdecimal() else None)

    def stop(self) -> None:
        """End every request that is under way: the server sees its client go."""
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            if connection.sock is not None:
                with contextlib.suppress(OSError):  # it has ended by itself
                    connection.sock.shutdown(socket.SHUT_RDWR)

    def _ask(
        self, method: str, path: str, body: bytes | None, timeout: float | None
    ) -> tuple[Mapping[str, str], bytes]:
        connection = self._connection()
        with self._lock:
            self._open.add(connection)
        try:
            connection.connect()
            connection.sock.settimeout(timeout)
            connection.request(method, f"{self._path}{path}", body, self._headers())
            reply = connection.getresponse()
            text = reply.read(LARGEST + 1)
        except (OSError, http.client.HTTPException) as error:
            reason = f"API backend unreachable at {self.url}: {error}"
            raise self._unavailable(reason) from error
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()
        if len(text) > LARGEST:
            raise self._unavailable(f"{self.url} answers with more than {LARGEST} bytes")
        if reply.status >= 400:
            raise self._refusal(reply.status, text)
        return {key.lower(): value for key, value in reply.getheaders()}, text

    def _connection(self) -> http.client.HTTPConnection:
        if self._tls:
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(
                self._host, self._port, timeout=PATIENCE, context=context
            )
        return http.client.HTTPConnection(self._host, self._port, timeout=PATIENCE)

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        return headers | ({"Authorization": f"Bearer {self._token}"} if self._token else {})

    def _refusal(self, status: int, text: bytes) -> RemoteRefusalError:
        try:
            said = msgspec.json.decode(text, type=_Refused).error
        except msgspec.DecodeError:
            said = _Error(text.decode("utf-8", "replace").strip()[:200])
        return RemoteRefusalError(self.url, status, said.message, hint=said.hint)

    def _unavailable(self, reason: str) -> BackendUnavailableError:
        hint = "Check the address, and that a server runs there: sandbox-tui serve"
        return BackendUnavailableError("api", reason, hint=hint)
