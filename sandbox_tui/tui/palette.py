"""One engine behind the palette, the actions of one sandbox and the key list.

It only knows entries: what can be done now, in words, and which of them a typed text means.
An entry whose title ends in `…` takes words: `run cell in analysis: 1 + 1` runs that at once,
without words its input line is opened.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
from textual.fuzzy import FuzzySearch

from sandbox_tui.hub.registry import Verb, possible
from sandbox_tui.model.actions import Action, Pull, Push, Run, Send, Snapshot
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.model.world import Sandbox, World
from sandbox_tui.tui.commands import COMMANDS, Command, Group
from sandbox_tui.tui.keys import Keymap
from sandbox_tui.tui.situation import Situation

ELLIPSIS = "…"
SHOWN = 200
"""How many matches are worth showing."""

_ON_ONE = {"sandbox.new", "view.open", "tab.logs", "tab.inspect"}
_NEVER = {"program.palette", "view.back", "program.home"}


class Choice(msgspec.Struct, frozen=True):
    """What to do: a command, the sandbox it is for, and words for it."""

    command: str
    ref: Ref | None = None
    words: str = ""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a palette."""

    title: str
    choice: Choice
    keys: str = ""
    group: str = ""
    why_not: str = ""
    """Why it cannot be done now; empty when it can."""

    @property
    def takes_words(self) -> bool:
        """Whether words after a colon belong to it."""
        return self.title.endswith(ELLIPSIS)


class Match(msgspec.Struct, frozen=True):
    """An entry that a text means, and which letters of its title say so."""

    entry: Entry
    positions: tuple[int, ...] = ()


def palette(
    world: World, now: Situation, keymap: Keymap, themes: Iterable[str]
) -> tuple[Entry, ...]:
    """Everything that is possible now, for every sandbox; the selected one first."""
    names = Names(world)
    boxes = sorted(world.sandboxes, key=lambda box: now.box is None or box.ref != now.box.ref)
    return (
        *(entry for box in boxes for entry in _of(box, names, keymap)),
        *_program(now, keymap),
        *(Entry(title=f"theme {it}", choice=Choice("program.theme", None, it)) for it in themes),
    )


def actions(box: Sandbox, now: Situation, keymap: Keymap) -> tuple[Entry, ...]:
    """What one sandbox allows, and what it does not with the reason."""
    here = (entry for entry in COMMANDS if entry.group is Group.ACT and entry.halves)
    entries = [_listed(entry, now, keymap, box.ref) for entry in here if entry.id != "sandbox.new"]
    others = ("not for a", "only a room")
    return tuple(entry for entry in entries if not entry.why_not.startswith(others))


def key_list(now: Situation, keymap: Keymap) -> tuple[Entry, ...]:
    """Every command with its keys, possible or not, under headings."""
    ref = now.box.ref if now.box else None
    return tuple(
        _listed(entry, now, keymap, ref) for group in Group for entry in COMMANDS
        if entry.group is group
    )  # fmt: skip


def ranked(entries: Sequence[Entry], typed: str, recent: Sequence[Choice]) -> list[Match]:
    """What `typed` means, best first; among equals what was chosen most recently."""
    ages = {choice: age for age, choice in enumerate(recent)}
    newest_first = sorted(entries, key=lambda entry: ages.get(entry.choice, len(ages)))
    text = typed.strip()
    if not text:
        return [Match(entry) for entry in newest_first[:SHOWN]]
    found = [
        (score, Match(entry, tuple(positions)))
        for entry in newest_first
        for score, positions in [_score(entry, text)]
        if score
    ]
    found.sort(key=lambda pair: -pair[0])
    return [match for _, match in found[:SHOWN]]


def chosen(entry: Entry, typed: str) -> Choice:
    """The entry's choice, with the words that were typed after its colon."""
    words = typed.partition(": ")[2].strip()
    if not (entry.takes_words and words):
        return entry.choice
    return Choice(entry.choice.command, entry.choice.ref, words)


class Names:
    """Bare names where they are unambiguous, full ones where they are not."""

    def __init__(self, world: World) -> None:
        self._count: dict[str, int] = {}
        for box in world.sandboxes:
            self._count[box.ref.name] = self._count.get(box.ref.name, 0) + 1

    def of(self, ref: Ref) -> str:
        """What to call it."""
        return ref.name if self._count.get(ref.name) == 1 else str(ref)


_SEARCH = FuzzySearch()


def _score(entry: Entry, text: str) -> tuple[float, Sequence[int]]:
    head = text.partition(": ")[0] if entry.takes_words else text
    title, wanted = entry.title.lower(), head.lower()
    if not _has_in_order(title, wanted):
        return 0.0, ()
    at = title.find(wanted)
    if at >= 0:
        begins = at == 0 or title[at - 1] == " "
        return 100.0 + 50.0 * begins + 100.0 * (at == 0), range(at, at + len(wanted))
    return _SEARCH.match(wanted, title)


def _has_in_order(title: str, wanted: str) -> bool:
    """Whether every letter is there in order: cheap, and true of every fuzzy match."""
    letters = iter(title)
    return all(letter in letters for letter in wanted if letter != " ")


def _of(box: Sandbox, names: Names, keymap: Keymap) -> Iterator[Entry]:
    name = names.of(box.ref)
    for verb in possible(box):
        choice = Choice(verb.id, box.ref)
        yield Entry(title=_sentence(verb, box, name), choice=choice, keys=keymap.label(verb.id))
    opening = "open room" if box.ref.kind is Kind.ROOM else "open"
    looks = ((opening, "view.open"), ("logs", "tab.logs"), ("inspect", "tab.inspect"))
    for words, command_id in looks:
        choice = Choice(command_id, box.ref)
        yield Entry(title=f"{words} {name}", choice=choice, keys=keymap.label(command_id))


_TYPED: Mapping[type[Action], str] = {
    Send: "send to {}",
    Push: "push to {}",
    Pull: "pull from {}",
    Snapshot: "snapshot of {}",
}


def _sentence(verb: Verb, box: Sandbox, name: str) -> str:
    if verb.action is Run:
        what = "run cell in" if box.ref.kind is Kind.ROOM else "run in"
        return f"{what} {name}: {ELLIPSIS}"
    if (sentence := _TYPED.get(verb.action)) is not None:
        return f"{sentence.format(name)}: {ELLIPSIS}"
    return f"{verb.title.lower()} {name}"


def _program(now: Situation, keymap: Keymap) -> Iterator[Entry]:
    for entry in COMMANDS:
        about_one = entry.verb is not None or entry.group is Group.MOVE or entry.id in _ON_ONE
        if entry.id == "sandbox.new":
            yield from _new(keymap)
        elif not about_one and entry.id not in _NEVER and not entry.impossible(now):
            yield _listed(entry, now, keymap, now.box.ref if now.box else None)


def _new(keymap: Keymap) -> Iterator[Entry]:
    keys = keymap.label("sandbox.new")
    for kind, words in ((Kind.TMUX, "session"), (Kind.CONTAINER, "container"), (Kind.ROOM, "room")):
        yield Entry(title=f"new {words}", choice=Choice("sandbox.new", None, kind), keys=keys)


def _listed(entry: Command, now: Situation, keymap: Keymap, ref: Ref | None) -> Entry:
    return Entry(
        title=entry.title,
        choice=Choice(entry.id, ref),
        keys=keymap.labels(entry.id),
        group=entry.group.value,
        why_not=keymap.spell(entry.impossible(now)),
    )
