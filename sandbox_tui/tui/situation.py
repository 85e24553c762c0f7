"""Where the person is: all that decides which keys work now, as one value."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from sandbox_tui.model.refs import Kind
from sandbox_tui.model.world import Sandbox


class Half(StrEnum):
    """Which half of the dashboard the keys go to."""

    LIST = "list"
    VIEW = "view"


class Tab(StrEnum):
    """What the view shows of the selected sandbox."""

    LIVE = "live"
    LOGS = "logs"
    STATS = "stats"
    INSPECT = "inspect"
    NOTEBOOK = "notebook"
    EVENTS = "events"


def tabs_of(kind: Kind) -> tuple[Tab, ...]:
    """The tabs a sandbox of that kind has, in order."""
    rooms_only = {Tab.NOTEBOOK} if kind is not Kind.ROOM else set[Tab]()
    return tuple(tab for tab in Tab if tab not in rooms_only)


class Body(StrEnum):
    """The widgets that a tab is made of."""

    WORDS = "words"
    SCREEN = "screen"
    LOG = "log"
    NOTEBOOK = "notebook"
    STATS = "stats"
    FACTS = "facts"
    EVENTS = "events"


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """One moment of the dashboard. `box` is what an action would act on."""

    box: Sandbox | None = None
    half: Half = Half.LIST
    tab: Tab = Tab.LIVE
    body: Body = Body.WORDS
    """What fills the tab."""
    cells: int | None = None
    """How many cells the view shows to be worked in; None when it shows no notebook for that."""
    typing: bool = False
    """Whether a cell is open, and keys are text for it."""
    marked: int = 0
    needs: int = 0
    matches: int | None = None
    """How many lines fit what is searched for in the view; `None` when nothing is."""
