"""The field that stands in place of a cell's source while somebody types in it.

The document is shared: what others type into the same cell arrives while it is open and is merged
into the text, and the cursor stays where it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from textual import events
from textual.document._document import Location
from textual.message import Message

from sandbox_tui.tui.widgets.cell_messages import Left
from sandbox_tui.tui.widgets.code_area import CodeArea
from sandbox_tui.tui.widgets.merging import change, merged

_OWN = ("enter", "up", "down", "tab")


class CellEditor(CodeArea):
    """Holds the source of one cell; see the module."""

    DEFAULT_CSS = """
    CellEditor {
        position: absolute;
        height: 1;
        padding: 0;
        border: none;
        scrollbar-size: 0 0;
        background: $foreground 12%;
        &:focus { border: none; }
    }
    """

    @dataclass
    class Ended(Message):
        """Typing is over; the text is meant in any case."""

        text: str
        how: Left

    def __init__(self, ends: Mapping[str, Left]) -> None:
        """`ends` has the keys that leave it."""
        super().__init__()
        self._ends = ends
        self._base = ""
        self._sent: list[str] = []

    def begin(self, source: str) -> None:
        """Hold this source, the cursor at its end."""
        self._base, self._sent = source, []
        self.load_text(source)
        self.move_cursor(self.document.end)

    @property
    def rows(self) -> int:
        """How high it must be to show everything."""
        return max(1, self.wrapped_document.height)

    @property
    def cursor_row(self) -> int:
        """The row of the cursor, from the top of the field."""
        return self.wrapped_document.location_to_offset(self.cursor_location).y

    def unsent(self) -> str | None:
        """The text, if it is another than what was told last; it counts as told then."""
        if self.text == (self._sent[-1] if self._sent else self._base):
            return None
        self._sent.append(self.text)
        return self.text

    def hear(self, source: str) -> None:
        """The document has this source now: an echo of what was told, or somebody else's words."""
        if source in self._sent:
            self._sent = self._sent[self._sent.index(source) + 1 :]
        else:
            known = self._sent[-1] if self._sent else self._base
            self._become(merged(known, self.text, source))
        self._base = source

    def check_consume_key(self, key: str, character: str | None = None) -> bool:
        """Every key that may move in the text or end it is for the text."""
        return key in _OWN or key in self._ends or super().check_consume_key(key, character)

    async def on_key(self, event: events.Key) -> None:
        """Enter keeps the indent, and some keys leave."""
        how = self._ends.get(event.key)
        if how is None and event.key != "enter":
            return
        event.stop()
        event.prevent_default()
        if how is None:
            self.break_line()
        else:
            self.post_message(self.Ended(self.text, how))

    def on_click(self, event: events.Click) -> None:
        """A click in the text is no click on the notebook under it."""
        event.stop()

    def _become(self, text: str) -> None:
        """Hold another text: only the difference is replaced, so the cursor stays."""
        before = self.text
        span = change(before, text)
        if before != text:
            self.replace(span.text, _location(before, span.start), _location(before, span.end))


def _location(text: str, index: int) -> Location:
    """A place in a text as row and column."""
    row = text.count("\n", 0, index)
    return row, index - (text.rfind("\n", 0, index) + 1)
