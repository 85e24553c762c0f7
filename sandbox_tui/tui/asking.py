"""From a verb and a sandbox to the Action, and to the words that ask whether it is meant."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from sandbox_tui.hub.registry import Verb
from sandbox_tui.model.actions import (
    Action,
    Attach,
    Interrupt,
    Pause,
    Remove,
    Restart,
    Resume,
    Run,
    Send,
    Shell,
    Start,
    Stop,
)
from sandbox_tui.model.world import ContainerFacts, RoomFacts, Sandbox, TmuxFacts

_PLAIN: tuple[type[Attach | Interrupt | Pause | Restart | Resume | Shell | Stop], ...] = (
    Attach,
    Interrupt,
    Pause,
    Restart,
    Resume,
    Shell,
    Stop,
)


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What a person is asked before something is lost."""

    title: str
    verb: str
    """What the key to agree does, as `stop it`."""
    subjects: tuple[str, ...]
    """Each sandbox by name, kind and id."""
    loses: str = ""


def action_for(verb: Verb, box: Sandbox, words: str = "") -> Action:
    """The action that the verb means for this very sandbox."""
    if verb.action is Start:
        return Start(name=box.ref)
    if verb.action is Remove:
        return Remove(ref=box.ref, force=box.state.is_live)
    if verb.action is Send:
        return Send(ref=box.ref, text=words)
    if verb.action is Run:
        return Run(ref=box.ref, code=words)
    plain = next(kind for kind in _PLAIN if kind is verb.action)
    return plain(ref=box.ref)


def question(verb: Verb, boxes: Sequence[Sandbox]) -> Question:
    """What to ask before the verb is done to these."""
    [first, *more] = boxes
    what = f"{len(boxes)} sandboxes" if more else first.ref.name
    losses = (verb.lost(box) for box in boxes)
    lost = list(dict.fromkeys(loss for loss in losses if loss))
    if verb.action is Remove and any(box.state.is_live for box in boxes):
        lost.append("it runs now and is ended first" if not more else "those that run end first")
    return Question(
        title=f"{verb.title} {what}?",
        verb=f"{verb.title.lower()} {'all of them' if more else 'it'}",
        subjects=tuple(identity(box) for box in boxes),
        loses=" · ".join(lost),
    )


def identity(box: Sandbox) -> str:
    """A sandbox so that it cannot be taken for another: full name, state, id."""
    return " · ".join(filter(None, (box.ref, box.state.value, _id(box), _what(box))))


def is_same(before: Sandbox, now: Sandbox) -> bool:
    """Whether that is still the thing that was asked about, not just one of the same name."""
    return _id(before) == _id(now)


def _id(box: Sandbox) -> str:
    match box.facts:
        case TmuxFacts(session_id=session):
            return session and f"session {session}"
        case ContainerFacts(container_id=full):
            return full and f"id {full[:12]}"
        case RoomFacts():
            return f"pid {box.pid}" if box.pid else ""


def _what(box: Sandbox) -> str:
    match box.facts:
        case TmuxFacts(command=command):
            return command
        case ContainerFacts(image=image):
            return image
        case RoomFacts(kernel=kernel, cells=cells):
            return f"{kernel}, {cells} cells" if cells else kernel
