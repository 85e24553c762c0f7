"""What the bridge tells the screen: past facts. The chatty ones replace each other unread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from textual.message import Message

from sandbox_tui.model.actions import Action
from sandbox_tui.model.cells import Notebook
from sandbox_tui.model.errors import SandboxError
from sandbox_tui.model.outputs import Screen, Text, Vitals
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.world import World


@dataclass(eq=False, repr=False)
class WorldChanged(Message):
    """There is a newer picture of everything."""

    world: World

    def can_replace(self, message: Message) -> bool:
        """Only the newest world is worth a look."""
        return isinstance(message, WorldChanged)


class Fetched(Message):
    """Something that was fetched because it is looked at."""


@dataclass(eq=False, repr=False)
class ScreensChanged(Fetched):
    """What the watched terminals show now."""

    screens: Mapping[Ref, Screen]

    def can_replace(self, message: Message) -> bool:
        """A later one tells everything again, as long as the same screens are watched."""
        return isinstance(message, ScreensChanged) and message.screens.keys() <= self.screens.keys()


@dataclass(eq=False, repr=False)
class LogBegan(Fetched):
    """A log is read from its start again: what was shown of it is forgotten."""

    ref: Ref


@dataclass(eq=False, repr=False)
class LogArrived(Fetched):
    """A followed sandbox said something; at most one frame's worth."""

    ref: Ref
    pieces: tuple[Text, ...]
    dropped: int = 0
    """How many pieces came too fast to be shown and were left out before these."""


@dataclass(eq=False, repr=False)
class NotebookChanged(Fetched):
    """A room's cells or outputs are others now."""

    notebook: Notebook

    def can_replace(self, message: Message) -> bool:
        """Only the newest of one room is worth a look."""
        return isinstance(message, NotebookChanged) and message.notebook.ref == self.notebook.ref


@dataclass(eq=False, repr=False)
class Measured(Fetched):
    """New measurements."""

    vitals: Mapping[Ref, Vitals]


@dataclass(eq=False, repr=False)
class Inspected(Fetched):
    """Everything that is known about one sandbox."""

    ref: Ref
    facts: Mapping[str, object]


@dataclass(eq=False, repr=False)
class WatchFailed(Fetched):
    """One of the views of a sandbox cannot be had."""

    ref: Ref | None
    view: str
    """`log`, `notebook`, `inspect`."""
    error: SandboxError


@dataclass(eq=False, repr=False)
class Performed(Message):
    """An action is done; `answer` is what its docstring says."""

    action: Action
    answer: object
    seconds: float


@dataclass(eq=False, repr=False)
class Failed(Message):
    """An action could not be done."""

    action: Action
    error: SandboxError


@dataclass(eq=False, repr=False)
class CopyMoved(Message):
    """How far a copy is, in words; none when it is over."""

    words: str

    def can_replace(self, message: Message) -> bool:
        """Latest wins."""
        return isinstance(message, CopyMoved)


@dataclass(eq=False, repr=False)
class CopyEnded(Message):
    """A person has ended a copy."""

    title: str


@dataclass(eq=False, repr=False)
class RunEnded(Message):
    """Code that was run from here ended."""

    ref: Ref
    summary: str
    ok: bool


@dataclass(eq=False, repr=False)
class Disconnected(Message):
    """There is no Api: nothing can be shown or done."""

    error: SandboxError
