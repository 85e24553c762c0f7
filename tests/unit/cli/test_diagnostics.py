"""Every error ends in one line, a hint and the exit code that scripts were promised."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable

import click
import pytest

from sandbox_tui.cli import diagnostics
from sandbox_tui.cli.diagnostics import EXIT_CODES, exit_code_of, guarded
from sandbox_tui.model import errors
from sandbox_tui.model.errors import (
    BackendUnavailableError,
    DeadlineError,
    NotFoundError,
    SandboxError,
    ToolMissingError,
)

EVERY_ERROR = [
    value
    for value in vars(errors).values()
    if inspect.isclass(value) and issubclass(value, SandboxError)
]


@pytest.mark.parametrize("error", EVERY_ERROR, ids=lambda error: error.__name__)
def test_every_error_has_an_entry(error: type[SandboxError]) -> None:
    if error is not SandboxError:
        assert any(base in EXIT_CODES for base in error.__mro__)


def raising(error: BaseException) -> Callable[[], int]:
    def work() -> int:
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.InvalidNameError("x", "y"), 2),
        (errors.AmbiguousNameError("x", ["a", "b"]), 2),
        (errors.ConfigError("f", "r"), 2),
        (NotFoundError("web"), 3),
        (errors.CellNotFoundError("1"), 3),
        (ToolMissingError("tmux", "tmux"), 4),
        (errors.DaemonUnavailableError("r"), 4),
        (DeadlineError("x", 1), 5),
        (errors.AlreadyExistsError("x"), 1),
        (errors.StartFailedError("x", "y"), 1),
        (errors.OperationFailedError("x", "y", "z"), 1),
        (SandboxError("x"), 1),
        (click.UsageError("x"), 2),
        (click.Abort(), 130),
        (KeyboardInterrupt(), 130),
        (RuntimeError("x"), 1),
        (ExceptionGroup("g", [ExceptionGroup("h", [ValueError(), NotFoundError("x")])]), 3),
        (ExceptionGroup("g", [ValueError("x")]), 1),
    ],
)
def test_exit_codes(error: BaseException, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(raising(error), as_json=False) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert "Traceback" not in said.err


def test_an_error_is_a_line_and_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    guarded(raising(ToolMissingError("tmux", "tmux")), as_json=False)
    assert capsys.readouterr().err == (
        "error: tmux: tmux is not installed\nhint: Run: apt install tmux\n"
    )


def test_as_json_it_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    guarded(raising(BackendUnavailableError("container", "é\nx", hint="h")), as_json=True)
    assert json.loads(capsys.readouterr().err) == {
        "error": {"type": "BackendUnavailableError", "message": "container: é\nx", "hint": "h"}
    }


def test_a_name_in_an_error_cannot_draw(capsys: pytest.CaptureFixture[str]) -> None:
    guarded(raising(NotFoundError("\x1b[2J[/red]")), as_json=False)
    assert "\x1b" not in capsys.readouterr().err


def test_a_traceback_is_shown_when_it_is_asked_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    guarded(raising(RuntimeError("boom")), as_json=False)
    quiet = capsys.readouterr().err
    assert quiet.startswith("error: unexpected RuntimeError: boom\nhint: ")
    monkeypatch.setenv("SANDBOX_TUI_DEBUG", "1")
    guarded(raising(RuntimeError("boom")), as_json=False)
    assert "Traceback" in capsys.readouterr().err


def test_the_nearest_ancestor_decides() -> None:
    class SpecialError(NotFoundError):
        pass

    assert exit_code_of(SpecialError("x")) == diagnostics.NOT_FOUND
