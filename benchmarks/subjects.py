"""The commands that are measured, from the environment that the benchmarks run in."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

from benchmarks.terminal import Terminal

_BIN = Path(sys.executable).parent
_PROGRAMS = Path(__file__).parent / "programs"

DASHBOARD = (str(_BIN / "sandbox-tui"),)
SANDBOX_TUI = (str(_BIN / "sandbox-tui"),)
KSTLIB = (str(_BIN / "kstlib"), "ops")
LS = (*SANDBOX_TUI, "ls", "--json")
KSTLIB_LS = (*KSTLIB, "list", "--json")

FOOTER = "palette"
"""Stands at the end of the dashboard's first frame."""

TITLE = r"(bench-\d+)\s+Live"
"""The view bears the name of the tmux session that it shows."""

SETTLED = 1.5
"""Seconds in which a dashboard that has just begun has found everything."""


def program(name: str, *arguments: str) -> tuple[str, ...]:
    """A program of the `programs` folder."""
    return (sys.executable, str(_PROGRAMS / f"{name}.py"), *arguments)


def show_session(app: Terminal) -> str:
    """Have the dashboard show a tmux session, whatever else it has to show; gives its name."""
    app.wait_for(FOOTER, r"tmux ●[1-9]")
    app.press("G")  # away from it, so that going there is seen
    time.sleep(SETTLED)
    app.forget()
    app.press("2")
    app.wait_for(TITLE)
    time.sleep(SETTLED)
    return re.findall(TITLE, app.text())[-1]
