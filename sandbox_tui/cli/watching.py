"""`watch` and `wait`: the world as it changes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence

import click

from sandbox_tui.api.base import Api
from sandbox_tui.cli.arguments import name_argument
from sandbox_tui.cli.diagnostics import OK
from sandbox_tui.cli.entries import sandbox_entry, world_entry
from sandbox_tui.cli.frame import Frame, command, where_options
from sandbox_tui.cli.names import machine, told
from sandbox_tui.model.errors import DeadlineError, NotFoundError
from sandbox_tui.model.refs import resolve
from sandbox_tui.model.world import Change, Sandbox, State, World, diff

GONE = "gone"
"""What `wait` calls the state of what is not there any more."""


@command(
    "watch",
    click.Option(["--jsonl"], is_flag=True, help="Each world as one line of JSON."),
)
async def watch(frame: Frame, *, jsonl: bool) -> int:
    """Print every change of the world as it happens, until Ctrl-C."""
    before = World()
    async with machine(frame) as api:
        async for world in api.worlds():
            if jsonl or frame.json:
                frame.show_json(world_entry(world, world.sandboxes, world.health))
            else:
                for line in _news(before, world):
                    frame.show(f"{time.strftime('%H:%M:%S')}  {line}")
            before = world
    return OK


@command(
    "wait",
    name_argument(),
    *where_options(),
    click.Option(
        ["--for", "states"],
        multiple=True,
        required=True,
        type=click.Choice([*(state.value for state in State), GONE]),
        help="The state to wait for; several mean any of them.",
    ),
    click.Option(
        ["--timeout"], type=click.FloatRange(min=0), metavar="SECONDS", help="Give up after that."
    ),
)
async def wait(frame: Frame, *, name: str, states: Sequence[str], timeout: float | None) -> int:
    """Block until a sandbox is in a state, whether it is there already or not."""
    try:
        async with asyncio.timeout(timeout), machine(frame, name) as api:
            box = await _reached(frame, api, name, states)
    except TimeoutError:
        what = f"waiting for {name} to be {' or '.join(states)}"
        raise DeadlineError(what, timeout or 0.0) from None
    if frame.json:
        entry = sandbox_entry(box) if box is not None else None
        frame.show_json({"state": box.state.value if box is not None else GONE, "sandbox": entry})
    return OK


async def _reached(frame: Frame, api: Api, name: str, states: Sequence[str]) -> Sandbox | None:
    """The sandbox in one of these states; `None` when it was to be gone and is."""
    async for world in api.worlds():
        box = _find(frame, world, name)
        certain = all(health.ok for health in world.health)
        if box is None and certain and GONE in states:
            return None
        if box is not None and box.stale_since is None and box.state.value in states:
            return box
    return None


def _find(frame: Frame, world: World, name: str) -> Sandbox | None:
    try:
        meant = (box.ref for box in world.sandboxes if frame.means(box))
        return world.get(resolve(name, meant, frame.kind))
    except NotFoundError:
        return None


def _news(before: World, after: World) -> Iterator[str]:
    known = {health.place: health for health in before.health}
    for health in after.health:
        last = known.get(health.place)
        if not health.is_sound and (last is None or last.is_sound or last.ok != health.ok):
            yield told(health)
        elif last is not None and health.is_sound and not last.is_sound:
            yield f"{health.place} {'is well' if last.ok else 'answers'} again"
    for change in diff(before.sandboxes, after.sandboxes):
        if line := _told(change):
            yield line


def _told(change: Change) -> str:
    """A change of state in one line; empty for changes that are none to a person here."""
    old = change.before.state.value if change.before is not None else ""
    new = change.after.state.value if change.after is not None else GONE
    if old == new:
        return ""
    detail = change.after.detail if change.after is not None else ""
    arrow = f"{old} → {new}" if old else new
    return f"{change.ref}  {arrow}{f' ({detail})' if detail else ''}"
