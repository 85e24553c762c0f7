"""Lending the dashboard's terminal, and having it back whatever happens meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from textual.app import App, SuspendNotSupported

from sandbox_tui.model.errors import OperationFailedError, SandboxError

T = TypeVar("T")


def lend(app: App[Any], work: Callable[[], T], *, to: str, verb: str, hint: str) -> T:
    """What `work` answers, done while the dashboard is off the terminal.

    Blocks, and with it everything else here: nothing may draw meanwhile. Raises what `work` does,
    and `OperationFailedError` where there is no terminal (in a browser): `to` whom it was to be
    lent, for what (`verb`), and what helps (`hint`).
    """
    try:
        with app.suspend():
            answer = _tried(work)
    except SuspendNotSupported as error:
        reason = "there is no terminal to hand over"
        raise OperationFailedError(to, verb, reason, hint=hint) from error
    if isinstance(answer, SandboxError):
        raise answer
    return answer


def _tried(work: Callable[[], T]) -> T | SandboxError:
    """An error that left `suspend` would leave the terminal without the dashboard for good."""
    try:
        return work()
    except SandboxError as error:
        return error
