"""`ls` and `status`: what is there, for a person and for a script."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import cast

import click

from sandbox_tui.cli.arguments import name_argument
from sandbox_tui.cli.diagnostics import OK, UNAVAILABLE, warn
from sandbox_tui.cli.entries import sandbox_entry, world_entry
from sandbox_tui.cli.frame import Frame, command, where_options
from sandbox_tui.cli.names import find, health_of, kinds_of, machine, told
from sandbox_tui.cli.tables import Cell, Styled, table
from sandbox_tui.cli.times import age, stamp
from sandbox_tui.hub.filter import Filter
from sandbox_tui.model.codec import to_builtins
from sandbox_tui.model.world import (
    ContainerFacts,
    RoomFacts,
    Sandbox,
    State,
    TmuxFacts,
)

GREEN, YELLOW, RED, DIM, BLUE = "32", "33", "31", "2", "34"

COLOURS = {
    State.DEFINED: DIM,
    State.STARTING: YELLOW,
    State.RUNNING: GREEN,
    State.IDLE: GREEN,
    State.BUSY: BLUE,
    State.PAUSED: YELLOW,
    State.STOPPED: DIM,
    State.EXITED: DIM,
    State.FAILED: RED,
    State.UNKNOWN: YELLOW,
}


@command(
    "ls",
    click.Option(["--all", "everything"], is_flag=True, help="Also what others left ended."),
    click.Option(["--filter", "words"], default="", help="As: web is:failed kind:room label:a=b."),
)
async def ls(frame: Frame, *, everything: bool, words: str) -> int:
    """List every sandbox that runs, and those that the configuration defines."""
    return await list_sandboxes(frame, everything=everything, words=words)


async def list_sandboxes(frame: Frame, *, everything: bool = False, words: str = "") -> int:
    """What `ls` does."""
    async with machine(frame) as api:
        world = api.world
    if not frame.demo:
        await _warn_of_broken_entries()
    kinds = kinds_of(frame)
    boxes = [box for box in world.sandboxes if box.ref.kind in kinds]
    boxes = [box for box in boxes if everything or is_listed(box)]
    boxes = list(Filter(words).of(boxes))
    health = health_of(world, kinds)
    if frame.json:
        frame.show_json(world_entry(world, boxes, health))
    else:
        _show_table(frame, boxes, words)
    for entry in health:
        if not entry.is_sound:
            warn(told(entry))
    return OK if any(entry.ok for entry in health) else UNAVAILABLE


@command("status", name_argument(), *where_options())
async def status(frame: Frame, *, name: str) -> int:
    """Say how one sandbox is."""
    async with machine(frame, name) as api:
        box = api.world.get(await find(frame, api.world, name))
    assert box is not None  # found in this very world
    if frame.json:
        frame.show_json(sandbox_entry(box))
    else:
        frame.show("\n".join(_lines(box)))
    return OK


def is_listed(box: Sandbox) -> bool:
    """Whether `ls` shows it unasked: it lives, it is defined, or it is ours and has ended."""
    return box.state.is_live or box.defined or box.managed or box.state is State.UNKNOWN


def _show_table(frame: Frame, boxes: Sequence[Sandbox], words: str) -> None:
    if not boxes and words:
        return frame.tell(f"nothing here is like {words!r}")
    if not boxes:
        return frame.tell("nothing here yet; start something with: sandbox-tui start NAME")
    rows = [_row(box) for box in boxes]
    titles = ("NAME", "STATE", "PID", "AGE", "WHAT")
    return frame.show(table(titles, rows, width=frame.width, colour=frame.colour))


def _row(box: Sandbox) -> Sequence[Cell]:
    state = f"{box.state}?" if box.stale_since is not None else box.state.value
    colour = DIM if box.stale_since is not None else COLOURS[box.state]
    pid = str(box.pid) if box.pid is not None else "-"
    return (box.ref, Styled(state, colour), pid, age(box.created_at) or "-", _what(box))


def _what(box: Sandbox) -> str:
    """What runs in it and, when it has ended, how."""
    code = None if box.exit_code is None else f"exit {box.exit_code}"
    return ", ".join(filter(None, (_contents(box), box.detail or code)))


def _contents(box: Sandbox) -> str:
    match box.facts:
        case TmuxFacts(command=running):
            return running
        case ContainerFacts(image=image):
            return image
        case RoomFacts(kernel=kernel, cells=cells):
            count = f"{cells} cell{'s' * (cells != 1)}" if cells else ""
            return ", ".join(filter(None, (kernel, count)))


def _lines(box: Sandbox) -> Iterable[str]:
    """Everything known, one fact to a line; what is not known is left out."""
    from sandbox_tui.cli.escapes import visible

    facts: dict[str, object] = to_builtins(box.facts)
    labels = [f"{key}={value}" for key, value in box.labels.items()]
    since = stamp(box.created_at) if box.created_at is not None else None
    known = {**sandbox_entry(box), **facts, "created_at": since, "labels": labels}
    known |= {"defined": box.defined, "detail": box.detail, "facts": None}
    for key, value in known.items():
        if value not in (None, "", [], ()) and key != "type":
            yield f"{key + ':':<18}{visible(_words(value))}"


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(cast("Sequence[str]", value))
    return str(value)


async def _warn_of_broken_entries() -> None:
    from sandbox_tui.settings.load import load

    for problem in (await asyncio.to_thread(load)).problems:
        warn(f"warning: {problem.message}. {problem.hint}")
