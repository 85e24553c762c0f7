"""Actions as the command line that does the same: for the command log, and for copying."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import cast

import msgspec

from sandbox_tui.hub.registry import VERBS
from sandbox_tui.model.actions import (
    Action,
    AddCell,
    ClearOutputs,
    EditCell,
    MoveCell,
    Pull,
    Push,
    Remove,
    RemoveCell,
    Restart,
    Run,
    RunAll,
    RunCell,
    Send,
    Snapshot,
    Start,
    Stop,
)
from sandbox_tui.model.cells import CellKind
from sandbox_tui.model.refs import Ref

PROGRAM = "sandbox-tui"

_COMMANDS = {verb.action: verb.command for verb in VERBS}

_OF_ROOMS: Mapping[type[Action], str] = {
    AddCell: "add",
    EditCell: "edit",
    MoveCell: "move",
    RemoveCell: "rm",
    ClearOutputs: "clear",
    RunCell: "run",
    RunAll: "run-all",
}

_OPTIONS = {
    "kind": "--backend",
    "command": "--command",
    "image": "--image",
    "volumes": "--volume",
    "ports": "--port",
    "env": "--env",
    "working_dir": "--workdir",
    "log_volume": "--log-volume",
    "socket": "--socket",
    "runtime": "--runtime",
    "kernel": "--kernel",
    "pull": "--pull",
    "replace": "--replace",
    "force": "--force",
    "timeout": "--timeout",
    "key": "--key",
}


def command_line(action: Action) -> str:
    """What to type in a shell, quoted for it."""
    return shlex.join((PROGRAM, *_words(action)))


def about(ref: Ref) -> str:
    """The command line that says how a sandbox is."""
    return shlex.join((PROGRAM, "status", ref))


def _words(action: Action) -> Iterator[str]:
    deed = _OF_ROOMS.get(type(action))
    if deed is not None:
        yield from ("room", deed, getattr(action, "ref", ""))
        yield from _cell_words(action)
    else:
        yield from _verb_words(action)


def _cell_words(action: Action) -> Iterator[str]:
    """What follows the name of the room."""
    match action:
        case AddCell(source=source, kind=kind, index=index):
            yield from () if kind is CellKind.CODE else ("--kind", kind.value)
            yield from () if index is None else ("--index", str(index))
            yield from ("--", source)
        case EditCell(cell_id=cell_id, source=source):
            yield from (cell_id, "--", source)
        case MoveCell(cell_id=cell_id, index=index):
            yield from (cell_id, str(index))
        case RemoveCell(cell_id=cell_id) | RunCell(cell_id=cell_id):
            yield cell_id
        case ClearOutputs(cell_id=str(cell_id)):
            yield cell_id
        case _:
            pass


def _verb_words(action: Action) -> Iterator[str]:
    yield _COMMANDS.get(type(action), type(action).__name__.lower())
    match action:
        case Start(name=name):
            yield name
            yield from _options(action)
        case (
            Push(ref=ref, source=source, target=target)
            | Pull(ref=ref, source=source, target=target)
        ):
            yield from (ref, source, target)
        case Snapshot(ref=ref, image=image):
            yield from (ref, image)
        case Run(ref=ref, code=code):
            words = (code,) if isinstance(code, str) else code
            yield from (ref, *_options(action), "--", *words)
        case Send(ref=ref, text=text, enter=enter):
            yield from (ref, *([text] if text else []), *_options(action))
            yield from () if enter else ("--no-enter",)
        case Remove(ref=ref):
            yield from (ref, *_options(action), "--yes")
        case Stop(ref=ref) | Restart(ref=ref):
            yield from (ref, *_options(action))
        case _:
            yield getattr(action, "ref", "")


def _options(action: Action) -> Iterator[str]:
    """Every field that is not as it is by default."""
    for field in msgspec.structs.fields(action):
        value = getattr(action, field.name)
        option = _OPTIONS.get(field.name)
        if option is not None and value != field.default:
            yield from _option(option, value)


def _option(option: str, value: object) -> Iterator[str]:
    match value:
        case True:
            yield option
        case Mapping():
            env = cast("Mapping[str, str]", value)
            yield from (word for key in env for word in (option, f"{key}={env[key]}"))
        case tuple():
            words = cast("tuple[str, ...]", value)
            together = option == "--command"
            yield from (option, shlex.join(words)) if together else _each(option, words)
        case float():
            yield from (option, f"{value:g}")
        case _:
            yield from (option, str(value))


def _each(option: str, values: tuple[str, ...]) -> Iterator[str]:
    return (word for value in values for word in (option, value))
