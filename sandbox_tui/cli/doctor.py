"""`doctor`: every check, with the one command that mends what is wrong."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence

from sandbox_tui.api.daemon_home import DaemonHome
from sandbox_tui.cli.diagnostics import FAILED, OK
from sandbox_tui.cli.escapes import visible
from sandbox_tui.cli.frame import Frame, command
from sandbox_tui.cli.names import health_of, kinds_of, machine
from sandbox_tui.hub.doctor import (
    Check,
    backend_checks,
    configuration_checks,
    folder_check,
    project_checks,
    socket_check,
    terminal_check,
)
from sandbox_tui.hub.projects import find_root
from sandbox_tui.model.errors import ConfigError
from sandbox_tui.model.refs import Kind
from sandbox_tui.model.world import Health, Sandbox

GREEN, RED = "32", "31"


@command("doctor")
async def doctor(frame: Frame) -> int:
    """Check every backend, file, socket and permission; ends with 1 when something is wrong."""
    health, boxes = await _seen(frame)
    surroundings = await asyncio.to_thread(_surroundings, boxes)
    checks = [*backend_checks(health), *surroundings]
    if frame.json:
        frame.show_json({"ok": all(check.ok for check in checks), "checks": checks})
    else:
        width = max(len(check.name) for check in checks)
        for check in checks:
            frame.show(_line(check, width, colour=frame.colour))
    return OK if all(check.ok for check in checks) else FAILED


async def _seen(frame: Frame) -> tuple[list[Health], Sequence[Sandbox] | None]:
    """What the backends say; nothing when the configuration does not even name them.

    No containers where an engine does not answer: they may be there all the same.
    """
    try:
        async with machine(frame) as api:
            health = health_of(api.world, kinds_of(frame))
            engines = [one for one in health if one.kind is Kind.CONTAINER]
            told = bool(engines) and all(one.ok for one in engines)
            return health, api.world.of(Kind.CONTAINER) if told else None
    except ConfigError:
        return [], None


def _surroundings(boxes: Sequence[Sandbox] | None) -> list[Check]:
    home = DaemonHome.at()
    return [
        *configuration_checks(),
        *(project_checks(find_root(), boxes) if boxes is not None else ()),
        folder_check("state", home.state, private=False),
        folder_check("runtime", home.runtime, private=True),
        socket_check("daemon", home.socket),
        terminal_check(os.environ.get("TERM", ""), encoding=sys.getfilesystemencoding()),
    ]


def _line(check: Check, width: int, *, colour: bool) -> str:
    mark = "✓" if check.ok else "✗"
    if colour:
        mark = f"\x1b[{GREEN if check.ok else RED}m{mark}\x1b[0m"
    fix = f"\n  {'':<{width}}  → {visible(check.fix)}" if check.fix else ""
    return f"{mark} {check.name:<{width}}  {visible(check.detail)}{fix}"
