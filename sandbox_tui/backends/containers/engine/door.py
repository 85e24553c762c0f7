"""Requests to one engine, each with its deadline; what goes wrong leaves here as a `SandboxError`.

Every method blocks and belongs into a thread of `link.Link`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterable, Mapping
from functools import partial
from typing import TypeVar

import msgspec

from sandbox_tui.backends.containers.engine import faults
from sandbox_tui.backends.containers.engine.endpoint import Endpoint
from sandbox_tui.backends.containers.engine.exchange import (
    NOTHING,
    Connections,
    RefusedError,
    Reply,
    Request,
)
from sandbox_tui.backends.containers.engine.replies import Made, Refused
from sandbox_tui.backends.containers.engine.stream import Stream
from sandbox_tui.backends.containers.engine.transport import Dialer, dialer
from sandbox_tui.model.errors import BackendUnavailableError, SandboxError
from sandbox_tui.model.refs import Place

ORDER_SECONDS = 60
"""Longest that a command to the engine may take, beside what it was asked to wait."""

_FOREIGN = (RefusedError, msgspec.MsgspecError, OSError, EOFError, ValueError)

T = TypeVar("T")


class Door:
    """The way to one engine. Safe to use from several threads."""

    def __init__(self, place: Place, endpoint: Endpoint, patience: int) -> None:
        """Nothing is asked yet; `patience` is how long one reading may take, in seconds."""
        self.endpoint = endpoint
        self._place = str(place)
        self._patience = patience
        self._prefix = ""
        self._dialer = _dialer(place, endpoint, patience)
        self._connections = Connections(self._dialer)

    def let_go(self) -> None:
        """Close the connections that are not in use, and the others as they are finished."""
        self._connections.close()

    def close(self) -> None:
        """Close all connections that are not in use, and end what led to the others."""
        self.let_go()
        self._dialer.close()

    def get(
        self, path: str, params: Mapping[str, str] = NOTHING, ref: str = "", verb: str = ""
    ) -> bytes:
        """Read something that is not long, within the patience."""
        return self._whole(Request("GET", self._url(path), params), self._patience, ref, verb)

    def read(self, path: str, wanted: type[T], ref: str = "", verb: str = "") -> T:
        """The same, as a document of that type."""
        raw = self.get(path, ref=ref, verb=verb)
        with self.talking():
            return msgspec.json.decode(raw, type=wanted)

    def order(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] = NOTHING,
        *,
        body: Mapping[str, object] | Iterable[bytes] | None = None,
        seconds: float = ORDER_SECONDS,
        ref: str = "",
        verb: str = "",
    ) -> bytes:
        """Change something; a `body` is a document, or bytes that are sent as they come."""
        return self._whole(self._request(method, path, params, body), seconds, ref, verb)

    def made(self, raw: bytes) -> str:
        """The id of what was made."""
        with self.talking():
            return msgspec.json.decode(raw, type=Made).id

    def stream(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] = NOTHING,
        ref: str = "",
        verb: str = "",
        *,
        body: Mapping[str, object] | Iterable[bytes] | None = None,
        headers: Mapping[str, str] = NOTHING,
    ) -> Stream:
        """Headers come within the patience; after that the body may be silent for ever."""
        request = self._request(method, path, params, body, headers)
        with self.talking(ref, verb, seconds=self._patience):
            reply = self._ask(request, self._patience)
        stream = Stream(reply, partial(self.talking, ref, verb))
        stream.wait_at_most(None)
        return stream

    def head(self, path: str, params: Mapping[str, str], ref: str, verb: str) -> Mapping[str, str]:
        """Only the headers of an answer, by their names in lower case."""
        with self.talking(ref, verb, seconds=self._patience):
            reply = self._ask(Request("HEAD", self._url(path), params), self._patience)
            self._let_go(reply)
            return reply.headers

    def haul(
        self,
        held: Callable[[Callable[[], None]], None],
        method: str,
        path: str,
        params: Mapping[str, str] = NOTHING,
        *,
        body: Mapping[str, object] | Iterable[bytes] | None = None,
        headers: Mapping[str, str] = NOTHING,
        ref: str = "",
        verb: str = "",
    ) -> Stream:
        """A long way there or back, without a deadline.

        `held` is handed, before anything is sent, what ends it from any other thread.
        """
        request = self._request(method, path, params, body, headers)
        with self.talking(ref, verb):
            reply = self._ask(request, None, held)
        return Stream(reply, partial(self.talking, ref, verb))

    @contextlib.contextmanager
    def talking(
        self, ref: str = "", verb: str = "", *, seconds: float = ORDER_SECONDS
    ) -> Generator[None]:
        """Translate what goes wrong inside; `verb` is what was to be done to `ref`."""
        try:
            yield
        except _FOREIGN as error:
            raise self._translated(error, ref, verb, seconds) from error

    def _whole(self, request: Request, seconds: float, ref: str, verb: str) -> bytes:
        with self.talking(ref, verb, seconds=seconds):
            reply = self._ask(request, seconds)
            try:
                return reply.whole()
            finally:
                self._let_go(reply)

    def _ask(
        self,
        request: Request,
        seconds: float | None,
        held: Callable[[Callable[[], None]], None] | None = None,
    ) -> Reply:
        connection = self._connections.take()
        try:
            if held is not None:
                held(connection.stop)
            connection.wire.settimeout(seconds)
            return connection.ask(request)
        except BaseException:
            connection.close()
            raise

    def _let_go(self, reply: Reply) -> None:
        if reply.complete:
            self._connections.give_back(reply.connection)
        else:
            reply.connection.close()

    def _request(
        self,
        method: str,
        path: str,
        params: Mapping[str, str],
        body: Mapping[str, object] | Iterable[bytes] | None,
        headers: Mapping[str, str] = NOTHING,
    ) -> Request:
        if isinstance(body, Mapping):
            headers = {"Content-Type": "application/json", **headers}
            return Request(method, self._url(path), params, msgspec.json.encode(body), headers)
        return Request(method, self._url(path), params, b"" if body is None else body, headers)

    def _url(self, path: str) -> str:
        """Before the version is known, the only question is which."""
        return f"{self._prefix}{path}"

    def _translated(
        self, error: BaseException, ref: str, verb: str, seconds: float
    ) -> SandboxError:
        if not isinstance(error, RefusedError):
            reason, hint = faults.trouble(
                error, seconds, self._dialer.complaint(), self.endpoint.url
            )
            reason = f"cannot connect {self.endpoint.url} ({reason})"
            return BackendUnavailableError(self._place, reason, hint=hint)
        message = _message(error)
        if ref:
            return faults.refusal(ref, verb, error.status, message)
        reason = f"{self.endpoint.url} answers {error.status}: {message}"
        return BackendUnavailableError(self._place, reason)


def _dialer(place: Place, endpoint: Endpoint, patience: int) -> Dialer:
    try:
        return dialer(endpoint, patience)
    except ValueError as error:
        reason = f"cannot connect {endpoint.url} ({error})"
        hint = "Correct the address of the engine."
        raise BackendUnavailableError(str(place), reason, hint=hint) from error


def _message(refusal: RefusedError) -> str:
    """What an engine says when it refuses; another kind of server says what it likes."""
    try:
        return msgspec.json.decode(refusal.body, type=Refused).message
    except msgspec.DecodeError:
        return refusal.body.decode("utf-8", "replace").strip()[:200] or str(refusal)
