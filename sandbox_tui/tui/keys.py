"""Which key does what: a preset, the user's own keys over it, and no two commands on one key."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from time import monotonic
from typing import NamedTuple

from textual.keys import Keys

from sandbox_tui.model.errors import ConfigError, nearest
from sandbox_tui.tui.commands import COMMANDS, Command, answering
from sandbox_tui.tui.presets import PRESETS
from sandbox_tui.tui.situation import Situation

PATH = "ui.keymap"
"""Where in the configuration the user's own keys stand."""

_SHOWN = {
    "enter": "⏎",
    "escape": "esc",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "shift+tab": "⇧tab",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "comma": ",",
}
_NAMED = frozenset(key.value for key in Keys) | frozenset(_SHOWN)
_COMMAND = re.compile(r"\{([a-z_.]+)\}")
_MODIFIERS = ("ctrl+", "shift+", "alt+", "super+", "meta+", "hyper+")


class Stroke(NamedTuple):
    """One key, pressed once or twice in a row."""

    key: str
    twice: bool = False

    @classmethod
    def parse(cls, text: str, command_id: str) -> Stroke:
        """Read `S`, `ctrl+s` or `I I`. Raises `ConfigError` for what no terminal sends."""
        first, *more = text.split()
        if not _is_key(first) or more not in ([], [first]):
            hint = "Write one key as a, ctrl+s or f5, or the same key twice as I I."
            raise ConfigError(PATH, f"{command_id}: {text!r} is not a key", hint=hint)
        return cls(first, bool(more))

    @property
    def label(self) -> str:
        """As the footer shows it: `^s`, `⏎`, `II`."""
        label = _SHOWN.get(self.key, self.key)
        for long, short in (("ctrl+", "^"), ("shift+", "⇧"), ("alt+", "⌥")):
            label = label.replace(long, short)
        return label * 2 if self.twice else label


class Keymap:
    """The strokes of every command, without a clash."""

    def __init__(self, keys: Mapping[str, Sequence[str]]) -> None:
        self._strokes = {
            entry.id: tuple(Stroke.parse(text, entry.id) for text in keys[entry.id])
            for entry in COMMANDS
        }
        self._sharing: dict[str, list[Command]] = {}
        for entry in COMMANDS:
            for stroke in self._strokes[entry.id]:
                self._sharing.setdefault(stroke.key, []).append(entry)
        for key, sharing in self._sharing.items():
            _refuse_clash(key, sharing)

    def bound(self) -> Iterator[tuple[str, Command]]:
        """Every key with each command on it."""
        for key, sharing in self._sharing.items():
            for entry in sharing:
                yield key, entry

    def strokes(self, command_id: str) -> tuple[Stroke, ...]:
        """What to press for a command; empty when only the palette has it."""
        return self._strokes[command_id]

    def label(self, command_id: str) -> str:
        """Its first stroke, for the footer; empty when it has none."""
        return next((stroke.label for stroke in self._strokes[command_id]), "")

    def labels(self, command_id: str) -> str:
        """All its strokes, for the key list."""
        return " ".join(stroke.label for stroke in self._strokes[command_id])

    def spell(self, text: str) -> str:
        """The text with keys in place of commands: `{view.search} finds`."""
        return _COMMAND.sub(lambda found: self._spelt(found[1], found[0]), text)

    def is_twice(self, command_id: str, key: str) -> bool:
        """Whether the command wants that key pressed twice."""
        return Stroke(key, True) in self._strokes[command_id]

    def _spelt(self, command_id: str, otherwise: str) -> str:
        if command_id not in self._strokes:
            return otherwise
        return self.label(command_id) or self.label("program.palette") or "the palette"

    def answers(self, command_id: str, key: str, now: Situation) -> bool:
        """Whether, of the commands on `key`, this is the one that answers now."""
        found = answering(self._sharing.get(key, ()), now)
        return found is not None and found.id == command_id


class Twice:
    """Tells the second of two presses of one key from the first."""

    WINDOW = 1.5
    """Seconds between the two at most."""

    def __init__(self) -> None:
        self._key = ""
        self._until = 0.0

    def is_second(self, key: str) -> bool:
        """Whether this press completes a pair; else it may begin one."""
        now = monotonic()
        second = key == self._key and now < self._until
        self._key, self._until = key, now + self.WINDOW
        return second

    def forget(self) -> None:
        """Another key came between, or the pair is complete."""
        self._key = ""


def keymap(preset: str = "default", own: Mapping[str, Sequence[str]] | None = None) -> Keymap:
    """A preset with the user's own keys over it.

    Raises `ConfigError` that names an unknown preset, an unknown command, something that is no
    key, or the two commands that want the same key.
    """
    if preset not in PRESETS:
        hint = f"Use one of: {', '.join(PRESETS)}."
        raise ConfigError("ui.preset", f"no preset is called {preset!r}", hint=hint)
    known = [entry.id for entry in COMMANDS]
    for command_id in own or {}:
        if command_id not in known:
            near = ", ".join(nearest(command_id, known))
            hint = f"Did you mean {near}?" if near else "Press ? for every command."
            raise ConfigError(PATH, f"no command is called {command_id!r}", hint=hint)
    defaults = {entry.id: entry.keys for entry in COMMANDS}
    return Keymap({**defaults, **PRESETS[preset], **(own or {})})


def _is_key(text: str) -> bool:
    for modifier in _MODIFIERS:
        text = text.removeprefix(modifier)
    return len(text) == 1 or text in _NAMED


def _refuse_clash(key: str, sharing: Sequence[Command]) -> None:
    for one, other in combinations(sharing, 2):
        if not one.excludes(other):
            raise ConfigError(
                PATH,
                f"key {key!r} is wanted by {one.id} and {other.id}",
                hint=f"Give {one.id} or {other.id} another key.",
            )
