"""Where `sandbox-tui` begins: straight to the dashboard, or to the command line.

The dashboard is opened most often and waited for most impatiently, so nothing that only the
command line needs is imported on the way to it.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence

from sandbox_tui.cli.opening import has_screen, open_dashboard
from sandbox_tui.cli.streams import complete

GARBAGE = 50_000
"""Objects made before the collector looks: what a program makes while it starts all stays."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; answers with the exit code and never raises an `Exception`."""
    gc.set_threshold(GARBAGE, 20, 100)
    complete()
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words or "SANDBOX_TUI_DEMO" in os.environ or not has_screen():
        from sandbox_tui.cli.main import main as command_line

        return command_line(words)
    try:
        return open_dashboard()
    except Exception as error:  # noqa: BLE001 - the edge of the program
        return _diagnose(error)


def _diagnose(error: Exception) -> int:
    from sandbox_tui.cli.diagnostics import guarded

    def again() -> int:
        raise error

    return guarded(again, as_json=False)
