"""What a typed line is for; apart from the field itself, which is only loaded when it is opened."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from sandbox_tui.model.refs import Ref


class Purpose(StrEnum):
    """What the typed text is for."""

    FILTER = "filter"
    LINES = "lines"
    SEARCH = "search"
    SEND = "send"
    RUN = "run"
    PUSH = "push"
    PULL = "pull"
    SNAPSHOT = "snapshot"

    @property
    def is_live(self) -> bool:
        """Whether the text acts as it is typed."""
        return self in (Purpose.FILTER, Purpose.LINES, Purpose.SEARCH)

    @property
    def help(self) -> str:
        """What to type and how to end it, in words with keys to be spelt."""
        return _HELP[self]

    @property
    def form(self) -> str:
        """What to type."""
        return self.help.partition(" · ")[0]


_HELP = {
    Purpose.FILTER: "enter keeps · esc clears · text  is:failed  kind:room  label:x=y  -not",
    Purpose.LINES: "enter keeps · esc shows all · text  -not  level:warn",
    Purpose.SEARCH: "enter keeps it, {view.next_match} finds the next · esc clears",
    Purpose.SEND: "enter sends · esc cancels",
    Purpose.RUN: "enter runs · esc cancels",
    Purpose.PUSH: "FILE-HERE FOLDER-INSIDE/ · enter copies · esc cancels",
    Purpose.PULL: "FILE-INSIDE FOLDER-HERE/ · enter copies · esc cancels",
    Purpose.SNAPSHOT: "IMAGE[:TAG] · enter keeps it · esc cancels",
}


class Typing(NamedTuple):
    """A line that is asked for."""

    purpose: Purpose
    label: str
    ref: Ref | None = None
    """The sandbox it is for, whatever is selected meanwhile."""
    text: str = ""
    """What stands there at the beginning."""
    blocks: bool = False
    """Whether it is code, which may go on over several lines."""

    @property
    def help(self) -> str:
        """How to end it, in words with keys to be spelt."""
        return self.purpose.help + (" · ctrl+j runs a block" if self.blocks else "")
