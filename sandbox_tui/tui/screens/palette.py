"""A list to type at and choose from: the palette, the actions of a sandbox, the key list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from sandbox_tui.tui.palette import Choice, Entry, Match, chosen, ranked
from sandbox_tui.tui.screens import stylesheet
from sandbox_tui.tui.widgets.fit import harmless


class PaletteScreen(ModalScreen[Choice]):
    """Answers with what was chosen, or with nothing."""

    CSS = stylesheet("palette")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+q,ctrl+c,ctrl+p", "dismiss()", "Close"),
        Binding("up,ctrl+k", "step(-1)", "Up"),
        Binding("down,ctrl+j", "step(1)", "Down"),
        Binding("pageup", "step(-10)", "Page up"),
        Binding("pagedown", "step(10)", "Page down"),
    ]

    def __init__(self, title: str, entries: Sequence[Entry], recent: Sequence[Choice]) -> None:
        super().__init__()
        self._title = title
        self._entries = entries
        self._recent = tuple(recent)
        self._matches: list[Match] = []
        self._width = max((cell_len(entry.keys) for entry in entries), default=0)
        self._grouped = any(entry.group for entry in entries)
        self._input = Input(placeholder="type to find", compact=True)
        self._list = OptionList(compact=True, markup=False)
        self._list.can_focus = False

    def compose(self) -> ComposeResult:
        """The field and what it finds."""
        with Vertical(id="palette") as frame:
            frame.border_title = Content(harmless(self._title))
            yield self._input
            yield self._list

    def on_mount(self) -> None:
        """Everything, to begin with."""
        self.set_focus(self._input)
        self._find("")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Find again."""
        self._find(event.value)

    def on_input_submitted(self) -> None:
        """Choose what is highlighted."""
        self._choose(self._list.highlighted)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Choose what was clicked."""
        self._choose(event.option_index)

    def on_click(self, event: events.Click) -> None:
        """A click beside it closes it."""
        if event.widget is self:
            self.dismiss()

    def action_step(self, count: int) -> None:
        """Highlight another line."""
        places = [at for at, option in enumerate(self._list.options) if not option.disabled]
        here = self._list.highlighted
        if places:
            at = places.index(here) if here in places else 0
            self._list.highlighted = places[max(0, min(at + count, len(places) - 1))]

    def _find(self, typed: str) -> None:
        recent = () if self._grouped else self._recent
        self._matches = ranked(self._entries, typed, recent)
        options: list[Option] = []
        group = ""
        for index, match in enumerate(self._matches):
            if self._grouped and not typed and match.entry.group != group:
                group = match.entry.group
                options.append(Option(Content.styled(group, "bold $primary"), disabled=True))
            options.append(Option(_line(match, self._width), id=str(index)))
        if not options:
            options.append(Option(Content.styled("nothing of that name", "dim"), disabled=True))
        self._list.set_options(options)
        first = next((at for at, option in enumerate(options) if not option.disabled), None)
        self._list.highlighted = first

    def _choose(self, place: int | None) -> None:
        if place is None:
            return
        option = self._list.get_option_at_index(place)
        if option.id is not None:
            entry = self._matches[int(option.id)].entry
            self.dismiss(chosen(entry, self._input.value))


def _line(match: Match, width: int) -> Content:
    """Keys at the left, as a person looks for them; why it is impossible at the right."""
    entry = match.entry
    title = Content(harmless(entry.title))
    for at in match.positions:
        title = title.stylize("bold underline", at, at + 1)
    keys = Content.styled(entry.keys.rjust(width), "$footer-key-foreground")
    line = Content.assemble(" ", keys, "  ", title)
    if entry.why_not:
        return Content.assemble(line, "  ", entry.why_not).stylize("dim")
    return line
