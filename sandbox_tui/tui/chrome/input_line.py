"""The line that is typed into: to filter, to search, to send, to run.

Enter is enough for one line. Code of several lines grows the field: enter after a line that opens
a block (`for x in y:`), or inside such code, goes on; on a blank line it runs the code, as ctrl+j
and shift+enter do anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Static, TextArea

from sandbox_tui.model.refs import Ref
from sandbox_tui.tui.chrome.input_purposes import Purpose, Typing
from sandbox_tui.tui.widgets.code_area import CodeArea

RUNS = ("ctrl+j", "shift+enter")
OWN_KEYS = (*RUNS, "enter", "escape", "ctrl+c", "ctrl+q", "up", "down")
KEPT = 100
"""How many lines typed before can be had back with the up key."""


class Field(CodeArea):
    """One line that may become several."""

    @dataclass
    class Ended(Message):
        """Typing is over: the text is meant (`done`), or it is not."""

        text: str
        done: bool

    @dataclass
    class Recalled(Message):
        """A line typed before is wanted: -1 the one before, 1 the one after."""

        step: int

    def __init__(self) -> None:
        super().__init__()
        self.blocks = False
        """Whether enter may continue a block."""

    def check_consume_key(self, key: str, character: str | None = None) -> bool:
        """Every key that may move in the text, continue or end it is for the text."""
        return key in OWN_KEYS or super().check_consume_key(key, character)

    async def on_key(self, event: events.Key) -> None:
        """Enter, escape and the arrows mean something else here than in an editor."""
        message = self._meaning(event.key)
        if message is None and event.key != "enter":
            return
        event.stop()
        event.prevent_default()
        if message is None:
            self.break_line()
        else:
            self.post_message(message)

    def _meaning(self, key: str) -> Message | None:
        row, _ = self.cursor_location
        if key in RUNS or (key == "enter" and not self._goes_on()):
            return self.Ended(self.text, True)
        if key in ("escape", "ctrl+c", "ctrl+q"):
            return self.Ended(self.text, False)
        if key == "up" and row == 0:
            return self.Recalled(-1)
        if key == "down" and row == self.document.line_count - 1:
            return self.Recalled(1)
        return None

    def _goes_on(self) -> bool:
        """Whether the code is not complete: it opens a block, or is in the middle of one."""
        written = self.document.get_line(self.cursor_location[0]).strip()
        more = self.opens_block() or self.document.line_count > 1
        return self.blocks and bool(written) and more


class InputLine(Horizontal):
    """A label and a field; hidden until it is opened. How it ends stands in the footer."""

    @dataclass
    class Changed(Message):
        """The text is another one."""

        purpose: Purpose
        text: str

    @dataclass
    class Closed(Message):
        """Typing is over."""

        purpose: Purpose
        ref: Ref | None
        text: str
        done: bool

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._label = Static(classes="label", markup=False)
        self._field = Field()
        self._typing = Typing(Purpose.FILTER, "")
        self._typed: dict[Purpose, list[str]] = {}
        self._recalled = 0

    def compose(self) -> ComposeResult:
        """Label, field."""
        yield self._label
        yield self._field

    @property
    def is_open(self) -> bool:
        """Whether somebody types."""
        return self.has_class("-open")

    def open(self, typing: Typing) -> None:
        """Show it and take the keys."""
        self._typing, self._recalled = typing, 0
        self._label.update(Content(f" {typing.label} › "))
        self._field.blocks = typing.blocks
        self._write(typing.text)
        self.add_class("-open")
        self.screen.set_focus(self._field)

    def close(self) -> None:
        """Hide it."""
        self.remove_class("-open")
        self._write("")

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Act on it at once, where it does."""
        event.stop()
        if self.is_open and self._typing.purpose.is_live:
            self.post_message(self.Changed(self._typing.purpose, self._field.text))

    def on_field_ended(self, event: Field.Ended) -> None:
        """Remember what was typed, and hand it on."""
        event.stop()
        text = event.text.rstrip("\n")
        self.close()
        if event.done and text.strip():
            self._remember(text)
        purpose, ref = self._typing.purpose, self._typing.ref
        self.post_message(self.Closed(purpose, ref, text, event.done))

    def on_field_recalled(self, event: Field.Recalled) -> None:
        """Show what was typed before."""
        event.stop()
        typed = self._typed.get(self._typing.purpose, [])
        self._recalled = max(-len(typed), min(0, self._recalled + event.step))
        self._write(typed[self._recalled] if self._recalled else "")

    def _remember(self, text: str) -> None:
        typed = self._typed.get(self._typing.purpose, [])
        others = [old for old in typed if old != text]
        self._typed[self._typing.purpose] = [*others, text][-KEPT:]

    def _write(self, text: str) -> None:
        self._field.load_text(text)
        self._field.move_cursor(self._field.document.end)
