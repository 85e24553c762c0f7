"""Errors that cross a stream: the same leaf, words and data come out."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from sandbox_tui.model import errors
from sandbox_tui.model.errors import SandboxError
from sandbox_tui.model.refs import Ref
from sandbox_tui.runtime.faults import Fault, error_of, fault_of

SAMPLES: tuple[SandboxError, ...] = (
    SandboxError("odd", hint="Look."),
    errors.UsageError("no"),
    errors.InvalidNameError("a:b", "it is odd"),
    errors.InvalidSpecError("ports", "no number"),
    errors.AmbiguousNameError("web", (Ref("tmux:web"), Ref("container:web"))),
    errors.UnsupportedError(Ref("tmux:web"), "be paused", hint="Stop it."),
    errors.ConfigError("/a.yml", "unknown key", line=3),
    errors.ConfigError("/a.yml", "cannot be read"),
    errors.ConfirmationNeededError(Ref("tmux:web"), "stop"),
    errors.TerminalNeededError("attach"),
    errors.ReadOnlyError("Stop"),
    errors.DockerArgumentError("--rm", "it is odd"),
    errors.PolicyError("privileged", "--privileged"),
    errors.NotFoundError("wbe", (Ref("tmux:web"),)),
    errors.CellNotFoundError("cell-é"),
    errors.NoSuchFileError("container:web", "/a"),
    errors.ImageNotFoundError("web:1"),
    errors.OnlyDefinedError(Ref("tmux:web")),
    errors.ProfileNotFoundError("ml", ("dev",)),
    errors.BackendUnavailableError("tmux", "gone"),
    errors.ToolMissingError("tmux", "tmux"),
    errors.DaemonUnavailableError("it sleeps"),
    errors.DaemonVersionError("1.0", "2.0"),
    errors.DeadlineError("listing", 2.5),
    errors.ConflictError("not now", hint="Wait."),
    errors.AlreadyExistsError(Ref("tmux:web")),
    errors.DefinitionChangedError(Ref("tmux:web")),
    errors.NotRunningError(Ref("tmux:web"), "exited"),
    errors.SessionClosedError("container:web", "exit 3"),
    errors.LimitReachedError("kernels", 3),
    errors.FileError("/a", "it is odd"),
    errors.IsFolderError("/a"),
    errors.AlreadyThereError("/a"),
    errors.UnsafeEntryError("a/../b", "it leads out"),
    errors.RegistryError("web", "it is closed"),
    errors.BuildFailedError("web", "step 3"),
    errors.RemoteRefusalError("http://far", 403, "no"),
    errors.StartFailedError(Ref("room:lab"), "no kernel"),
    errors.OperationFailedError(Ref("room:lab"), "remove", "disk full"),
)


def tree(root: type[SandboxError]) -> Iterator[type[SandboxError]]:
    yield root
    for child in root.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from tree(child)


def across(error: SandboxError) -> SandboxError:
    data = msgspec.msgpack.encode(fault_of(error))
    return error_of(msgspec.msgpack.decode(data, type=Fault))


def test_every_leaf_has_a_sample() -> None:
    assert {type(sample) for sample in SAMPLES} == set(tree(SandboxError))


@pytest.mark.parametrize("error", SAMPLES, ids=lambda error: type(error).__name__)
def test_a_leaf_comes_out_as_it_went_in(error: SandboxError) -> None:
    raised = across(error)

    assert type(raised) is type(error)
    assert vars(raised) == vars(error)
    assert str(raised) == str(error)
    assert raised.args == error.args


def test_a_class_of_a_facade_becomes_its_base() -> None:
    class SessionNotFoundError(errors.NotFoundError):
        """A seed's own name for it."""

    assert type(across(SessionNotFoundError("x"))) is errors.NotFoundError


@pytest.mark.parametrize("name", ["FutureError", "difflib", "nearest", ""])
def test_an_unknown_class_is_still_an_error_with_its_words(name: str) -> None:
    raised = error_of(Fault(name, "words", "hint"))

    assert type(raised) is SandboxError
    assert (raised.message, raised.hint) == ("words", "hint")


def test_what_is_no_plain_datum_stays_behind() -> None:
    error = errors.UsageError("no")
    error.culprit = object()  # type: ignore[attr-defined]

    assert not hasattr(across(error), "culprit")
