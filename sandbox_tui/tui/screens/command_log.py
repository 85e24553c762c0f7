"""Everything that was done here, each with the command line that does the same."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox_tui.model.outputs import Text
from sandbox_tui.tui.history import Event
from sandbox_tui.tui.screens.reading import Reading


class CommandLog(Reading):
    """What was done until it was opened."""

    def __init__(self, events: Sequence[Event]) -> None:
        super().__init__("command log")
        lines = [event.line for event in events] or ["nothing was done here yet\n"]
        self.view.append(*(Text("stdout", line) for line in lines))
