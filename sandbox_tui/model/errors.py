"""Every error the product raises, in one tree.

    SandboxError                      message, hint
    ├── UsageError                    the request itself is wrong
    │   ├── InvalidNameError          text
    │   ├── InvalidSpecError          field, reason
    │   ├── AmbiguousNameError        text, candidates
    │   ├── UnsupportedError          ref, ability
    │   ├── ConfigError               path, line, reason
    │   ├── TerminalNeededError       verb
    │   └── ConfirmationNeededError   ref, verb
    ├── NotFoundError                 text, known
    │   └── CellNotFoundError         cell_id
    ├── BackendUnavailableError       place, reason
    │   ├── ToolMissingError          tool
    │   ├── DaemonUnavailableError    reason
    │   └── DaemonVersionError        theirs, ours
    ├── DeadlineError                 what, seconds
    ├── ConflictError                 what the sandbox's present state forbids
    │   ├── AlreadyExistsError        ref
    │   ├── DefinitionChangedError    ref
    │   └── NotRunningError           ref, state
    ├── StartFailedError              ref, reason
    └── OperationFailedError          ref, verb, reason

Each leaf carries its datum, builds its own message and ends with a hint: one imperative sentence
that fixes it. Code that fails inside a sandbox is a `Result`, never one of these.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence


class SandboxError(Exception):
    """Base of every error of the product: `message` says what is wrong, `hint` what mends it."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message


class UsageError(SandboxError):
    """The request itself is wrong: nothing was attempted."""


class InvalidNameError(UsageError):
    """A name that cannot name a sandbox."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(f"invalid name {text!r}: {reason}", hint="Use KIND:NAME or a plain name.")
        self.text = text
        self.reason = reason


class InvalidSpecError(UsageError):
    """A value in a spec that no backend could use."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}", hint=f"Correct {field} and try again.")
        self.field = field
        self.reason = reason


class AmbiguousNameError(UsageError):
    """A bare name that several sandboxes have."""

    def __init__(self, text: str, candidates: Sequence[str]) -> None:
        names = ", ".join(candidates)
        super().__init__(f"{text!r} is ambiguous: {names}", hint="Use one of these full names.")
        self.text = text
        self.candidates = tuple(candidates)


class UnsupportedError(UsageError):
    """An ability that this kind of sandbox does not have."""

    def __init__(self, ref: str, ability: str, *, hint: str = "") -> None:
        super().__init__(f"{ref} cannot {ability}", hint=hint or "Press ? for what it can do.")
        self.ref = ref
        self.ability = ability


class ConfigError(UsageError):
    """A configuration file that cannot be used, with the file and the line when known."""

    def __init__(self, path: str, reason: str, *, line: int | None = None, hint: str = "") -> None:
        where = f"{path}:{line}" if line else path
        super().__init__(f"{where}: {reason}", hint=hint or f"Edit {path}.")
        self.path = path
        self.line = line
        self.reason = reason


class TerminalNeededError(UsageError):
    """Something only a person at a terminal can do was asked for where there is none."""

    def __init__(self, verb: str, *, hint: str = "") -> None:
        hint = hint or "Run it in a terminal, with neither input nor output redirected."
        super().__init__(f"{verb} needs a terminal", hint=hint)
        self.verb = verb


class ConfirmationNeededError(UsageError):
    """Something destructive was asked for where nobody can be asked back."""

    def __init__(self, ref: str, verb: str) -> None:
        super().__init__(f"{verb} {ref} needs a confirmation", hint="Add --yes to confirm.")
        self.ref = ref
        self.verb = verb


class NotFoundError(SandboxError):
    """No sandbox has that exact name."""

    def __init__(self, text: str, known: Sequence[str] = ()) -> None:
        near = nearest(text, known)
        hint = f"Did you mean {', '.join(near)}?" if near else "Run: sandbox-tui ls"
        super().__init__(f"no sandbox named {str(text)!r}", hint=hint)
        self.text = text
        self.known = tuple(known)


