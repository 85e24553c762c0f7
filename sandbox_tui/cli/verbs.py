"""The commands that do something to a sandbox, each made from its entry in the registry.

What an action's fields are decides which arguments and options its command has; what the action
answers with decides what happens afterwards.
"""

from __future__ import annotations

import functools
from collections.abc import Coroutine
from typing import Any

import click
import msgspec

from sandbox_tui.api.base import Api
from sandbox_tui.cli import typed
from sandbox_tui.cli.asking import confirmed
from sandbox_tui.cli.attaching import hand_over, must_have_terminal
from sandbox_tui.cli.diagnostics import FAILED, OK
from sandbox_tui.cli.entries import sandbox_entry
from sandbox_tui.cli.frame import Answer, Frame, command, where_options
from sandbox_tui.cli.names import find, machine
from sandbox_tui.cli.outputs import stream
from sandbox_tui.cli.parameters import fields_from, parameters
from sandbox_tui.cli.starting import kind_to_start
from sandbox_tui.cli.transfers import carried
from sandbox_tui.hub.registry import Confirm, Verb, verb_of_command
from sandbox_tui.model.actions import (
    Action,
    Attach,
    Attachment,
    Remove,
    Run,
    Shell,
    Snapshot,
    Start,
    Stop,
)
from sandbox_tui.model.codec import convert
from sandbox_tui.model.errors import ConfirmationNeededError
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.model.world import Sandbox, State, World
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.runtime.transfer import Transfer

DONE = {
    "start": "started",
    "restart": "restarted",
    "pause": "paused",
    "resume": "resumed",
    "interrupt": "interrupted",
    "stop": "stopped",
    "rm": "removed",
    "send": "sent to",
    "push": "copied to",
    "pull": "copied to",
    "snapshot": "kept as",
}
"""What a command has done, in words."""

Values = dict[str, Any]


def verb_command(name: str) -> click.Command:
    """The command that the registry calls `name`."""
    verb = _verb(name)
    params = parameters(verb.action)
    if verb.action is not Start:  # where that says where to make one
        params += where_options(verb.kinds)
    if verb.confirm is Confirm.ASK:
        params.append(click.Option(["-y", "--yes"], is_flag=True, help="Do not ask."))

    def work(frame: Frame, *, yes: bool = False, **values: Any) -> Coroutine[Any, Any, Answer]:
        """Whatever needs no connection comes first."""
        if verb.action is Run:
            values["code"] = typed.read(values["code"], "CODE")
        if verb.action in (Attach, Shell) and not frame.json:
            must_have_terminal(name)
        return perform(name, frame, values.pop("name"), values, yes=yes)

    work.__doc__ = (verb.action.__doc__ or "").partition("\n\n")[0]
    return command(verb.command, *params)(work)


async def perform(
    command_name: str, frame: Frame, name: str, values: Values, *, yes: bool = False
) -> Answer:
    """Do to the sandbox called `name` what the command does, and say so.

    `values` are those of the action's fields, as the command line has them.
    """
    verb, said = _verb(command_name), fields_from(values)
    async with machine(await _narrowed(verb, frame, name, said), name) as api:
        action = await _action(verb.action, frame, name, said, api.world)
        if not yes and not await _agreed(verb, frame, action, api.world):
            frame.tell("nothing done")
            return FAILED
        if isinstance(action, Attach) and action.ref.kind is Kind.ROOM and not frame.json:
            from sandbox_tui.cli.console import converse

            return functools.partial(converse, frame, action.ref)
        return await _answered(verb, frame, api, action)


def _verb(command_name: str) -> Verb:
    verb = verb_of_command(command_name)
    if verb is None:
        raise LookupError(command_name)
    return verb


async def _narrowed(verb: Verb, frame: Frame, name: str, said: Values) -> Frame:
    """The frame that asks no more backends than the verb needs."""
    if verb.action is not Start:
        return frame
    return msgspec.structs.replace(frame, kind=await kind_to_start(frame, name, said))


async def _action(
    wanted: type[Action], frame: Frame, name: str, said: Values, world: World
) -> Action:
    if wanted is Start:
        return convert({"name": name, "kind": frame.kind, **said}, Start)
    ref = await find(frame, world, name)
    if wanted is Run:
        said["code"] = typed.code(said["code"], ref.kind)
    if "text" in said:
        said["text"] = " ".join(said["text"])
    return convert({"ref": ref, **said}, wanted)


async def _agreed(verb: Verb, frame: Frame, action: Action, world: World) -> bool:
    """Whether it may be done: asked where somebody can answer, refused where it is for good."""
    if verb.confirm is not Confirm.ASK:
        return True
    ref = _ref_of(action)
    if frame.is_attended:
        box = world.get(ref)
        state, lost = ("gone", verb.loses) if box is None else (box.state.value, verb.lost(box))
        return await confirmed(f"{verb.title} {ref} ({state})? You lose {lost}.")
    if isinstance(action, Remove):
        raise ConfirmationNeededError(ref, verb.command)
    return True


async def _answered(verb: Verb, frame: Frame, api: Api, action: Action) -> Answer:
    match answer := await api.perform(action):
        case Execution():
            return await stream(frame, answer)
        case Transfer():
            _tell_made(verb, frame, _ref_of(action), await carried(frame, answer))
        case str() if isinstance(action, Snapshot):
            _tell_made(verb, frame, action.ref, answer)
        case Attachment() if frame.json:
            frame.show_json(answer)
        case Attachment():
            return functools.partial(hand_over, frame, answer)
        case _:
            _tell(verb, frame, answer if isinstance(answer, Ref) else _ref_of(action), api.world)
    return OK


def _tell(verb: Verb, frame: Frame, ref: Ref, world: World) -> None:
    """Say what was done, and as JSON what has become of it."""
    box = world.get(ref)
    frame.tell(f"{DONE[verb.command]} {ref}{_gone(verb, box)}")
    if frame.json:
        entry = sandbox_entry(box) if box is not None else None
        frame.show_json({"ref": ref, "done": verb.command, "sandbox": entry})


def _gone(verb: Verb, box: Sandbox | None) -> str:
    """What a stop has taken away, too: nobody is to look for a log that is not there any more."""
    is_gone = verb.action is Stop and box is not None and box.state is State.DEFINED
    if not (is_gone and box is not None and box.ref.kind is Kind.CONTAINER):
        return ""
    return "; the container and its log are gone, persist: true in its entry keeps them"


def _tell_made(verb: Verb, frame: Frame, ref: Ref, made: str) -> None:
    """Say what a copy has made: a path, or the id of an image."""
    if frame.json:
        frame.show_json({"ref": ref, "done": verb.command, "made": made})
    else:
        frame.tell(f"{DONE[verb.command]} {made}")


def _ref_of(action: Action) -> Ref:
    ref: Ref = getattr(action, "ref")  # noqa: B009 - every verb's action but Start has one
    return ref
