"""What a notebook tells when somebody types into its cells; apart from the field, which is heavy.

Each names the room it is about: by the time it is heard, another one may be looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from textual.message import Message

from sandbox_tui.model.refs import Ref


class Left(StrEnum):
    """What is wanted of a cell when its field is left."""

    NOTHING = "nothing"
    RUN = "run"
    ADVANCE = "advance"
    """Run it, and go on to the next cell."""


@dataclass
class CellMessage(Message):
    """Base of them all."""

    ref: Ref


@dataclass
class CellTyped(CellMessage):
    """The cell that is typed into has another source; more may come."""

    cell_id: str
    source: str


@dataclass
class CellLeft(CellMessage):
    """Typing into a cell is over."""

    cell_id: str
    source: str
    how: Left
    changed: bool
    """Whether it is another source than the one it began with."""


@dataclass
class CellLost(CellMessage):
    """The cell that was typed into is gone: somebody took it away."""

    source: str
