"""`daemon`: the process that keeps rooms alive, from the shell."""

from __future__ import annotations

import click
import msgspec

from sandbox_tui.api import daemon as process
from sandbox_tui.cli.diagnostics import FAILED, OK
from sandbox_tui.cli.frame import Frame, command


@command("start")
async def start(frame: Frame) -> int:
    """Start it unless it runs; rooms start it by themselves."""
    _show(frame, await process.start())
    return OK


@command("stop")
async def stop(frame: Frame) -> int:
    """End it and the kernels it owns; cells are kept."""
    stopped = await process.stop()
    frame.tell("stopped" if stopped else "there was none")
    if frame.json:
        frame.show_json({"stopped": stopped})
    return OK


@command("status")
async def status(frame: Frame) -> int:
    """Say how it is; ends with 1 when there is none."""
    found = await process.status()
    _show(frame, found)
    return OK if found.running else FAILED


@command("run")
def run(frame: Frame) -> int:
    """Be the daemon, in the foreground; Ctrl-C stops it."""
    frame.tell("the daemon runs here; Ctrl-C stops it")
    process.run()


def _show(frame: Frame, found: process.DaemonStatus) -> None:
    if frame.json:
        return frame.show_json(found)
    known = msgspec.structs.asdict(found) | {"running": "yes" if found.running else "no"}
    shown = {key: value for key, value in known.items() if value not in (None, "")}
    return frame.show("\n".join(f"{key + ':':<10}{value}" for key, value in shown.items()))


daemon = click.Group(
    "daemon",
    commands=[start, stop, status, run],
    help="The process that keeps rooms alive when every window has closed.",
)
