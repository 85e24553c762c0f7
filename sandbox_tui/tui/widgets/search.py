"""Finding and filtering lines by what is readable in them."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from enum import IntEnum

from sandbox_tui.tui.widgets.ansi import plain

_LEVEL = re.compile(
    r"\b(?:(TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERR(?:OR)?|CRIT(?:ICAL)?|ALERT|EMERG|FATAL|PANIC)"
    r"|(?i:(?:level|lvl|severity)[\"']?\s*[=:]\s*[\"']?([a-z]+)))\b"
)
_WANTED_LEVEL = re.compile(r"(?:^|\s)level:(\w*)")
_SEARCHED = 200
"""Characters from the start of a line in which its level may stand."""


class Level(IntEnum):
    """How grave a log line is."""

    NONE = 0
    DEBUG = 1
    INFO = 2
    WARNING = 3
    ERROR = 4


_LEVELS = {
    "T": Level.DEBUG,
    "D": Level.DEBUG,
    "I": Level.INFO,
    "N": Level.INFO,
    "W": Level.WARNING,
    "E": Level.ERROR,
    "C": Level.ERROR,
    "A": Level.ERROR,
    "F": Level.ERROR,
    "P": Level.ERROR,
}
"""By the first letter of the word, which is all that programs agree on."""


def level_of(text: str) -> tuple[Level, tuple[int, int]]:
    """The level that a readable line names, and where the word stands; `NONE` when it does not."""
    found = _LEVEL.search(text, 0, _SEARCHED)
    if found is None:
        return Level.NONE, (0, 0)
    group = 1 if found[1] else 2
    return _LEVELS.get(found[group][0].upper(), Level.NONE), found.span(group)


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """A regular expression, or the text itself when it is none.

    Small letters match both cases; one capital makes it exact.
    """
    flags = re.IGNORECASE if pattern == pattern.lower() else re.NOFLAG
    try:
        return re.compile(pattern, flags)
    except (re.error, OverflowError, RecursionError):
        return re.compile(re.escape(pattern), flags)


class Filter:
    """Which lines are shown. A line that names no level has the level of the line before it."""

    def __init__(
        self, pattern: str = "", *, inverse: bool = False, level: Level = Level.NONE
    ) -> None:
        self._regex = compile_pattern(pattern) if pattern else None
        self._inverse = inverse
        self._level = level
        self._last = Level.NONE

    @classmethod
    def parse(cls, text: str) -> Filter | None:
        """What a person means: `timeout`, `-healthz` without those, `level:warn` and graver."""
        found = _WANTED_LEVEL.search(text)
        level = _LEVELS.get(found[1][:1].upper(), Level.NONE) if found else Level.NONE
        pattern = _WANTED_LEVEL.sub("", text).strip()
        inverse = pattern.startswith("-")
        pattern = pattern.removeprefix("-")
        return cls(pattern, inverse=inverse, level=level) if pattern or level else None

    def accepts(self, text: str, *, is_whole: bool = True) -> bool:
        """Whether a line, as it came, is shown. To be asked in the order of the lines.

        A line that is not whole yet says nothing about the level of those after it.
        """
        readable = plain(text)
        level = (level_of(readable)[0] or self._last) if self._level else Level.NONE
        if is_whole:
            self._last = level
        if level < self._level:
            return False
        return self._regex is None or (self._regex.search(readable) is None) == self._inverse


class Search:
    """The lines that match a pattern, by absolute index, and which of them is the current one."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.regex = compile_pattern(pattern)
        self.current: int | None = None
        self._hits: list[int] = []

    def feed(self, start: int, texts: Iterable[str]) -> None:
        """Look at further lines, the first of which has the index `start`."""
        found = self.regex.search
        self._hits += [at for at, text in enumerate(texts, start) if found(plain(text))]

    def forget(self, first: int) -> None:
        """Lines before `first` are gone."""
        if self._hits and self._hits[0] < first:
            del self._hits[: bisect_left(self._hits, first)]

    def step(self, place: int, count: int) -> int | None:
        """Make the next match from `place` the current one, around the ends; None without any."""
        if not self._hits:
            return None
        at = bisect_right(self._hits, place) - 1 if count > 0 else bisect_left(self._hits, place)
        self.current = self._hits[(at + count) % len(self._hits)]
        return self.current

    def count(self) -> tuple[int, int]:
        """The number of the current match, from 1 (0 when there is none), and of all."""
        if self.current is None:
            return 0, len(self._hits)
        at = bisect_left(self._hits, self.current)
        is_here = at < len(self._hits) and self._hits[at] == self.current
        return (at + 1 if is_here else 0), len(self._hits)
