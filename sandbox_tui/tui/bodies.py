"""What a tab shows of a sandbox, or why there is nothing to show."""

from __future__ import annotations

from sandbox_tui.model.refs import Kind
from sandbox_tui.model.world import RoomFacts, Sandbox, State
from sandbox_tui.tui.keys import Keymap
from sandbox_tui.tui.situation import Body, Tab
from sandbox_tui.tui.watching import Feed, View

_OF_TAB = {
    Tab.LOGS: Body.LOG,
    Tab.STATS: Body.STATS,
    Tab.INSPECT: Body.FACTS,
    Tab.NOTEBOOK: Body.NOTEBOOK,
    Tab.EVENTS: Body.EVENTS,
}
_FEEDS = {Body.LOG: View.LOG, Body.NOTEBOOK: View.NOTEBOOK, Body.FACTS: View.INSPECT}


def body_of(box: Sandbox | None, tab: Tab) -> Body:
    """What that tab shows of that sandbox now."""
    if box is None:
        return Body.WORDS
    if tab in (Tab.INSPECT, Tab.EVENTS):
        return _OF_TAB[tab]
    if box.state is State.DEFINED or (tab is Tab.STATS and not box.state.is_live):
        return Body.WORDS
    if tab is Tab.NOTEBOOK and is_foreign(box):
        return Body.WORDS
    return _live(box) if tab is Tab.LIVE else _OF_TAB[tab]


def feed_of(box: Sandbox | None, body: Body) -> Feed | None:
    """What must be fetched for it, screens and measurements apart."""
    view = _FEEDS.get(body)
    return Feed(view, box.ref) if view is not None and box is not None else None


def words(box: Sandbox | None, tab: Tab, keymap: Keymap) -> str:
    """What to say in place of a view."""
    if box is None:
        return ""
    name, start = box.ref.name, keymap.spell("{sandbox.start}  start it")
    if box.state is State.DEFINED:
        return f"{name} is defined in the configuration and not running\n{start}"
    if tab is Tab.NOTEBOOK:
        return f"{name} was started by another program: it has a kernel, but no cells here"
    return f"{name} {box.state.sentence}: there is nothing to measure\n{start}"


def nothing(filter_text: str, asking: bool, keymap: Keymap) -> str:
    """What to say when no sandbox is selected: there is none to select, or none is known yet."""
    if filter_text:
        return keymap.spell(f"nothing fits the filter {filter_text!r}\n{{view.back}}  clear it")
    return "asking every backend …" if asking else keymap.spell(_WELCOME)


_WELCOME = """\
Nothing runs here yet.

{sandbox.new}  new session, container or room
{program.palette}  everything that can be done now
{program.keys}  every key

sandbox-tui demo     this dashboard over a machine that is made up
sandbox-tui doctor   what is missing, and the command that mends it"""


def is_foreign(box: Sandbox) -> bool:
    """Whether it is a kernel that another program owns."""
    return isinstance(box.facts, RoomFacts) and box.facts.foreign


def _live(box: Sandbox) -> Body:
    if box.ref.kind is Kind.TMUX:
        return Body.SCREEN
    return Body.NOTEBOOK if box.ref.kind is Kind.ROOM and not is_foreign(box) else Body.LOG
