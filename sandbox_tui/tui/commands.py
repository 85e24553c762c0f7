"""Everything a key can do, in one table: the verbs of the registry and what only a screen has.

Footer, palette, key list and bindings are made from `COMMANDS`, and all of them ask `impossible`,
so they cannot disagree about what works now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum

import msgspec

from sandbox_tui.hub.registry import VERBS, Confirm, Verb
from sandbox_tui.model.refs import Kind
from sandbox_tui.model.world import Sandbox
from sandbox_tui.tui.situation import Body, Half, Situation


class Group(StrEnum):
    """The headings of the key list, in its order."""

    ACT = "act on the selected sandbox"
    CELLS = "cells of a room, in its Notebook tab"
    MOVE = "move"
    LOOK = "look"
    MARK = "several at once"
    COPY = "copy and save"
    PROGRAM = "program"


ANYWHERE = frozenset(Half)
IN_LIST = frozenset({Half.LIST})
IN_VIEW = frozenset({Half.VIEW})

Condition = Callable[[Situation], str]


def _always(_: Situation) -> str:
    return ""


def _box(now: Situation) -> str:
    return "" if now.box is not None else "nothing is selected"


def _room(now: Situation) -> str:
    there = now.box is not None and now.box.ref.kind is Kind.ROOM
    return "" if there else "only a room has a kernel to restart"


def _cells(now: Situation) -> str:
    return "" if now.cells is not None else "only in the Notebook tab of a room"


def _cell(now: Situation) -> str:
    return _cells(now) or ("" if now.cells else "there is no cell yet")


def _marks(now: Situation) -> str:
    return "" if now.marked else "nothing is marked: press {mark.toggle} on a row first"


def _needs(now: Situation) -> str:
    return "" if now.needs else "nothing needs you"


def _matches(now: Situation) -> str:
    if now.matches is None:
        return "nothing is searched for: press {view.search} first"
    return "" if now.matches else "nothing matches"


def _shows(why: str, *bodies: Body) -> Condition:
    """Whether the view shows one of these."""
    return lambda now: _box(now) or ("" if now.body in bodies else why)


_LOGS = (Body.LOG, Body.EVENTS)
_text = _shows("only logs, events and inspect have lines to search and wrap", *_LOGS, Body.FACTS)
_moving = _shows("only logs, events and terminals move", *_LOGS, Body.SCREEN)
_stamped = _shows("only logs have timestamps", Body.LOG)
_saved = _shows("there is nothing to save", *_LOGS, Body.FACTS, Body.SCREEN, Body.NOTEBOOK)


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a key can do."""

    id: str
    """Stable name for key maps: `sandbox.stop`, `view.follow`."""
    title: str
    brief: str = ""
    """The title where there is little room; the title itself when empty."""
    keys: tuple[str, ...] = ()
    """Textual's key names; `I I` is pressed twice."""
    group: Group = Group.LOOK
    halves: frozenset[Half] = ANYWHERE
    when: Condition = _always
    verb: Verb | None = None
    in_cells: bool = False
    """Whether it is one of a notebook's own: there it comes before what has its key elsewhere."""

    @property
    def short(self) -> str:
        """As the footer shows it."""
        return self.brief or self.title.lower()

    def impossible(self, now: Situation) -> str:
        """Why it cannot be done now, with keys to be spelt; empty when it can."""
        if self.verb is None:
            return self.when(now)
        if now.box is None:
            return "nothing is selected"
        return self.verb.impossible(now.box)

    def excludes(self, other: Command) -> bool:
        """Whether no situation has both, so that they may share a key."""
        if not self.halves & other.halves or self.in_cells != other.in_cells:
            return True
        mine, theirs = self.verb, other.verb
        if mine is None or theirs is None:
            return False
        return not (mine.kinds & theirs.kinds and mine.states & theirs.states)


TWICE = {"sandbox.interrupt": ("I I",)}
"""Verbs whose key is pressed twice, in place of a question."""


