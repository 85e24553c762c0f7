"""The question before something is lost: it names what, and acts on nothing itself."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from sandbox_tui.tui.asking import Question
from sandbox_tui.tui.screens import stylesheet
from sandbox_tui.tui.widgets.fit import harmless


class Confirm(ModalScreen[bool]):
    """Answers whether the person agreed."""

    CSS = stylesheet("confirm")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "answer(True)", "Yes"),
        Binding("n,escape,q,ctrl+q,ctrl+c", "answer(False)", "No"),
        Binding("up,k", "scroll(-1)", "Up"),
        Binding("down,j", "scroll(1)", "Down"),
        Binding("pageup", "scroll(-8)", "Page up"),
        Binding("pagedown", "scroll(8)", "Page down"),
    ]

    def __init__(self, question: Question) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        """Title, what it is about, what is lost, the two keys."""
        question = self._question
        with Vertical(id="dialog") as dialog:
            dialog.border_title = Content(harmless(question.title))
            with VerticalScroll(id="subjects", can_focus=False):
                for subject in question.subjects:
                    yield Static(Content(harmless(subject)))
            if question.loses:
                yield Static(Content(f"lost: {question.loses}"), id="loses")
            yield Static(self._keys(), id="keys")

    def action_answer(self, agreed: bool) -> None:
        """That is the answer."""
        self.dismiss(agreed)

    def action_scroll(self, rows: int) -> None:
        """Look at those that there is no room for."""
        self.query_one("#subjects").scroll_relative(y=rows, animate=False)

    def _keys(self) -> Content:
        return Content.assemble(
            Content.assemble(("y ⏎", "bold $text-error"), f" {self._question.verb}").stylize(
                "@click=screen.answer(True)"
            ),
            "     ",
            Content.assemble(("n esc", "bold $footer-key-foreground"), " keep").stylize(
                "@click=screen.answer(False)"
            ),
        )
