"""Errors of the ops face, and the one door where the Hub's errors become these.

    OpsError                                   message, hint
    ├── BackendNotFoundError                   also a FileNotFoundError
    │   ├── TmuxNotFoundError
    │   └── ContainerRuntimeNotFoundError
    ├── SessionError                           name, backend
    │   ├── SessionExistsError
    │   ├── SessionNotFoundError
    │   ├── SessionStartError                  reason
    │   ├── SessionStopError                   reason
    │   ├── SessionAttachError                 reason
    │   └── SessionAmbiguousError              backends
    └── SessionConfigError                     also a UsageError

Each is an error of the product too, with a hint, and has the exit code of its nearest ancestor.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Sequence

from sandbox_tui.model import errors
from sandbox_tui.model.errors import SandboxError
from sandbox_tui.model.refs import Kind


class OpsError(SandboxError):
    """Base of everything that this face raises."""


class BackendNotFoundError(OpsError, errors.BackendUnavailableError, FileNotFoundError):
    """What sessions of that kind need is not there, or does not answer."""

    place = ""
    """Which backend it is."""

    def __init__(self, reason: str, *, hint: str = "") -> None:
        SandboxError.__init__(
            self, f"{self.place}: {reason}", hint=hint or "Run: sandbox-tui doctor"
        )
        self.reason = reason


class TmuxNotFoundError(BackendNotFoundError):
    """tmux is not installed, or its server does not answer."""

    place = "tmux"


class ContainerRuntimeNotFoundError(BackendNotFoundError):
    """Neither Docker nor Podman answers."""

    place = "container"


class SessionError(OpsError):
    """Base of what is wrong with one session."""

    def __init__(self, name: str, backend: str, message: str, *, hint: str = "") -> None:
        SandboxError.__init__(self, message, hint=hint or "Run: sandbox-tui ls")
        self.name = name
        self.backend = backend


class SessionExistsError(SessionError, errors.ConflictError):
    """A session of that name is there already."""

    def __init__(self, name: str, backend: str, *, hint: str = "") -> None:
        message = f"{backend} session {name!r} exists already"
        super().__init__(name, backend, message, hint=hint or f"Run: sandbox-tui stop {name}")


class SessionNotFoundError(SessionError, errors.NotFoundError):
    """No session has that exact name."""

    def __init__(self, name: str, backend: str, *, hint: str = "") -> None:
        super().__init__(name, backend, f"no {backend} session named {name!r}", hint=hint)


class SessionStartError(SessionError):
    """A session that could not be started."""

    def __init__(self, name: str, backend: str, reason: str, *, hint: str = "") -> None:
        message = f"{backend} session {name!r} could not be started: {reason}"
        super().__init__(name, backend, message, hint=hint)
        self.reason = reason


class SessionStopError(SessionError):
    """A session that could not be ended."""

    def __init__(self, name: str, backend: str, reason: str, *, hint: str = "") -> None:
        message = f"{backend} session {name!r} could not be stopped: {reason}"
        super().__init__(name, backend, message, hint=hint)
        self.reason = reason


class SessionAttachError(SessionError):
    """A session that nobody can be put in front of."""

    def __init__(self, name: str, backend: str, reason: str, *, hint: str = "") -> None:
        message = f"{backend} session {name!r} could not be attached to: {reason}"
        super().__init__(name, backend, message, hint=hint)
        self.reason = reason


class SessionAmbiguousError(SessionError, errors.UsageError):
    """A name that sessions of several backends have; `backends` are their full names."""

    def __init__(self, name: str, backends: Sequence[str]) -> None:
        message = f"{name!r} is ambiguous: {', '.join(backends)}"
        super().__init__(name, "", message, hint="Say which: backend=, socket_name= or runtime=.")
        self.backends = list(backends)


class SessionConfigError(OpsError, errors.UsageError):
    """A session that is described wrongly, or not at all."""


MISSING: dict[Kind, type[BackendNotFoundError]] = {
    Kind.TMUX: TmuxNotFoundError,
    Kind.CONTAINER: ContainerRuntimeNotFoundError,
}
"""What it is when a kind's backend does not answer."""

Failed = Callable[..., SessionError]
"""An error with a name, a backend and a reason."""


@contextlib.contextmanager
def translated(kind: Kind, name: str, failed: Failed = SessionStartError) -> Generator[None]:
    """Let errors of the Hub out as errors of this face; `failed` is what any other becomes."""
    try:
        yield
    except OpsError:
        raise
    except SandboxError as error:
        raise _as_ours(error, kind, name, failed) from error


def _as_ours(error: SandboxError, kind: Kind, name: str, failed: Failed) -> OpsError:
    """The error of this face that says the same; `failed` for what only that verb can mean."""
    backend, hint = kind.value, error.hint
    ours: OpsError = failed(name, backend, getattr(error, "reason", error.message), hint=hint)
    match error:
        case errors.AmbiguousNameError():
            ours = SessionAmbiguousError(name, error.candidates)
        case errors.UnsupportedError() | errors.TerminalNeededError():
            pass
        case errors.UsageError():
            ours = SessionConfigError(error.message, hint=hint)
        case errors.ImageNotFoundError():
            pass
        case errors.NotFoundError():
            ours = SessionNotFoundError(name, backend, hint=hint)
        case errors.AlreadyExistsError() | errors.DefinitionChangedError():
            ours = SessionExistsError(name, backend, hint=hint)
        case errors.BackendUnavailableError():
            ours = MISSING[kind](error.reason, hint=hint)
        case _:
            pass
    return ours
