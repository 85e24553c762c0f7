"""Actions as the command line that does the same: for the command log, and for copying."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import cast

import msgspec

from sandbox_tui.hub.registry import VERBS
from sandbox_tui.model.actions import Action, Remove, Restart, Run, Send, Start, Stop
from sandbox_tui.model.refs import Ref

PROGRAM = "sandbox-tui"

_COMMANDS = {verb.action: verb.command for verb in VERBS}

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
    yield _COMMANDS.get(type(action), type(action).__name__.lower())
    match action:
        case Start(name=name):
            yield name
            yield from _options(action)
        case Run(ref=ref, code=code):
            yield from (ref, *_options(action), "--", code)
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
