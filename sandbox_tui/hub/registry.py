"""Every verb once: its action, its key, its words, and when it is possible.

The command line, the palette, the footer and the key bindings are all made from this table, so
they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from sandbox_tui.hub.terms import terms_of
from sandbox_tui.model import actions
from sandbox_tui.model.refs import Kind
from sandbox_tui.model.world import RoomFacts, Sandbox, State

ALL = frozenset(Kind)
LIVE = frozenset({State.STARTING, State.RUNNING, State.IDLE, State.BUSY})
HELD = LIVE | {State.PAUSED}
ENDED = frozenset({State.STOPPED, State.EXITED, State.FAILED})
THERE = HELD | ENDED | {State.UNKNOWN}


NOUNS = {Kind.TMUX: "tmux session", Kind.CONTAINER: "container", Kind.ROOM: "room"}
RUNNING = "what runs in it now"


class Confirm(StrEnum):
    """When a verb asks before it acts."""

    NEVER = "never"
    ASK = "ask"


class Verb(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that can be done to a sandbox."""

    id: str
    """Stable name for key maps: `sandbox.stop`."""
    action: type[actions.Action]
    title: str
    """As the footer, palette and help show it."""
    command: str
    """The command line's verb."""
    keys: tuple[str, ...] = ()
    kinds: frozenset[Kind] = ALL
    states: frozenset[State] = THERE
    confirm: Confirm = Confirm.NEVER
    loses: str = ""
    """What is lost, for the confirmation."""
    foreign: bool = False
    """Whether it may be done to what another program owns."""

    def lost(self, box: Sandbox) -> str:
        """What is lost when it is done to `box`; empty when nothing is."""
        parts = [] if self.loses == RUNNING and box.state in ENDED else [self.loses]
        if self.action is actions.Stop and is_made_anew(box):
            parts.append("the container with its files and its log")
        return ", and ".join(filter(None, parts))

    def impossible(self, box: Sandbox) -> str:
        """Why it cannot be done to `box` now; empty when it can."""
        if box.ref.kind not in self.kinds:
            return f"not for a {NOUNS[box.ref.kind]}"
        if box.stale_since is not None:
            return "its backend does not answer"
        if isinstance(box.facts, RoomFacts) and box.facts.foreign and not self.foreign:
            return "started by another program"
        if box.state not in self.states:
            return f"it {box.state.sentence}"
        return ""


def is_made_anew(box: Sandbox) -> bool:
    """Whether stopping leaves no more than its definition, which makes another one at the start.

    A container that was to persist stays, with its files and its log.
    """
    is_container = box.ref.kind is Kind.CONTAINER
    is_ours = box.managed and box.defined and bool(box.made_from)
    return is_container and is_ours and not terms_of(box).persist


TMUX = frozenset({Kind.TMUX})
CONTAINER = frozenset({Kind.CONTAINER})
ROOM = frozenset({Kind.ROOM})

VERBS: tuple[Verb, ...] = (
    Verb(
        id="sandbox.attach",
        action=actions.Attach,
        title="Attach",
        command="attach",
        keys=("a", "o"),
        states=HELD | {State.EXITED},
        foreign=True,
    ),
    Verb(
        id="sandbox.shell",
        action=actions.Shell,
        title="Shell",
        command="shell",
        keys=("e",),
        kinds=CONTAINER,
        states=LIVE,
    ),
    Verb(
        id="sandbox.send",
        action=actions.Send,
        title="Send",
        command="send",
        keys=("s",),
        kinds=TMUX,
        states=LIVE,
    ),
    Verb(
        id="sandbox.run",
        action=actions.Run,
        title="Run",
        command="run",
        keys=("s",),
        kinds=CONTAINER | ROOM,
        states=LIVE,
        foreign=True,
    ),
    Verb(
        id="sandbox.start",
        action=actions.Start,
        title="Start",
        command="start",
        keys=("u",),
        states=ENDED | {State.DEFINED},
    ),
    Verb(
        id="sandbox.restart",
        action=actions.Restart,
        title="Restart",
        command="restart",
        keys=("r",),
        states=HELD | ENDED,
        confirm=Confirm.ASK,
        loses=RUNNING,
    ),
    Verb(
        id="sandbox.pause",
        action=actions.Pause,
        title="Pause",
        command="pause",
        keys=("p",),
        kinds=CONTAINER,
        states=LIVE,
    ),
    Verb(
        id="sandbox.resume",
        action=actions.Resume,
        title="Resume",
        command="resume",
        keys=("p",),
        kinds=CONTAINER,
        states=frozenset({State.PAUSED}),
    ),
    Verb(
        id="sandbox.interrupt",
        action=actions.Interrupt,
        title="Interrupt",
        command="interrupt",
        keys=("I",),
        states=LIVE,
        foreign=True,
    ),
    Verb(
        id="sandbox.push",
        action=actions.Push,
        title="Push",
        command="push",
        keys=(">",),
        kinds=CONTAINER,
        states=HELD | ENDED,
    ),
    Verb(
        id="sandbox.pull",
        action=actions.Pull,
        title="Pull",
        command="pull",
        keys=("<",),
        kinds=CONTAINER,
        states=HELD | ENDED,
    ),
    Verb(
        id="sandbox.snapshot",
        action=actions.Snapshot,
        title="Snapshot",
        command="snapshot",
        keys=("=",),
        kinds=CONTAINER,
        states=HELD | ENDED,
    ),
    Verb(
        id="sandbox.stop",
        action=actions.Stop,
        title="Stop",
        command="stop",
        keys=("S",),
        states=HELD | {State.EXITED, State.FAILED, State.UNKNOWN},
        confirm=Confirm.ASK,
        loses=RUNNING,
    ),
    Verb(
        id="sandbox.remove",
        action=actions.Remove,
        title="Remove",
        command="rm",
        keys=("D",),
        confirm=Confirm.ASK,
        loses="the sandbox and everything it kept",
    ),
)

_BY_ID = {verb.id: verb for verb in VERBS}
_BY_COMMAND = {verb.command: verb for verb in VERBS}


def verb(verb_id: str) -> Verb:
    """The verb of that id, as `sandbox.stop`."""
    return _BY_ID[verb_id]


def verb_of_command(command: str) -> Verb | None:
    """The verb that the command line calls so."""
    return _BY_COMMAND.get(command)


def possible(box: Sandbox) -> Iterable[Verb]:
    """What can be done to `box` now, in the order of the table."""
    return (entry for entry in VERBS if not entry.impossible(box))
