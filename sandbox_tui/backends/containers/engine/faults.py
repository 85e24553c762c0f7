"""What went wrong between this program and an engine, in our own errors.

The door (`engine.py`) hands in what it caught; nothing here knows which library raised it.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from typing import NamedTuple

from sandbox_tui.model.errors import (
    AlreadyExistsError,
    ConflictError,
    ImageNotFoundError,
    NotFoundError,
    OperationFailedError,
    SandboxError,
    StartFailedError,
)

_FULL_ID = re.compile(r"\b[0-9a-f]{64}\b")
_STATE_FORBIDS = ("container state improper", "is not paused", "already paused")
_PODMANS_404 = "does not exist in database: no such container"
"""How podman puts it, with status 500, when the container goes while it is asked about it."""

CREATE = "create"


class Trouble(NamedTuple):
    """Why an engine cannot be talked to, and what mends it."""

    reason: str
    hint: str


_START = "Start the engine: systemctl start {service}"
_JOIN_GROUP = "Run: sudo usermod -aG docker $USER, then log in again"
_RESTART = "Restart the engine: systemctl restart {service}"

_BY_CAUSE: tuple[tuple[type[BaseException], Trouble], ...] = (
    (FileNotFoundError, Trouble("no such file", _START)),
    (PermissionError, Trouble("permission denied", _JOIN_GROUP)),
    (ConnectionRefusedError, Trouble("refused, nobody listens", _START)),
    (socket.gaierror, Trouble("unknown host", "Correct the host's name in DOCKER_HOST")),
    (TimeoutError, Trouble("no answer in {:g} s", _RESTART)),
)


def trouble(error: BaseException, patience: float, said: str = "", url: str = "") -> Trouble:
    """Name the cause of a failed connection to `url`.

    `patience` is how long was waited (seconds), `said` what ssh in between complained of.
    """
    reason, hint = _trouble(error, patience, said)
    return Trouble(reason, hint.format(service="podman.socket" if "podman" in url else "docker"))


def _trouble(error: BaseException, patience: float, said: str) -> Trouble:
    if said:
        return Trouble(f"ssh: {said}", "Make this work first: ssh HOST docker version")
    for cause in causes(error):
        if getattr(cause, "filename", None) == "ssh":
            return Trouble("ssh is not installed", "Run: apt install openssh-client")
        for kind, told in _BY_CAUSE:
            if isinstance(cause, kind):
                return Trouble(told.reason.format(patience), told.hint)
    return _unreadable(error)


def _unreadable(error: BaseException) -> Trouble:
    text = " ".join(str(error).split())
    if any(type(cause).__name__ in _CUT_OFF for cause in causes(error)):
        return Trouble("the answer was cut off", _RESTART)
    return Trouble(f"unreadable answer: {text[:200]}", "Check that it is a container engine")


_CUT_OFF = frozenset({"IncompleteRead", "InvalidChunkLength", "RemoteDisconnected",
                      "ConnectionResetError", "BrokenPipeError", "EOFError"})  # fmt: skip


def nobody_there(error: BaseException) -> bool:
    """Whether no engine listens there for us, so that another place may be tried."""
    absent = (FileNotFoundError, PermissionError, ConnectionRefusedError)
    return any(isinstance(cause, absent) for cause in causes(error))


def is_missing(error: BaseException) -> bool:
    """Whether there is not even a socket."""
    return any(isinstance(cause, FileNotFoundError) for cause in causes(error))


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and everything that led to it, the outermost first."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def refusal(ref: str, verb: str, status: int, message: str) -> SandboxError:
    """An engine's answer `status` (HTTP) to what was asked for `ref`."""
    name = ref.partition(":")[2] or ref
    reason = _FULL_ID.sub(name, " ".join(message.split()))
    if verb == CREATE:
        taken = "already in use" in reason
        return AlreadyExistsError(ref) if taken else OperationFailedError(ref, verb, reason)
    if status == 404 or reason.endswith(_PODMANS_404):
        return NotFoundError(ref)
    if status == 409 or any(words in reason for words in _STATE_FORBIDS):
        return ConflictError(
            f"cannot {verb} {ref}: {reason}", hint=f"Run: sandbox-tui status {ref}"
        )
    return OperationFailedError(ref, verb, reason)


def start_failure(ref: str, image: str, error: SandboxError) -> SandboxError:
    """Why a container could not be made or started."""
    reason = error.reason if isinstance(error, OperationFailedError) else error.message
    if "no such image" in reason.lower():
        return ImageNotFoundError(image)
    return StartFailedError(ref, reason, hint=_start_hint(reason.lower(), image))


def _start_hint(reason: str, image: str) -> str:
    if "port is already allocated" in reason or "address already in use" in reason:
        return "Choose another host port."
    if "executable file not found" in reason:
        return f"Correct the command, or choose another image than {image}."
    return ""
