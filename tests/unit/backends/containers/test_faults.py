"""What went wrong, in words that help."""

from __future__ import annotations

import socket

import pytest

from sandbox_tui.backends.containers.engine import faults
from sandbox_tui.model.errors import (
    AlreadyExistsError,
    ConflictError,
    ImageNotFoundError,
    NotFoundError,
    OperationFailedError,
    SandboxError,
    StartFailedError,
)

ID = "ab" * 32


def caused_by(cause: BaseException) -> BaseException:
    """As libraries do it: the cause under two wrappings, one of them not explicit."""
    try:
        try:
            try:
                raise cause
            except type(cause):
                raise RuntimeError("connection aborted")  # noqa: B904
        except RuntimeError as error:
            raise ValueError("outermost") from error
    except ValueError as error:
        return error


@pytest.mark.parametrize(
    ("cause", "reason", "hint"),
    [
        (FileNotFoundError(), "no such file", "systemctl start docker"),
        (PermissionError(), "permission denied", "usermod -aG docker"),
        (ConnectionRefusedError(), "refused", "systemctl start docker"),
        (TimeoutError(), "no answer in 5 s", "systemctl restart docker"),
        (socket.gaierror(), "unknown host", "DOCKER_HOST"),
        (EOFError(), "cut off", "restart"),
        (KeyError("?"), "unreadable answer", "container engine"),
    ],
)
def test_the_cause_is_found_under_what_wraps_it(
    cause: BaseException, reason: str, hint: str
) -> None:
    told = faults.trouble(caused_by(cause), 5.0)

    assert reason in told.reason
    assert hint in told.hint


def test_each_engine_has_its_own_service() -> None:
    told = {url: faults.trouble(FileNotFoundError(), 5.0, url=url).hint for url in ("x", "podman")}
    assert told["x"].endswith("systemctl start docker")
    assert told["podman"].endswith("systemctl start podman.socket")


@pytest.mark.parametrize(
    ("cause", "absent"),
    [(FileNotFoundError(), True), (ConnectionRefusedError(), True), (TimeoutError(), False)],
)
def test_only_where_nobody_listens_may_another_be_tried(cause: Exception, absent: bool) -> None:
    assert faults.nobody_there(caused_by(cause)) is absent


@pytest.mark.parametrize(
    ("verb", "status", "message", "expected"),
    [
        ("stop", 404, f"No such container: {ID}", NotFoundError),
        ("pause", 409, f"Container {ID} is already paused", ConflictError),
        ("pause", 500, "is not running: container state improper", ConflictError),
        ("resume", 500, f"Container {ID} is not paused", ConflictError),
        (
            "inspect",
            500,
            "container web does not exist in database: no such container",
            NotFoundError,
        ),
        ("stop", 500, "disk is full", OperationFailedError),
        (faults.CREATE, 409, 'The name "/web" is already in use by ...', AlreadyExistsError),
        (faults.CREATE, 500, "that name is already in use", AlreadyExistsError),
        (faults.CREATE, 404, "No such image: x", OperationFailedError),
    ],
)
def test_refusals_of_both_engines(
    verb: str, status: int, message: str, expected: type[SandboxError]
) -> None:
    error = faults.refusal("container:web", verb, status, message)

    assert type(error) is expected
    assert ID not in error.message


@pytest.mark.parametrize(
    ("reason", "hint"),
    [
        ("Bind for 127.0.0.1:80 failed: port is already allocated", "another host port"),
        ('exec: "x": executable file not found in $PATH', "Correct the command"),
    ],
)
def test_a_failed_start_says_what_to_do(reason: str, hint: str) -> None:
    cause = OperationFailedError("container:web", "start", reason)
    error = faults.start_failure("container:web", "nope", cause)

    assert isinstance(error, StartFailedError)
    assert reason in error.message
    assert hint in error.hint


@pytest.mark.parametrize(
    "reason",
    ["No such image: nope:latest", "no such image: docker.io/library/nope: image not known"],
)
def test_an_image_that_is_not_there_is_named_with_the_way_to_get_it(reason: str) -> None:
    cause = OperationFailedError("container:web", "create", reason)
    error = faults.start_failure("container:web", "nope", cause)

    assert isinstance(error, ImageNotFoundError)
    assert "image pull nope" in error.hint
