"""Everything that was done here, each with the command line that does the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen

from sandbox_tui.model.outputs import Text
from sandbox_tui.tui.history import Event
from sandbox_tui.tui.screens import stylesheet
from sandbox_tui.tui.widgets.log import LogView


class CommandLog(ModalScreen[None]):
    """A log to read; any way back closes it."""

    CSS = stylesheet("command_log")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,L,ctrl+q,ctrl+c", "dismiss()", "Close"),
        Binding("up,k", "scroll(-1)", "Up"),
        Binding("down,j", "scroll(1)", "Down"),
        Binding("pageup", "page(-1)", "Page up"),
        Binding("pagedown", "page(1)", "Page down"),
        Binding("g,home", "first", "Top"),
        Binding("G,end", "last", "Bottom"),
        Binding("w", "wrap", "Wrap"),
    ]

    def __init__(self, events: Sequence[Event]) -> None:
        super().__init__()
        self._events = events
        self._log = LogView()

    def compose(self) -> ComposeResult:
        """The log."""
        yield self._log

    def on_mount(self) -> None:
        """Fill it."""
        self._log.border_title = Content("command log")
        self._log.border_subtitle = Content("esc closes")
        lines = [event.line for event in self._events] or ["nothing was done here yet\n"]
        self._log.append(*(Text("stdout", line) for line in lines))
        self._log.focus()

    def action_scroll(self, rows: int) -> None:
        """Look further up or down."""
        self._log.scroll_rows(rows)

    def action_page(self, count: int) -> None:
        """Look a window further up or down."""
        self._log.page(count)

    def action_first(self) -> None:
        """Look at the oldest."""
        self._log.first()

    def action_last(self) -> None:
        """Look at the newest."""
        self._log.last()

    def action_wrap(self) -> None:
        """Break long lines, or do not."""
        self._log.wrap = not self._log.wrap
