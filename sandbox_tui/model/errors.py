"""Every error the product raises, in one tree.

    SandboxError                      message, hint
    ├── UsageError                    the request itself is wrong
    │   ├── InvalidNameError          text
    │   ├── InvalidSpecError          field, reason
    │   ├── AmbiguousNameError        text, candidates
    │   ├── UnsupportedError          ref, ability
    │   ├── ConfigError               path, line, reason
    │   ├── TerminalNeededError       verb
    │   ├── ConfirmationNeededError   ref, verb
    │   ├── ReadOnlyError             action
    │   ├── DockerArgumentError       option, reason
    │   └── PolicyError               ability, said
    ├── NotFoundError                 text, known
    │   ├── CellNotFoundError         cell_id
    │   ├── OnlyDefinedError          ref
    │   ├── ProfileNotFoundError      name, known
    │   ├── NoSuchFileError           ref, path
    │   └── ImageNotFoundError        image
    ├── BackendUnavailableError       place, reason
    │   ├── ToolMissingError          tool
    │   ├── DaemonUnavailableError    reason
    │   └── DaemonVersionError        theirs, ours
    ├── DeadlineError                 what, seconds
    ├── ConflictError                 what the sandbox's present state forbids
    │   ├── AlreadyExistsError        ref
    │   ├── DefinitionChangedError    ref
    │   ├── NotRunningError           ref, state
    │   ├── SessionClosedError        ref, reason
    │   └── LimitReachedError         what, limit
    ├── FileError                     path, reason
    │   ├── IsFolderError             path
    │   ├── AlreadyThereError         path
    │   └── UnsafeEntryError          entry, reason
    ├── RegistryError                 image, reason
    ├── BuildFailedError              image, reason
    ├── StartFailedError              ref, reason
    ├── RemoteRefusalError        url, status
    └── OperationFailedError          ref, verb, reason

Each leaf carries its datum, builds its own message and ends with a hint: one imperative sentence
that fixes it. Code that fails inside a sandbox is a `Result`, never one of these.
"""

from __future__ import annotations

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
        super().__init__(f"{ref} cannot {ability}", hint=hint or "Choose another sandbox for that.")
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


class ReadOnlyError(UsageError):
    """Something that changes, or could change, a sandbox was asked for where one may only look."""

    def __init__(self, action: str) -> None:
        hint = "Ask whoever serves this to serve it without --read-only."
        super().__init__(f"{action} is refused: here one may only look", hint=hint)
        self.action = action


class DockerArgumentError(UsageError):
    """An argument of `docker run` that means nothing, or nothing that is supported."""

    def __init__(self, option: str, reason: str) -> None:
        super().__init__(f"{option}: {reason}", hint="Take it out, or correct it.")
        self.option = option
        self.reason = reason


class PolicyError(UsageError):
    """A container that would reach out of itself, which no policy allows."""

    def __init__(self, ability: str, said: str) -> None:
        hint = f"Leave it out, or add {ability} to policy.allow in your own configuration."
        super().__init__(f"{said} is refused: it opens this machine to the container", hint=hint)
        self.ability = ability
        self.said = said


class NotFoundError(SandboxError):
    """No sandbox has that exact name; its heirs say in `message` and `hint` what else is not."""

    def __init__(
        self, text: str, known: Sequence[str] = (), *, message: str = "", hint: str = ""
    ) -> None:
        if near := nearest(text, known):
            hint = f"Did you mean {', '.join(near)}?"
        message = message or f"no sandbox named {str(text)!r}"
        super().__init__(message, hint=hint or "Run: sandbox-tui ls")
        self.text = text
        self.known = tuple(known)


class CellNotFoundError(NotFoundError):
    """No cell of the room has that id."""

    def __init__(self, cell_id: str) -> None:
        message = f"Cell not found: {cell_id}"
        super().__init__(cell_id, message=message, hint="Run: sandbox-tui room cells ID")
        self.cell_id = cell_id


class OnlyDefinedError(NotFoundError):
    """A sandbox that the configuration has and that was not started."""

    def __init__(self, ref: str) -> None:
        message = f"{ref} is defined, and was not started"
        super().__init__(ref, message=message, hint=f"Run: sandbox-tui start {ref}")
        self.ref = ref


class ProfileNotFoundError(NotFoundError):
    """No profile has that name."""

    def __init__(self, name: str, known: Sequence[str] = ()) -> None:
        message = f"no profile named {name!r}"
        super().__init__(name, known, message=message, hint="Run: sandbox-tui profiles")
        self.name = name


