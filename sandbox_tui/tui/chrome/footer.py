"""The last line: the keys that work now, as many as fit, the most useful first."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from textual import events
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget

from sandbox_tui.tui.commands import command
from sandbox_tui.tui.keys import Keymap
from sandbox_tui.tui.situation import Half, Situation

LIST = (
    "view.open", "sandbox.attach", "sandbox.shell", "sandbox.send", "sandbox.run", "sandbox.start",
    "tab.logs", "sandbox.restart", "sandbox.pause", "sandbox.resume", "sandbox.stop", "mark.act",
    "mark.logs", "sandbox.remove", "sandbox.interrupt", "mark.toggle", "move.next_need",
    "sandbox.new", "list.filter", "copy.text",
)  # fmt: skip
CELLS = (
    "view.back", "cell.edit", "cell.advance", "cell.run", "cell.below", "cell.above", "cell.delete",
    "sandbox.interrupt", "cell.run_all", "cell.text", "cell.clear", "cell.editor", "room.restart",
    "cell.undo", "tab.next",
)  # fmt: skip
VIEW = (
    "view.back", "tab.next", "sandbox.attach", "sandbox.send", "sandbox.run",
    "view.search", "view.next_match", "view.filter", "view.follow", "view.wrap",
    "view.timestamps", "view.zoom", "view.pin", "copy.text", "view.save", "sandbox.interrupt",
    "room.restart",
)  # fmt: skip
ALWAYS = ("program.palette", "program.keys")


class Hint(NamedTuple):
    """A key and what it does."""

    key: str
    title: str
    command: str


def hints(now: Situation, keymap: Keymap) -> list[Hint]:
    """The keys that work now, most useful first."""
    if now.typing:
        return _typing(keymap)
    in_view = VIEW if now.cells is None else CELLS
    wanted = LIST if now.half is Half.LIST else in_view
    return [
        Hint(keymap.label(name), command(name).short, name)
        for name in wanted
        if keymap.label(name) and not command(name).impossible(now)
    ]


def _typing(keymap: Keymap) -> list[Hint]:
    """The keys of an open cell."""
    words = (("view.back", "leave"), ("cell.advance", "run"), ("cell.run", "run in place"))
    return [Hint(keymap.label(name), what, name) for name, what in words]


def always(keymap: Keymap) -> list[Hint]:
    """The keys that are shown whatever happens."""
    found = ((keymap.label(name), command(name).short, name) for name in ALWAYS)
    return [Hint(*hint) for hint in found if hint[0]]


class Footer(Widget):
    """One line of keys; a click does what the key does."""

    DEFAULT_CSS = "Footer { height: 1; }"

    @dataclass
    class Clicked(Message):
        """A key was clicked."""

        command: str

    def __init__(self, keymap: Keymap, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._keymap = keymap
        self._hints: list[Hint] = []
        self._words = ""
        self._ending: Timer | None = None

    def show(self, now: Situation) -> None:
        """Show what works in this situation."""
        found = hints(now, self._keymap)
        if found != self._hints:
            self._hints = found
            self.refresh()

    def say(self, words: str, seconds: float = 0.0) -> None:
        """Show these words in place of the keys, for so long or until others; empty: the keys."""
        if self._ending is not None:
            self._ending.stop()
        self._ending = self.set_timer(seconds, partial(self.say, "")) if seconds else None
        if words != self._words:
            self._words = words
            self.refresh()

    def render(self) -> Content:
        """The line, as wide as the terminal."""
        if self._words:
            return Content.styled(f" {self._words}", "bold $text-accent")
        return Content(" ") + GAP.join([_hint(hint) for hint in self._shown()])

    def on_click(self, event: events.Click) -> None:
        """Do what stands there."""
        end = 1
        for hint in self._shown() if not self._words else ():
            end += _hint(hint).cell_length + GAP.cell_length
            if event.x < end:
                self.post_message(self.Clicked(hint.command))
                return

    def _shown(self) -> list[Hint]:
        """As many as there is room for, and those that are always shown."""
        last = always(self._keymap)
        room = self.size.width - 1 - sum(map(_width, last))
        shown: list[Hint] = []
        for hint in self._hints:
            room -= _width(hint)
            if room < 0:
                break
            shown.append(hint)
        return [*shown, *last]


GAP = Content("  ")


def _hint(hint: Hint) -> Content:
    return Content.assemble((hint.key, "bold $footer-key-foreground"), f" {hint.title}")


def _width(hint: Hint) -> int:
    return _hint(hint).cell_length + GAP.cell_length
