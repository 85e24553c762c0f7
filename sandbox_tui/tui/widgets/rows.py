"""What a list shows, as values: a row per sandbox, in sections. Equal rows look the same."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

import msgspec

from sandbox_tui.model.refs import Ref


class Look(Enum):
    """How a state is told: by shape, by letter and by colour (component class `list--NAME`)."""

    RUNNING = ("●", "R")
    STARTING = ("◌", "B")
    WAITS = ("◐", "W")
    IDLE = ("○", "I")
    FAILED = ("✕", "F")
    STOPPED = ("□", "S")
    PAUSED = ("‖", "P")
    DEFINED = ("·", "D")
    STALE = ("?", "?")

    @property
    def glyph(self) -> str:
        """The shape, one cell."""
        return self.value[0]

    @property
    def letter(self) -> str:
        """For terminals and eyes without colour or shapes."""
        return self.value[1]

    @property
    def dim(self) -> bool:
        """Whether nothing is known to run there, so that the whole row steps back."""
        return self in (Look.DEFINED, Look.STALE, Look.STOPPED)


class Row(msgspec.Struct, frozen=True):
    """One line of a list. Texts may hold anything; they are made harmless when painted."""

    ref: Ref
    look: Look
    name: str
    detail: str = ""
    """In words, in place of spark and badge: `exit 137 OOM`, `waits for you`."""
    spark: str = ""
    """Drawn by `spark.spark`; every row should use the same width."""
    badge: str = ""
    """Right of the spark, aligned right: `81%  412M`."""
    age: str = ""
    """Last column, aligned right: `14m`."""
    dim: bool = False
    """Step back, whatever the look says."""


class Section(msgspec.Struct, frozen=True):
    """Rows under one title."""

    key: str
    title: str
    rows: tuple[Row, ...] = ()
    digit: str = ""
    """The key that jumps here, as `¹`."""
    empty: str = ""
    """Shown in place of rows when there are none; may have several lines."""
    problem: str = ""
    """Why this section cannot be trusted: it turns the title red. What, since when, retry."""


class Spot(NamedTuple):
    """A place in a list: the same sandbox may stand in two sections."""

    section: str
    ref: Ref


def spots(sections: tuple[Section, ...]) -> list[Spot]:
    """Every row in order."""
    return [Spot(section.key, row.ref) for section in sections for row in section.rows]


def stay(spot: Spot | None, before: list[Spot], after: list[Spot]) -> Spot | None:
    """Where the cursor is after the rows changed from `before` to `after`.

    On the same row, wherever that went; else on the same sandbox in another section; else, when
    the sandbox is gone, on the nearest row that is still there: below it before above it, its
    own section before the others.
    """
    if spot is None or not after:
        return after[0] if after else None
    if spot in after:
        return spot
    elsewhere = [place for place in after if place.ref == spot.ref]
    if elsewhere:
        return elsewhere[-1]
    at = before.index(spot) if spot in before else 0
    left = set(after)
    neighbours = [place for place in (*before[at:], *before[at::-1]) if place in left]
    own = [place for place in neighbours if place.section == spot.section]
    return next(iter(own or neighbours), after[0])
