"""`create`, `exec` and `prune`: containers that are there for commands."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from sandbox_tui.cli import typed
from sandbox_tui.cli.arguments import name_argument
from sandbox_tui.cli.asking import confirmed
from sandbox_tui.cli.diagnostics import FAILED, OK
from sandbox_tui.cli.entries import sandbox_entry
from sandbox_tui.cli.frame import Frame, command, where_options
from sandbox_tui.cli.names import find, machine
from sandbox_tui.cli.outputs import stream
from sandbox_tui.cli.parameters import pairs
from sandbox_tui.hub.options import OPTIONS
from sandbox_tui.hub.pruning import prunable
from sandbox_tui.model.actions import Remove, Run
from sandbox_tui.model.errors import ConfirmationNeededError
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.model.specs import ContainerSpec, HostAccess
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.runtime.transfer import Progress
from sandbox_tui.settings.definitions import port


def _shared(field: str, **settings: Any) -> click.Option:
    """An option that other commands have, too."""
    option = OPTIONS[field]
    return click.Option([option.flag, field], help=option.help, metavar=option.metavar, **settings)


CREATE = (
    click.Argument(["name"], required=False, metavar="[NAME]"),
    _shared("image"),
    _shared("profile"),
    click.Option(["--mem-limit"], metavar="SIZE", help="Most memory: 256m, 1g."),
    click.Option(["--cpu-percent"], type=float, metavar="N", help="100 is one core."),
    click.Option(["--persist"], is_flag=True, help="Keep it when it is shut down."),
    _shared("volumes", multiple=True),
    _shared("ports", multiple=True),
    click.Option(["--device", "devices"], multiple=True, metavar="PATH", help="Device to give it."),
    click.Option(["--project"], metavar="NAME", help="Project that it belongs to."),
    _shared("env", multiple=True),
    _shared("working_dir"),
    _shared("user"),
    click.Option(["--network"], metavar="NAME", help="none, bridge, host, or a network's name."),
    click.Option(["--read-only"], is_flag=True, help="Its files cannot be changed."),
    click.Option(
        ["--security"],
        type=click.Choice(["normal", "strict"]),
        default="normal",
        help="strict drops every capability.",
    ),
    click.Option(["--idle-timeout"], type=float, metavar="S", help="End it when unused so long."),
    click.Option(["--ttl"], type=float, metavar="S", help="End it after so many seconds."),
    click.Option(["--pull"], is_flag=True, help="Fetch the image when it is missing."),
    _shared("runtime"),
)


@command("create", *CREATE)
async def create(frame: Frame, *, name: str | None, pull: bool, **said: Any) -> int:
    """Make a container that waits for commands, and print its name."""
    from sandbox_tui.api.containers_async.machine import close_machines
    from sandbox_tui.api.containers_async.making import made

    def tell(progress: Progress) -> None:
        frame.tell(progress.step or f"{progress.done} bytes")

    try:
        held = await made(_spec(name, said), pull=pull, on_progress=tell, owned=False)
        box = held.sandbox
        if frame.json:
            frame.show_json({"ref": box.ref, "done": "create", "sandbox": sandbox_entry(box)})
        else:
            frame.show(box.ref)
    finally:
        await close_machines()
    return OK


def _spec(name: str | None, said: dict[str, Any]) -> ContainerSpec:
    from sandbox_tui.api.containers_async import wishes

    image, profile = said["image"] or wishes.DEFAULT_IMAGE, said["profile"]
    spec = wishes.called(name, image, profile, said["project"], persist=said["persist"])
    limits = (said[key] for key in ("mem_limit", "cpu_percent", "idle_timeout", "ttl"))
    spec = wishes.limited(spec, *limits)
    return msgspec.structs.replace(
        spec,
        env=pairs(said["env"]),
        working_dir=said["working_dir"],
        user=said["user"] or "",
        security=said["security"],
        read_only=said["read_only"],
        volumes=said["volumes"],
        ports=tuple(map(port, said["ports"])),
        network=said["network"] or "",
        access=HostAccess(devices=said["devices"]),
        runtime=said["runtime"] or "",
    )


@command(
    "exec",
    name_argument(),
    click.Argument(["words"], nargs=-1, metavar="COMMAND..."),
    _shared("timeout", type=click.FloatRange(min=0)),
    click.Option(["--lang"], metavar="LANGUAGE", help="The command is code: python, node, bash."),
    _shared("env", multiple=True),
    _shared("working_dir"),
    _shared("user"),
    *where_options({Kind.CONTAINER}),
)
async def execute(
    frame: Frame,
    *,
    name: str,
    words: tuple[str, ...],
    lang: str | None,
    env: tuple[str, ...],
    **said: Any,
) -> int:
    """Run a command in a container and end with its exit code.

    One word goes through a shell; several are a program and its arguments.
    """
    from sandbox_tui.api.containers_async.languages import command_of

    words = typed.read(words, "COMMAND")
    single = lang is not None or len(words) == 1
    code = command_of(" ".join(words), lang) if single else words
    async with machine(frame.of_containers, name) as api:
        ref = await find(frame.of_containers, api.world, name)
        answer = await api.perform(Run(ref=ref, code=code, env=pairs(env), **said))
        assert isinstance(answer, Execution)
        return await stream(frame, answer)


@command(
    "prune",
    click.Option(["--project"], metavar="NAME", help="Only what belongs to it."),
    click.Option(["-y", "--yes"], is_flag=True, help="Do not ask."),
)
async def prune(frame: Frame, *, project: str | None, yes: bool) -> int:
    """Remove containers made from here that have ended; what runs or is paused stays."""
    async with machine(frame.of_containers) as api:
        refs = [box.ref for box in api.world.sandboxes if prunable(box, project)]
        if refs and not yes and not await _agreed(frame, refs):
            frame.tell("nothing done")
            return FAILED
        for ref in refs:
            await api.perform(Remove(ref=ref))
            frame.tell(f"removed {ref}")
    if frame.json:
        frame.show_json({"done": "prune", "removed": refs})
    elif not refs:
        frame.tell("nothing to remove")
    return OK


async def _agreed(frame: Frame, refs: list[Ref]) -> bool:
    """Whether somebody says so; where nobody can be asked it needs `--yes`."""
    names = ", ".join(refs)
    if not frame.is_attended:
        raise ConfirmationNeededError(names, "prune")
    return await confirmed(f"Remove {names}? You lose their files and logs.")
