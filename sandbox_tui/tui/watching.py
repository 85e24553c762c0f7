"""What is on the screen, and so is worth fetching; nothing else is."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

import msgspec

from sandbox_tui.model.refs import Ref


class View(StrEnum):
    """What can be watched of one sandbox."""

    LOG = "log"
    NOTEBOOK = "notebook"
    INSPECT = "inspect"


class Feed(NamedTuple):
    """One view of one sandbox."""

    view: View
    ref: Ref


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that somebody looks at."""

    screens: frozenset[Ref] = frozenset()
    """Terminals whose screens are shown; they are asked for together."""
    feeds: Mapping[Feed, frozenset[str]] = msgspec.field(default_factory=dict[Feed, frozenset[str]])
    """Each with who looks at it; somebody new is told everything from the start."""
    closely: frozenset[Ref] = frozenset()
    """Measured at every beat: their charts are on the screen."""
    loosely: frozenset[Ref] = frozenset()
    """Measured now and then: they have a sparkline in the list."""