class NoSuchFileError(NotFoundError):
    """A sandbox has no file or folder of that name."""

    def __init__(self, ref: str, path: str) -> None:
        hint = "Correct the path: it is one inside the sandbox."
        super().__init__(path, message=f"{ref} has no {path!r}", hint=hint)
        self.ref = ref
        self.path = path


class ImageNotFoundError(NotFoundError):
    """Neither the engine nor the registry has that image, or it is not for everybody to see."""

    def __init__(self, image: str, *, hint: str = "") -> None:
        hint = hint or f"Run: sandbox-tui image pull {image}"
        super().__init__(image, message=f"there is no image {image!r}", hint=hint)
        self.image = image


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


class SessionClosedError(ConflictError):
    """A shell that takes no more commands: it was closed, it exited, or its sandbox ended."""

    def __init__(self, ref: str, reason: str) -> None:
        super().__init__(f"the session in {ref} has ended: {reason}", hint="Open a new session.")
        self.ref = ref
        self.reason = reason


class LimitReachedError(ConflictError):
    """There are as many of something as there may be."""

    def __init__(self, what: str, limit: int, *, hint: str = "") -> None:
        super().__init__(f"there are {limit} {what} already", hint=hint or "End one of them first.")
        self.what = what
        self.limit = limit


class FileError(SandboxError):
    """A file, in a sandbox or on this machine, that cannot be read, written or copied."""

    def __init__(self, path: str, reason: str, *, hint: str = "") -> None:
        super().__init__(f"{path!r}: {reason}", hint=hint or "Correct it, or choose another path.")
        self.path = path
        self.reason = reason


class IsFolderError(FileError):
    """A folder, where a file is needed."""

    def __init__(self, path: str) -> None:
        super().__init__(path, "it is a folder", hint="List it, or pull it as a whole.")


class AlreadyThereError(FileError):
    """A folder of this machine that a copy would have to be mixed into, or that it would end."""

    def __init__(self, path: str) -> None:
        super().__init__(path, "it is there already", hint="Choose another name, or remove it.")


class UnsafeEntryError(FileError):
    """An entry of a copied folder that would reach, or point, outside of it."""

    def __init__(self, entry: str, reason: str) -> None:
        super().__init__(entry, reason, hint="Pull the folders beside it one by one.")
        self.entry = entry


class RegistryError(SandboxError):
    """A registry that does not give out an image, or that cannot be reached."""

    def __init__(self, image: str, reason: str, *, hint: str = "") -> None:
        super().__init__(f"cannot fetch {image}: {reason}", hint=hint or "Try again later.")
        self.image = image
        self.reason = reason


class BuildFailedError(SandboxError):
    """An image that could not be built; `reason` ends with what the failing step has said."""

    def __init__(self, image: str, reason: str) -> None:
        hint = "Correct the Dockerfile at that step."
        super().__init__(f"could not build {image}: {reason}", hint=hint)
        self.image = image
        self.reason = reason


class StartFailedError(SandboxError):
    """A sandbox that could not be made; nothing of it is left behind."""

    def __init__(self, ref: str, reason: str, *, hint: str = "") -> None:
        super().__init__(f"could not start {ref}: {reason}", hint=hint or "Correct it, try again.")
        self.ref = ref
        self.reason = reason


class RemoteRefusalError(SandboxError):
    """A server that answers, and will not do what it was asked."""

    def __init__(self, url: str, status: int, reason: str, *, hint: str = "") -> None:
        super().__init__(f"{url} answers {status}: {reason}", hint=hint or "Ask who runs it.")
        self.url = url
        self.status = status


class OperationFailedError(SandboxError):
    """The backend refused or failed an operation on a sandbox that exists."""

    def __init__(self, ref: str, verb: str, reason: str, *, hint: str = "") -> None:
        super().__init__(f"could not {verb} {ref}: {reason}", hint=hint or "Read the reason above.")
        self.ref = ref
        self.verb = verb
        self.reason = reason


def nearest(text: str, known: Sequence[str]) -> list[str]:
    """The up to three names most like `text`, full name or bare part, best first."""
    import difflib  # only where something is wrong

    by_tail = {name.partition(":")[2] or name: name for name in known}
    tails = difflib.get_close_matches(text.rpartition(":")[2], list(by_tail), n=3, cutoff=0.5)
    return [by_tail[tail] for tail in tails]
