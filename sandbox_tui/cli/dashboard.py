"""The one bridge to the dashboard, imported by name: surfaces do not know each other."""

from __future__ import annotations

import importlib
import sys

import click

from sandbox_tui.cli.diagnostics import warn
from sandbox_tui.cli.frame import Frame, command
from sandbox_tui.model.errors import TerminalNeededError

DASHBOARD = "sandbox_tui.tui.app"


@command("demo")
def demo(frame: Frame) -> int:
    """Open the dashboard on a made-up machine: no tmux, no engine, no kernel needed."""
    del frame
    if not has_screen():
        raise TerminalNeededError("the demo", hint="See it as text with: sandbox-tui --demo ls")
    return open_dashboard(demo=True)


def open_or_list(context: click.Context, *, demo: bool) -> int:
    """What `sandbox-tui` alone does: the dashboard, or `ls` where there is no terminal for it."""
    if has_screen():
        return open_dashboard(demo=demo)
    from sandbox_tui.cli.listing import ls

    code: int = context.invoke(
        ls, everything=False, words="", backend=None, json=False, quiet=False, no_color=False
    )
    warn("the dashboard needs a terminal (input, output and errors); this was: sandbox-tui ls")
    return code


def has_screen() -> bool:
    """Whether the dashboard could be seen: it reads stdin and draws on stderr."""
    return all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))


def open_dashboard(*, demo: bool = False, select: str | None = None) -> int:
    """Open it and come back when it is closed; `select` is the full name of a sandbox."""
    code: int = importlib.import_module(DASHBOARD).run(demo=demo, select=select)
    return code