class CellNotFoundError(NotFoundError):
    """No cell of the room has that id."""

    def __init__(self, cell_id: str) -> None:
        super().__init__(cell_id)
        self.args = (f"Cell not found: {cell_id}",)
        self.message = f"Cell not found: {cell_id}"
        self.hint = "Run: sandbox-tui room cells ID"
        self.cell_id = cell_id


class BackendUnavailableError(SandboxError):
    """A backend that does not answer, with the reason it gave."""

    def __init__(self, place: str, reason: str, *, hint: str = "") -> None:
        super().__init__(f"{place}: {reason}", hint=hint or "Run: sandbox-tui doctor")
        self.place = place
        self.reason = reason


class ToolMissingError(BackendUnavailableError):
    """A program that the backend needs is not installed."""

    def __init__(self, place: str, tool: str, *, install: str = "") -> None:
        hint = f"Run: {install or f'apt install {tool}'}"
        super().__init__(place, f"{tool} is not installed", hint=hint)
        self.tool = tool


class DaemonUnavailableError(BackendUnavailableError):
    """The room daemon could not be reached or started."""

    def __init__(self, reason: str) -> None:
        super().__init__("room", reason, hint="Run: sandbox-tui daemon status")


class DaemonVersionError(BackendUnavailableError):
    """A daemon of another version holds the socket."""

    def __init__(self, theirs: str, ours: str) -> None:
        reason = f"the daemon is version {theirs}, this program is {ours}"
        super().__init__("room", reason, hint="Run: sandbox-tui daemon stop")
        self.theirs = theirs
        self.ours = ours


class DeadlineError(SandboxError):
    """Something did not finish in its time (seconds)."""

    def __init__(self, what: str, seconds: float) -> None:
        super().__init__(f"{what}: no answer within {seconds:g} s", hint="Run: sandbox-tui doctor")
        self.what = what
        self.seconds = seconds


class ConflictError(SandboxError):
    """The sandbox's present state forbids what was asked."""


class AlreadyExistsError(ConflictError):
    """A sandbox of that name is there already."""

    def __init__(self, ref: str) -> None:
        super().__init__(f"{ref} exists already", hint=f"Stop it first, or: start {ref} --replace")
        self.ref = ref


class DefinitionChangedError(ConflictError):
    """What ended under that name was made from another definition than the present one."""

    def __init__(self, ref: str) -> None:
        message = f"{ref} has ended, and was made from another definition than the present one"
        super().__init__(message, hint=f"Run: sandbox-tui start {ref} --replace")
        self.ref = ref


class NotRunningError(ConflictError):
    """What was asked needs a running sandbox."""

    def __init__(self, ref: str, state: str) -> None:
        super().__init__(f"{ref} is {state}", hint=f"Run: sandbox-tui start {ref}")
        self.ref = ref
        self.state = state


class StartFailedError(SandboxError):
    """A sandbox that could not be made; nothing of it is left behind."""

    def __init__(self, ref: str, reason: str, *, hint: str = "") -> None:
        super().__init__(f"could not start {ref}: {reason}", hint=hint or "Correct it, try again.")
        self.ref = ref
        self.reason = reason


class OperationFailedError(SandboxError):
    """The backend refused or failed an operation on a sandbox that exists."""

    def __init__(self, ref: str, verb: str, reason: str, *, hint: str = "") -> None:
        super().__init__(f"could not {verb} {ref}: {reason}", hint=hint or "Read the reason above.")
        self.ref = ref
        self.verb = verb
        self.reason = reason


def nearest(text: str, known: Sequence[str]) -> list[str]:
    """The up to three names most like `text`, full name or bare part, best first."""
    by_tail = {name.partition(":")[2] or name: name for name in known}
    tails = difflib.get_close_matches(text.rpartition(":")[2], list(by_tail), n=3, cutoff=0.5)
    return [by_tail[tail] for tail in tails]
