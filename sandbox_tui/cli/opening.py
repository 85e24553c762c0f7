"""Opening the dashboard: the one bridge between two surfaces, which do not know each other."""

from __future__ import annotations

import importlib
import sys


def has_screen() -> bool:
    """Whether the dashboard could be seen: it reads stdin and draws on stderr."""
    return all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))


def open_dashboard(*, demo: bool = False, select: str | None = None) -> int:
    """Open it and come back when it is closed; `select` is the full name of a sandbox."""
    code: int = importlib.import_module("sandbox_tui.tui.launch").run(demo=demo, select=select)
    return code
