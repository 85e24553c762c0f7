"""The one door to the docker library, and so to Docker and Podman.

Every method blocks and belongs into a thread of `link.Link`, which is also who imports this module
first: the library takes a tenth of a second to load. What the library and everything under it
raises leaves here as a `SandboxError`.

Commands go through the library's own methods. Readings that are made often or may be long (the
listing, logs, events, the output of a command) use its connection but not its parsing: their bytes
are compared or taken apart elsewhere, and each has its own deadline.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import math
import socket
from collections.abc import Callable, Generator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, TypeVar, cast

import docker
import docker.constants
import docker.errors
import docker.tls
import msgspec
import requests
import urllib3.exceptions

from sandbox_tui.backends.containers import faults
from sandbox_tui.backends.containers.endpoint import Endpoint
from sandbox_tui.backends.containers.frames import Frames
from sandbox_tui.backends.containers.replies import (
    Box,
    ExecState,
    Inspected,
    Listed,
    Refused,
    Version,
)
from sandbox_tui.backends.containers.stream import Stream
from sandbox_tui.backends.containers.transport import SocketAdapter, dialer
from sandbox_tui.model.errors import (
    AlreadyExistsError,
    BackendUnavailableError,
    DeadlineError,
    SandboxError,
)
from sandbox_tui.model.refs import Place, Ref

ORDER_SECONDS = 60
"""Longest that a command to the engine may take, beside what it was asked to wait."""

_FOREIGN = (
    docker.errors.DockerException,
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    msgspec.MsgspecError,
    OSError,
    EOFError,
    ValueError,
)
_LISTING = msgspec.json.Decoder(list[Listed])
_NOTHING: Mapping[str, str] = MappingProxyType({})

T = TypeVar("T")


class Engine:
    """A connected engine. Safe to use from several threads."""

    def __init__(self, place: Place, endpoint: Endpoint, patience: int) -> None:
        """Connect; `patience` is how long one reading may take, in seconds.

        Raises `BackendUnavailableError` with the reason.
        """
        self.endpoint = endpoint
        self._place = str(place)
        self._patience = patience
        self._dialer = dialer(endpoint.url, patience)
        self._client = self._open(docker.constants.DEFAULT_DOCKER_API_VERSION)
        self.version = self.ask_version()
        self._client.close()
        self._client = self._open(self.version.api_version)
        self._lib: Any = self._client  # for those of its methods that have no types

    def _open(self, api_version: str) -> docker.APIClient:
        """The library's client; it connects when it is used."""
        with self._talking():
            client = docker.APIClient(
                base_url="unix://engine" if self._dialer else self.endpoint.url,
                version=api_version,
                timeout=ORDER_SECONDS,
                tls=_tls(self.endpoint),
            )
        if self._dialer:
            client.mount("http+docker://", SocketAdapter(self._dialer))
        return client

    def close(self) -> None:
        """Close all connections that are not in use."""
        self._client.close()
        if self._dialer:
            self._dialer.close()

    def ask_version(self) -> Version:
        """Which engine this is. Costly for both: podman runs programs to find out."""
        return self._read("/version", Version)

    def ping(self) -> None:
        """The cheapest question there is: whether it answers."""
        self._get("/_ping", {})

    def containers(self) -> bytes:
        """The listing of all containers, as it came."""
        return self._get("/containers/json", {"all": "1"})

    def listed(self, raw: bytes) -> list[Listed]:
        """That listing taken apart."""
        with self._talking():
            return _LISTING.decode(raw)

    def inspect(self, box: Box) -> Inspected:
        """What the listing leaves out."""
        return self._read(f"/containers/{box.id}/json", Inspected, box.ref, "inspect")

    def inspect_all(self, box: Box) -> dict[str, object]:
        """Everything, as plain values."""
        return self._read(f"/containers/{box.id}/json", dict[str, object], box.ref, "inspect")

    def start(self, ref: Ref, config: Mapping[str, object], abandoned: Callable[[], bool]) -> None:
        """Create and start; on failure, or when `abandoned` by then, nothing is left behind."""
        try:
            box = Box(ref, self._create(ref, config), "created")
            self._start(box, abandoned)
        except (AlreadyExistsError, BackendUnavailableError, DeadlineError):
            raise
        except SandboxError as error:
            image, runtime = str(config["Image"]), self.version.runtime
            raise faults.start_failure(ref, image, runtime, error) from error

    def stop(self, box: Box, grace: float) -> None:
        """Send SIGTERM, and SIGKILL after `grace` seconds (whole ones, rounded up)."""
        with self._talking(box.ref, "stop"):
            self._client.stop(box.id, timeout=math.ceil(grace))

    def kill(self, box: Box, signal: str = "SIGKILL") -> None:
        """Send a signal to the main process."""
        with self._talking(box.ref, "send a signal to"):
            self._client.kill(box.id, signal=signal)

    def restart(self, box: Box, grace: float) -> None:
        """Stop and start the same container."""
        with self._talking(box.ref, "restart"):
            self._client.restart(box.id, timeout=math.ceil(grace))

    def pause(self, box: Box) -> None:
        """Freeze every process."""
        with self._talking(box.ref, "pause"):
            self._client.pause(box.id)

    def resume(self, box: Box) -> None:
        """Thaw every process."""
        with self._talking(box.ref, "resume"):
            self._client.unpause(box.id)

    def remove(self, box: Box, *, force: bool = False) -> None:
        """Remove an ended container (with `force` any) and the volumes that nobody named."""
        with self._talking(box.ref, "remove"):
            self._client.remove_container(box.id, v=True, force=force)

    def logs(
        self, box: Box, *, tail: str, since: float | None, follow: bool, stamps: bool
    ) -> Stream:
        """The log, with the engine's time stamps; `tail` is a number of entries or `all`."""
        wanted = {"stdout": "1", "stderr": "1", "tail": tail}
        wanted |= {"timestamps": str(int(stamps)), "follow": str(int(follow))}
        if since is not None:
            wanted["since"] = f"{since:.9f}"
        stream = self._stream("GET", f"/containers/{box.id}/logs", wanted, box.ref, "read")
        stream.wait_at_most(None if follow else self._patience)
        return stream

    def events(self) -> Stream:
        """What happens to containers from now on, one JSON document per line."""
        return self._stream("GET", "/events", {"filters": '{"type":["container"]}'})

    def stats(self, box: Box) -> Stream:
        """Measurements about once a second, one JSON document per line."""
        return self._stream("GET", f"/containers/{box.id}/stats", _NOTHING, box.ref, "measure")

    def make_exec(self, box: Box, argv: Sequence[str], env: Mapping[str, str] = _NOTHING) -> str:
        """Prepare a command inside; its id."""
        with self._talking(box.ref, "run in"):
            return self._lib.exec_create(box.id, list(argv), environment=dict(env))["Id"]

    def start_exec(self, box: Box, exec_id: str) -> Stream:
        """Begin it: the stream of what it prints, in frames."""
        return self._stream("POST", f"/exec/{exec_id}/start", _NOTHING, box.ref, "run in")

    def exec_state(self, box: Box, exec_id: str) -> ExecState:
        """Whether that command still runs, else its exit code."""
        return self._read(f"/exec/{exec_id}/json", ExecState, box.ref, "run in")

    def run(self, box: Box, argv: Sequence[str]) -> tuple[int | None, bytes]:
        """Run a short command of our own: its exit code, and what it printed on stdout."""
        exec_id = self.make_exec(box, argv)
        stream = self.start_exec(box, exec_id)
        with contextlib.closing(stream):
            stream.wait_at_most(self._patience)
            frames, said = Frames(), bytearray()
            while data := stream.read():
                said += b"".join(text for name, text in frames.feed(data) if name == 1)
        return self.exec_state(box, exec_id).exit_code, bytes(said)

    def _create(self, ref: Ref, config: Mapping[str, object]) -> str:
        with self._talking(ref, faults.CREATE):
            return self._lib.create_container_from_config(config, ref.name)["Id"]

    def _start(self, box: Box, abandoned: Callable[[], bool]) -> None:
        try:
            with self._talking(box.ref, "start"):
                self._client.start(box.id)
            if abandoned():
                raise DeadlineError(f"start {box.ref}", ORDER_SECONDS)
        except SandboxError:
            with contextlib.suppress(SandboxError):  # the failure itself is what is told
                self.remove(box, force=True)
            raise

    def _read(self, path: str, wanted: type[T], ref: str = "", verb: str = "") -> T:
        raw = self._get(path, _NOTHING, ref, verb)
        with self._talking():
            return msgspec.json.decode(raw, type=wanted)

    def _get(self, path: str, params: Mapping[str, str], ref: str = "", verb: str = "") -> bytes:
        with self._talking(ref, verb, seconds=self._patience):
            reply = self._client.get(self._url(path), params=params, timeout=self._patience)
            return _check(reply).content

    def _stream(
        self, method: str, path: str, params: Mapping[str, str], ref: str = "", verb: str = ""
    ) -> Stream:
        """Headers come within the patience; after that the body may be silent for ever."""
        body = {"Detach": False, "Tty": False} if method == "POST" else None
        with self._talking(ref, verb, seconds=self._patience):
            reply = self._client.request(
                method,
                self._url(path),
                params=params,
                json=body,
                timeout=self._patience,
                stream=True,
            )
            _check(reply)
        stream = Stream(reply, *_connection(reply), partial(self._talking, ref, verb))
        stream.wait_at_most(None)
        return stream

    def _url(self, path: str) -> str:
        """Only `/version` is asked without one."""
        prefix = "" if path == "/version" else f"/v{self._client.api_version}"
        return f"{self._client.base_url}{prefix}{path}"

    @contextlib.contextmanager
    def _talking(
        self, ref: str = "", verb: str = "", *, seconds: float = ORDER_SECONDS
    ) -> Generator[None]:
        try:
            yield
        except _FOREIGN as error:
            raise self._translated(error, ref, verb, seconds) from error

    def _translated(
        self, error: BaseException, ref: str, verb: str, seconds: float
    ) -> SandboxError:
        answer = error.response if isinstance(error, requests.HTTPError) else None
        if answer is None:
            said = self._dialer.complaint() if self._dialer else ""
            reason, hint = faults.trouble(error, seconds, said)
            reason = f"cannot connect {self.endpoint.url} ({reason})"
            return BackendUnavailableError(self._place, reason, hint=hint)
        message = _message(answer)
        if ref:
            return faults.refusal(ref, verb, answer.status_code, message)
        reason = f"{self.endpoint.url} answers {answer.status_code}: {message}"
        return BackendUnavailableError(self._place, reason)


def _check(reply: requests.Response) -> requests.Response:
    if not reply.ok:
        _ = reply.content  # read now, so that the connection is free and the message is here
        reply.raise_for_status()
    return reply


def _connection(reply: requests.Response) -> tuple[io.BufferedReader, socket.socket]:
    """The file and the socket under a streamed reply, which its owners keep to themselves."""
    file = cast("Any", reply.raw)._fp.fp
    return file, file.raw._sock


def _message(reply: requests.Response) -> str:
    """What an engine says when it refuses; another kind of server says what it likes."""
    try:
        return msgspec.json.decode(reply.content, type=Refused).message
    except msgspec.DecodeError:
        return reply.text.strip()[:200] or str(reply.reason)


def _tls(endpoint: Endpoint) -> docker.tls.TLSConfig | bool:
    if not endpoint.certificates:
        return False
    folder = endpoint.certificates
    return docker.tls.TLSConfig(
        client_cert=(f"{folder}/cert.pem", f"{folder}/key.pem"),
        ca_cert=f"{folder}/ca.pem",
        verify=endpoint.verify,
    )
