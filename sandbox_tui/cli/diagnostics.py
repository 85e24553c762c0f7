"""Errors as a person and as a script see them: one line, a hint, an exit code.

Whatever is raised inside ends here. Nobody is shown a traceback unless `SANDBOX_TUI_DEBUG=1` asks
for it.
"""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import cast

import click

from sandbox_tui.cli.escapes import visible
from sandbox_tui.model import errors
from sandbox_tui.model.codec import to_json
from sandbox_tui.model.errors import SandboxError, UsageError

OK = 0
FAILED = 1
USAGE = 2
NOT_FOUND = 3
UNAVAILABLE = 4
TIMED_OUT = 5
INTERRUPTED = 130

EXIT_CODES: Mapping[type[SandboxError], int] = {
    errors.UsageError: USAGE,
    errors.NotFoundError: NOT_FOUND,
    errors.BackendUnavailableError: UNAVAILABLE,
    errors.DeadlineError: TIMED_OUT,
    errors.ConflictError: FAILED,
    errors.FileError: FAILED,
    errors.RegistryError: FAILED,
    errors.BuildFailedError: FAILED,
    errors.RemoteRefusalError: FAILED,
    errors.StartFailedError: FAILED,
    errors.OperationFailedError: FAILED,
}
"""By class; an error has the code of the nearest of its ancestors."""


_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def exit_code_of(error: SandboxError) -> int:
    """The exit code that tells a script what went wrong."""
    return next((EXIT_CODES[base] for base in type(error).__mro__ if base in EXIT_CODES), FAILED)


def guarded(work: Callable[[], int], *, as_json: bool) -> int:
    """Do the work of a command line and answer with the exit code, whatever is raised."""
    try:
        return work()
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        return _nobody_reads()
    except Exception as error:  # noqa: BLE001 - the edge of the program
        return _diagnose(_innermost(error), as_json=as_json)


def warn(text: str) -> None:
    """Something beside the data."""
    click.echo("\n".join(map(visible, text.split("\n"))), err=True)


def _diagnose(error: BaseException, *, as_json: bool) -> int:
    if os.environ.get("SANDBOX_TUI_DEBUG") == "1":
        traceback.print_exception(error)
    match error:
        case SandboxError():
            told, code = error, exit_code_of(error)
        case click.ClickException():
            told, code = _usage(error), USAGE
        case _:
            told = _unexpected(error)
            code = exit_code_of(told)
    _tell(told, as_json=as_json)
    return code


def _innermost(error: BaseException) -> BaseException:
    """The first error of the product in a group, however deep; a TaskGroup wraps what is raised."""
    while isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        error = (group.subgroup(SandboxError) or group).exceptions[0]
    return error


def _usage(error: click.ClickException) -> UsageError:
    context = error.ctx if isinstance(error, click.UsageError) else None
    program = context.command_path if context is not None else "sandbox-tui"
    return UsageError(error.format_message(), hint=f"Run: {program} --help")


def _unexpected(error: BaseException) -> SandboxError:
    """What no part of the program has a word for; two of these only the surroundings explain."""
    if isinstance(error, OSError) and error.errno in _FULL and error.filename is None:
        return errors.FileError("what this prints", f"{error.strerror}, where it is to go")
    if isinstance(error, FileNotFoundError) and not _is_somewhere():
        return UsageError("the folder that this runs in was deleted", hint="Run: cd")
    message = f"unexpected {type(error).__name__}: {error}"
    return SandboxError(message, hint="Run it again with SANDBOX_TUI_DEBUG=1 and report it.")


def _is_somewhere() -> bool:
    """Whether the current folder is there."""
    try:
        os.getcwd()  # noqa: PTH109 - what is asked is whether it works
    except FileNotFoundError:
        return False
    return True


def _tell(error: SandboxError, *, as_json: bool) -> None:
    if as_json:
        kind = type(error).__name__
        body = {"type": kind, "message": error.message, "hint": error.hint}
        click.echo(to_json({"error": body}).decode(), err=True)
        return
    warn(f"error: {error.message}")
    if error.hint:
        warn(f"hint: {error.hint}")


def _nobody_reads() -> int:
    """Whoever read our output has gone; what Python still wants to flush goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return FAILED
