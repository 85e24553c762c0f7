"""Opening the dashboard: the way from a command to the first frame, and nothing on it that waits.

The first frame is what a person waits for, so this module imports next to nothing, and the garbage
collector rests until that frame is there: everything that is made before it stays anyway.
"""

from __future__ import annotations

import gc
import sys
from functools import partial
from typing import TYPE_CHECKING

from sandbox_tui.model.errors import TerminalNeededError

if TYPE_CHECKING:
    from collections.abc import Collection
    from contextlib import AbstractAsyncContextManager

    from sandbox_tui.api.base import Api
    from sandbox_tui.model.refs import Kind


def run(
    *,
    demo: bool = False,
    select: str | None = None,
    read_only: bool = False,
    kinds: Collection[Kind] | None = None,
    terminal: bool = True,
) -> int:
    """Open the dashboard and stay until it is left. Answers with the exit code.

    `demo` is the built-in story in place of this machine; `select` names the sandbox to begin
    with; `read_only` refuses whatever could change something; `kinds` shows no others; without
    `terminal` it is drawn elsewhere, in a browser. Raises `TerminalNeededError` and `ConfigError`
    before anything is drawn.
    """
    if terminal:
        _check_terminal()
    gc.disable()
    try:
        from sandbox_tui.tui.app import DashboardApp
        from sandbox_tui.tui.outfit import load_outfit

        connect = partial(_connect, demo, read_only, kinds)
        app = DashboardApp(connect, load_outfit(), select=select or "", shown=_collect_again)
        app.run()
    finally:
        gc.enable()
    return app.return_code or 0


def _collect_again() -> None:
    """Collect garbage from now on, and never look again at what is there already."""
    gc.freeze()
    gc.enable()


def _connect(
    demo: bool, read_only: bool, kinds: Collection[Kind] | None
) -> AbstractAsyncContextManager[Api]:
    from sandbox_tui.api.client import connect

    return connect(kinds=kinds, demo=demo, read_only=read_only)


def _check_terminal() -> None:
    """The screen is drawn on stderr and keys are read from stdin: both must be a terminal."""
    if not sys.stderr.isatty():
        hint = "Run it without 2>FILE: the dashboard draws on stderr."
        raise TerminalNeededError("the dashboard", hint=hint)
    if not sys.stdin.isatty():
        raise TerminalNeededError("the dashboard")
