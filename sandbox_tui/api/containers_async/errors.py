"""The errors of this face, under the names that its users know.

All are errors of the one tree, with a message and a hint. Where the tree has an error that means
the same the name is an alias; where users catch by a finer family it is a thin subclass.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator

from sandbox_tui.model.errors import (
    BackendUnavailableError,
    DeadlineError,
    ImageNotFoundError,
    NotFoundError,
    NotRunningError,
    SandboxError,
    SessionClosedError,
)

PocketDockError = SandboxError
SocketError = BackendUnavailableError
SocketConnectionError = BackendUnavailableError
SocketCommunicationError = BackendUnavailableError
PodmanNotRunning = BackendUnavailableError
ImageNotFound = ImageNotFoundError
SessionClosed = SessionClosedError


class ContainerError(SandboxError):
    """Something about one container."""


class ContainerNotFound(ContainerError, NotFoundError):  # noqa: N818 - the name its users know
    """No container has that exact name."""


class ContainerGone(ContainerNotFound):
    """A container that was there is not any more."""


class ContainerNotRunning(ContainerError, NotRunningError):  # noqa: N818
    """What was asked needs a running container."""


class WaitTimeoutError(DeadlineError, TimeoutError):
    """A process had not ended when the time to wait for it was over; it goes on."""


class ProjectNotInitialized(NotFoundError):  # noqa: N818
    """There is no project in this folder or above it."""

    def __init__(self) -> None:
        super().__init__("project")
        self.message = "there is no project in this folder or above it"
        self.args = (self.message,)
        self.hint = "Run: sandbox-tui init"


@contextlib.contextmanager
def translated(*, known: bool) -> Generator[None]:
    """Raise what this face raises; `known` says whether the container was there before."""
    try:
        yield
    except (ContainerError, ImageNotFoundError):
        raise
    except NotRunningError as error:
        raise ContainerNotRunning(error.ref, error.state) from error
    except NotFoundError as error:
        if type(error) is not NotFoundError:
            raise
        kind = ContainerGone if known else ContainerNotFound
        raise kind(error.text, error.known) from error
