"""`sandbox-tui demo`, and what `sandbox-tui` alone does."""

from __future__ import annotations

import click

from sandbox_tui.cli.diagnostics import warn
from sandbox_tui.cli.frame import Frame, command
from sandbox_tui.cli.opening import has_screen, open_dashboard
from sandbox_tui.model.errors import TerminalNeededError


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
