"""What the keys do that acts: on the sandbox that was selected when the key went down.

A `Ref` is taken once, at the key press, and carried through the question, the input line and the
action; whatever the list does meanwhile changes nothing about whom it is for.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sandbox_tui.hub.registry import Verb
from sandbox_tui.model.actions import (
    Action,
    Attach,
    Attachment,
    Pull,
    Push,
    Restart,
    Run,
    Send,
    Snapshot,
    Start,
)
from sandbox_tui.model.errors import SandboxError, UsageError
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.model.world import Sandbox
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.tui import messages
from sandbox_tui.tui.asking import action_for, is_same, question
from sandbox_tui.tui.bodies import is_foreign
from sandbox_tui.tui.bulk import Bulk
from sandbox_tui.tui.chrome.input_purposes import Purpose, Typing
from sandbox_tui.tui.command_line import command_line
from sandbox_tui.tui.commands import asks, command
from sandbox_tui.tui.copying import PURPOSES, copy_of
from sandbox_tui.tui.desk import Notice
from sandbox_tui.tui.history import Event
from sandbox_tui.tui.situation import Tab

if TYPE_CHECKING:
    from sandbox_tui.tui.screens.dashboard import Dashboard


_PREPOSITIONS: Mapping[type[Action], str] = {
    Send: "to",
    Run: "in",
    Push: "to",
    Pull: "from",
    Snapshot: "of",
}
"""The actions that words are typed for, and how their line says for which sandbox."""


_TOLD: Mapping[type[Action], str] = {Send: "sent to", Run: "it runs in"}
"""What is told of what cannot be seen, because another sandbox is looked at."""


class Acting:
    """Acts for the dashboard that it is given."""

    def __init__(self, dashboard: Dashboard) -> None:
        self._on = dashboard
        self._bulks: list[Bulk] = []

    def do(self, command_id: str, box: Sandbox, words: str = "") -> None:
        """Do a verb for that sandbox; it is possible."""
        verb = command(command_id).verb
        if verb is None:
            self.perform(Restart(ref=box.ref))
        elif verb.action in _PREPOSITIONS and not words:
            self._ask_words(verb, box)
        elif asks(command(command_id)):
            self._ask(verb, [box])
        else:
            self._act(verb, box, words)

    def bulk(self, boxes: Sequence[Sandbox], verb: Verb) -> None:
        """Do a verb for several: those that cannot are left out, and the rest is asked once."""
        able = [box for box in boxes if not verb.impossible(box)]
        if able:
            self._ask(verb, able)

    def say(self, ref: Ref, purpose: Purpose, words: str) -> None:
        """Send or run what was typed for that sandbox."""
        if not words:
            return
        box = self._on.desk.box(ref)
        if purpose in PURPOSES.values():
            self._copy(ref, purpose, words)
        elif purpose is Purpose.SEND:
            self.perform(Send(ref=ref, text=words))
        elif box is not None and ref.kind is Kind.ROOM and not is_foreign(box):
            self._on.bridge.run_cell(ref, words)
        else:
            self.perform(Run(ref=ref, code=words))

    def perform(self, action: Action) -> None:
        """Hand it to the Api; what comes of it arrives as a message."""
        self._on.bridge.perform(action)

    # What came of it.

    def done(self, message: messages.Performed) -> None:
        """Log it, and go on with its answer."""
        action, answer = message.action, message.answer
        done = "done" if message.seconds < 0.1 else f"done in {message.seconds:.1f} s"
        self._log(action, "begun" if isinstance(answer, Execution) else done)
        self._is_of_bulk(action)
        if isinstance(action, Run | Send) and action.ref != self._on.selected:
            self._on.tell(Notice(f"{_TOLD[type(action)]} {action.ref.name}"))
        if isinstance(answer, Attachment):
            self._attach(answer)
        elif isinstance(action, Run):
            self._on.show_tab(action.ref, Tab.LIVE)
        elif isinstance(action, Start) and isinstance(answer, Ref):
            self._on.select_when_there(answer)
        elif type(action) in PURPOSES:
            self._on.tell(Notice(f"{type(action).__name__.lower()}: made {answer}"))

    def failed(self, message: messages.Failed) -> None:
        """Log it, and say why."""
        error = message.error
        self._log(message.action, error.message, ok=False)
        if self._is_of_bulk(message.action, error.message):
            return
        text = f"{error.message}\n{error.hint}" if error.hint else error.message
        self._on.tell(Notice(text, "error", type(message.action).__name__))

    def ended(self, message: messages.RunEnded) -> None:
        """Log how code ended, and tell it where that is not seen."""
        if message.ref != self._on.selected:
            how = "information" if message.ok else "warning"
            self._on.tell(Notice(f"{message.ref.name}: {message.summary}", how))
        event = Event(at=time.time(), ref=message.ref, what=message.summary, ok=message.ok)
        self._on.desk.chronicle.add(event)

    # How it is asked.

    def _ask_words(self, verb: Verb, box: Sandbox) -> None:
        label = " ".join((verb.title.lower(), _PREPOSITIONS[verb.action], box.ref.name))
        is_code = box.ref.kind is Kind.ROOM
        self._on.type_into(Typing(_purpose(verb), label, ref=box.ref, blocks=is_code))

    def _ask(self, verb: Verb, boxes: Sequence[Sandbox]) -> None:
        from sandbox_tui.tui.screens.confirm import Confirm

        def decided(agreed: bool | None) -> None:
            if agreed:
                self._act_on(verb, boxes)

        self._on.program.ask(Confirm(question(verb, boxes)), decided)

    def _act(self, verb: Verb, box: Sandbox, words: str = "") -> None:
        if words:
            self.say(box.ref, _purpose(verb), words)
        else:
            self.perform(action_for(verb, box))

    def _act_on(self, verb: Verb, asked: Sequence[Sandbox]) -> None:
        """Act on what was asked about, never on what has its name by now."""
        actions: list[Action] = []
        refused: list[str] = []
        for one in asked:
            box = self._on.desk.box(one.ref)
            if why := _changed(one, box) or (box and verb.impossible(box)):
                refused.append(f"{one.ref} {why}")
                self._note(one.ref, f"{verb.title.lower()}: {why}")
            elif box is not None:
                actions.append(action_for(verb, box))
        if len(asked) > 1:
            self._bulks.append(Bulk(verb.title, actions, refused))
            self._tell_bulks()
        elif refused:
            self._on.tell(Notice(f"{verb.title}: {refused[0]}", "warning"))
        for action in actions:
            self.perform(action)

    def _is_of_bulk(self, action: Action, reason: str = "") -> bool:
        """Whether it was one of several; why it failed is told with the others then."""
        is_of_one = any(bulk.takes(action, reason) for bulk in self._bulks)
        self._tell_bulks()
        return is_of_one

    def _tell_bulks(self) -> None:
        """Tell what failed of those that are over."""
        over = [bulk for bulk in self._bulks if bulk.is_over]
        self._bulks = [bulk for bulk in self._bulks if not bulk.is_over]
        for notice in filter(None, (bulk.notice for bulk in over)):
            self._on.tell(notice)

    def _copy(self, ref: Ref, purpose: Purpose, words: str) -> None:
        try:
            self.perform(copy_of(ref, purpose, words))
        except UsageError as error:
            self._on.tell(Notice(f"{error.message}\n{error.hint}", "warning"))

    # What happens then.

    def _attach(self, attachment: Attachment) -> None:
        from sandbox_tui.tui.attach import attach

        try:
            what = attach(self._on.program, attachment)
        except SandboxError as error:
            self.failed(messages.Failed(Attach(ref=attachment.ref), error))
        else:
            self._on.desk.chronicle.add(Event(at=time.time(), ref=attachment.ref, what=what))
            self._on.tell(Notice(what))

    def _note(self, ref: Ref, what: str) -> None:
        self._on.desk.chronicle.add(Event(at=time.time(), ref=ref, what=what, ok=False))

    def _log(self, action: Action, what: str, *, ok: bool = True) -> None:
        ref = _ref(action)
        title = _WORDS.sub(" ", type(action).__name__).lower()
        line = command_line(action)
        self._on.desk.chronicle.add(
            Event(at=time.time(), ref=ref, what=f"{title}: {what}", command=line, ok=ok)
        )
        if ref == self._on.selected and self._on.viewer.tab is Tab.EVENTS:
            self._on.refresh_view()


def _changed(asked: Sandbox, box: Sandbox | None) -> str:
    """Why it must not be acted on: it is not what was asked about."""
    if box is None:
        return "is gone"
    return "" if is_same(asked, box) else "is another one by now"


_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")


def _purpose(verb: Verb) -> Purpose:
    """What a line is for that is typed before the verb is done."""
    usual = Purpose.SEND if verb.action is Send else Purpose.RUN
    return PURPOSES.get(verb.action, usual)


def _ref(action: Action) -> Ref | None:
    """The sandbox that an action is about, when it names one in full."""
    if isinstance(action, Start):
        return Ref(action.name) if action.name.partition(":")[0] in set(Kind) else None
    name: object = getattr(action, "ref", None)
    return name if isinstance(name, Ref) else None
