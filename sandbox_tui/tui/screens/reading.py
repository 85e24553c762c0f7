"""A log that fills a screen of its own: to be read, and any way back closes it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen

from sandbox_tui.tui.screens import stylesheet
from sandbox_tui.tui.widgets.log import LogView


class Reading(ModalScreen[None]):
    """What is read in it is appended to `view`."""

    CSS = stylesheet("reading")
    SCOPED_CSS = False  # else it would not be for the classes that are made of it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,L,M,ctrl+q,ctrl+c", "dismiss()", "Close"),
        Binding("up,k", "scroll(-1)", "Up"),
        Binding("down,j", "scroll(1)", "Down"),
        Binding("pageup", "page(-1)", "Page up"),
        Binding("pagedown", "page(1)", "Page down"),
        Binding("g,home", "first", "Top"),
        Binding("G,end", "last", "Bottom"),
        Binding("t", "timestamps", "Timestamps"),
        Binding("w", "wrap", "Wrap"),
    ]

    def __init__(self, title: str) -> None:
        super().__init__()
        self.view = LogView()
        self.view.border_title = Content(title)
        self.view.border_subtitle = Content("t timestamps · w wrap · esc closes")

    def compose(self) -> ComposeResult:
        """The log."""
        yield self.view

    def on_mount(self) -> None:
        """Give it the keys."""
        self.view.focus()

    def action_scroll(self, rows: int) -> None:
        """Look further up or down."""
        self.view.scroll_rows(rows)

    def action_page(self, count: int) -> None:
        """Look a window further up or down."""
        self.view.page(count)

    def action_first(self) -> None:
        """Look at the oldest."""
        self.view.first()

    def action_last(self) -> None:
        """Look at the newest."""
        self.view.last()

    def action_timestamps(self) -> None:
        """Show when each line was said, or do not."""
        self.view.timestamps = not self.view.timestamps

    def action_wrap(self) -> None:
        """Break long lines, or do not."""
        self.view.wrap = not self.view.wrap