def _of_verb(verb: Verb) -> Command:
    keys = TWICE.get(verb.id, verb.keys)
    return Command(id=verb.id, title=verb.title, keys=keys, group=Group.ACT, verb=verb)


def _move(name: str, title: str, *keys: str, halves: frozenset[Half] = ANYWHERE) -> Command:
    return Command(id=f"move.{name}", title=title, keys=keys, group=Group.MOVE, halves=halves)


def _look(
    name: str,
    title: str,
    *keys: str,
    when: Condition = _always,
    halves: frozenset[Half] = ANYWHERE,
    brief: str = "",
) -> Command:
    return Command(id=name, title=title, brief=brief, keys=keys, when=when, halves=halves)


def _of_cell(
    name: str, title: str, *keys: str, when: Condition = _cell, brief: str = ""
) -> Command:
    return Command(
        id=f"cell.{name}",
        title=title,
        brief=brief,
        keys=keys,
        group=Group.CELLS,
        halves=IN_VIEW,
        when=when,
        in_cells=True,
    )


COMMANDS: tuple[Command, ...] = (
    *(_of_verb(verb) for verb in VERBS),
    Command(
        id="room.restart",
        title="Restart kernel",
        keys=("0 0",),
        group=Group.ACT,
        when=_room,
    ),
    Command(id="sandbox.new", title="New", keys=("n",), group=Group.ACT, halves=IN_LIST),
    _of_cell("edit", "Edit cell", "enter", brief="edit"),
    _of_cell("editor", "Edit cell in $EDITOR", "e", brief="$EDITOR"),
    _of_cell("advance", "Run cell and go on", "ctrl+j", "shift+enter", brief="run"),
    _of_cell("run", "Run cell", "ctrl+r", "ctrl+enter", brief="run in place"),
    _of_cell("run_all", "Run all cells", "A", brief="run all"),
    _of_cell("above", "Add cell above", "a", when=_cells, brief="add above"),
    _of_cell("below", "Add cell below", "b", when=_cells, brief="add below"),
    _of_cell("text", "Add text below", "m", when=_cells, brief="add text"),
    _of_cell("up", "Move cell up", "shift+up", "K"),
    _of_cell("down", "Move cell down", "shift+down", "J"),
    _of_cell("delete", "Delete cell", "d d", brief="delete"),
    _of_cell("undo", "Bring back deleted cell", "ctrl+z", when=_cells, brief="undelete"),
    _of_cell("clear", "Clear outputs of cell", "ctrl+l", brief="clear"),
    _of_cell("clear_all", "Clear all outputs"),
    _move("up", "Up", "up", "k"),
    _move("down", "Down", "down", "j"),
    _move("page_up", "Page up", "pageup"),
    _move("page_down", "Page down", "pagedown"),
    _move("top", "Top", "g", "home"),
    _move("bottom", "Bottom", "G", "end"),
    _move("left", "Pan left", "left", halves=IN_VIEW),
    _move("right", "Pan right", "right", halves=IN_VIEW),
    _move("view_up", "Scroll the view up", "shift+up", "K", halves=IN_LIST),
    _move("view_down", "Scroll the view down", "shift+down", "J", halves=IN_LIST),
    _move("attention", "What needs you", "1"),
    _move("tmux", "tmux sessions", "2"),
    _move("container", "Containers", "3"),
    _move("room", "Rooms", "4"),
    _move("next_section", "Next section", "tab"),
    _move("previous_section", "Previous section", "shift+tab"),
    Command(
        id="move.next_need",
        title="Next that needs you",
        brief="next",
        keys=("!",),
        group=Group.MOVE,
        when=_needs,
    ),
    _look("view.open", "Open", "enter", when=_box, halves=IN_LIST),
    _look("view.back", "Back", "escape"),
    _look("tab.next", "Next tab", "]", when=_box, brief="tab"),
    _look("tab.previous", "Previous tab", "[", when=_box),
    _look("tab.live", "Live", when=_box),
    _look("tab.logs", "Logs", "l", when=_box),
    _look("tab.stats", "Stats", "v", when=_box),
    _look("tab.inspect", "Inspect", "i", when=_box),
    _look("tab.notebook", "Notebook", "B", when=_room),
    _look("tab.events", "Events", "E", when=_box),
    _look("list.filter", "Filter", "/", halves=IN_LIST),
    _look("view.search", "Search", "/", when=_text, halves=IN_VIEW),
    _look("view.filter", "Filter lines", "&", when=_text, brief="filter lines"),
    _look("view.next_match", "Next match", "n", when=_matches, halves=IN_VIEW),
    _look("view.previous_match", "Previous match", "N", when=_matches, halves=IN_VIEW),
    _look("view.follow", "Follow", "f", when=_moving),
    _look("view.timestamps", "Timestamps", "t", when=_stamped),
    _look("view.wrap", "Wrap", "w", when=_text),
    _look("view.zoom", "Zoom", "z", when=_box),
    _look("layout.wider", "Wider list", "+"),
    _look("layout.narrower", "Narrower list", "_"),
    _look("view.pin", "Pin tile", "P", when=_box),
    Command(id="mark.toggle", title="Mark", keys=("space",), group=Group.MARK, halves=IN_LIST),
    Command(id="mark.all", title="Mark all shown", keys=("*",), group=Group.MARK),
    Command(id="mark.act", title="Bulk", keys=("b",), group=Group.MARK, when=_marks),
    Command(
        id="mark.logs",
        title="Logs of marked, together",
        brief="logs together",
        keys=("M",),
        group=Group.MARK,
        when=_marks,
    ),
    Command(id="copy.text", title="Copy", keys=("c",), group=Group.COPY, when=_box),
    Command(
        id="copy.command",
        title="Copy as command",
        keys=("C",),
        group=Group.COPY,
        when=_box,
    ),
    Command(id="view.save", title="Save view", keys=("ctrl+s",), group=Group.COPY, when=_saved),
    Command(id="program.palette", title="Palette", keys=(":", "ctrl+p"), group=Group.PROGRAM),
    Command(id="program.actions", title="Actions", keys=("x",), group=Group.PROGRAM, when=_box),
    Command(id="program.keys", title="Keys", keys=("?",), group=Group.PROGRAM),
    Command(id="program.log", title="Command log", keys=("L",), group=Group.PROGRAM),
    Command(id="program.theme", title="Next theme", keys=("T",), group=Group.PROGRAM),
    Command(id="program.suspend", title="Suspend", keys=("ctrl+z",), group=Group.PROGRAM),
    Command(id="program.home", title="Dashboard", keys=("ctrl+q",), group=Group.PROGRAM),
    Command(id="program.quit", title="Quit", keys=("q",), group=Group.PROGRAM),
)

_BY_ID = {entry.id: entry for entry in COMMANDS}


def command(command_id: str) -> Command:
    """The command of that id. Raises `KeyError`."""
    return _BY_ID[command_id]


def answering(sharing: Iterable[Command], now: Situation) -> Command | None:
    """Which of the commands that share a key answers to it now.

    The first that is possible; else one that can say why it is not, best one of the right kind.
    """
    here = [entry for entry in sharing if now.half in entry.halves and _is_near(entry, now)]
    here.sort(key=lambda entry: not entry.in_cells)
    possible = (entry for entry in here if not entry.impossible(now))
    fitting = (entry for entry in here if _is_of_its_kind(entry, now.box))
    return next(possible, None) or next(fitting, None) or next(iter(here), None)


def asks(entry: Command) -> bool:
    """Whether it is confirmed before it is done."""
    return entry.verb is not None and entry.verb.confirm is Confirm.ASK


def _is_near(entry: Command, now: Situation) -> bool:
    return now.cells is not None or not entry.in_cells


def _is_of_its_kind(entry: Command, box: Sandbox | None) -> bool:
    return entry.verb is None or box is None or box.ref.kind in entry.verb.kinds
