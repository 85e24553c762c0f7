"""A small form for something new: its kind, its name, and what it should run."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Label, RadioButton, RadioSet, Static

from sandbox_tui.model.actions import Start
from sandbox_tui.model.errors import InvalidNameError
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.tui.screens import stylesheet


class FieldOf(NamedTuple):
    """One line of the form: the field of `Start` it fills, and for which kinds."""

    name: str
    label: str
    example: str
    kinds: frozenset[Kind]


FIELDS = (
    FieldOf("image", "image", "python:3.12", frozenset({Kind.CONTAINER})),
    FieldOf("profile", "profile", "or a kind: dev, agent, …", frozenset({Kind.CONTAINER})),
    FieldOf("command", "command", "empty: what is usual", frozenset({Kind.TMUX, Kind.CONTAINER})),
    FieldOf("kernel", "kernel", "empty: python", frozenset({Kind.ROOM})),
    FieldOf("working_dir", "folder", "empty: this one", frozenset(Kind)),
)
WORDS = {Kind.TMUX: "session", Kind.CONTAINER: "container", Kind.ROOM: "room"}


class NewSandbox(ModalScreen[Start]):
    """Answers with the `Start` that was filled in, or with nothing."""

    CSS = stylesheet("new")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+q,ctrl+c", "dismiss()", "Cancel"),
        Binding("down", "app.focus_next", "Next"),
        Binding("up", "app.focus_previous", "Previous"),
    ]

    def __init__(self, kind: str = "") -> None:
        """`kind` is the one to begin with; tmux when it says nothing."""
        super().__init__()
        self._kind = Kind(kind) if kind else Kind.TMUX

    def compose(self) -> ComposeResult:
        """Kind, name, and a line for each field."""
        with Vertical(id="form") as form:
            form.border_title = Content("new")
            with RadioSet(id="kind", compact=True):
                for kind, word in WORDS.items():
                    yield RadioButton(word, value=kind is self._kind, id=kind.value, compact=True)
            yield from _line("name", "name", "work")
            for field in FIELDS:
                yield from _line(field.name, field.label, field.example)
            yield Static("", id="error", markup=False)
            yield Static("enter starts it · ↑ ↓ between the lines · esc cancels", id="keys")

    def on_mount(self) -> None:
        """Begin with the name."""
        self._show_fields()
        self.set_focus(self._input("name"))

    def on_radio_set_changed(self, event: RadioSet.Changed) -> None:
        """Other kinds have other fields."""
        self._kind = Kind(event.pressed.id or Kind.TMUX)
        self._show_fields()

    def on_input_submitted(self) -> None:
        """Start it, if it is all there."""
        field, wrong = self._wrong()
        if wrong:
            self.query_one("#error", Static).update(Content(wrong))
            self.set_focus(self._input(field))
        else:
            self.dismiss(self._start(self._value("name") or ""))

    def _wrong(self) -> tuple[str, str]:
        """A field that cannot stay so, and why; nothing when all can."""
        name = self._value("name")
        if not name:
            return "name", f"a {WORDS[self._kind]} needs a name"
        try:
            Ref.make(self._kind, name)
        except InvalidNameError as error:
            return "name", error.message
        if self._kind is Kind.CONTAINER and not (self._value("image") or self._value("profile")):
            return "image", "a container needs an image or a profile"
        return "", ""

    def _start(self, name: str) -> Start:
        return Start(
            name=name,
            kind=self._kind,
            image=self._value("image"),
            profile=self._value("profile"),
            command=self._value("command"),
            kernel=self._value("kernel"),
            working_dir=self._value("working_dir"),
        )

    def _show_fields(self) -> None:
        for field in FIELDS:
            self.query_one(f"#line-{field.name}").display = self._kind in field.kinds

    def _input(self, name: str) -> Input:
        return self.query_one(f"#{name}", Input)

    def _value(self, name: str) -> str | None:
        """What was typed into a field that this kind has; `None` for nothing."""
        hidden = not self.query_one(f"#line-{name}").display
        return None if hidden else self._input(name).value.strip() or None


def _line(name: str, label: str, example: str) -> ComposeResult:
    with Horizontal(id=f"line-{name}", classes="line"):
        yield Label(label, markup=False)
        yield Input(placeholder=example, id=name, compact=True)
