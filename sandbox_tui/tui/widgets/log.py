"""The log of one or several sandboxes: a bounded, followed `TextView` that is fed as text comes.

Appending only cuts lines and keeps them; painting happens at most 25 times a second, however
much arrives. Several sources get a coloured gutter with their name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, repeat
from time import localtime, monotonic, strftime
from typing import ClassVar

from rich.segment import Segment
from textual.timer import Timer

from sandbox_tui.model.outputs import Text
from sandbox_tui.tui.widgets import ansi
from sandbox_tui.tui.widgets.fit import fit, harmless
from sandbox_tui.tui.widgets.records import readable
from sandbox_tui.tui.widgets.search import Level, level_of
from sandbox_tui.tui.widgets.text_lines import Line, LineSplitter, Origin
from sandbox_tui.tui.widgets.textview import CAPACITY, TextView

FRAME = 0.04
"""Seconds between two paints."""
_GUTTERS = 6
_GUTTER_WIDTH = 12


class LogView(TextView):
    """A log that grows; see the module and `TextView` for everything that can be done to it."""

    FOLLOWS = True
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"log--source-{n}" for n in range(_GUTTERS)),
        *(f"log--{level.name.lower()}" for level in Level if level),
        "log--time",
        "log--stderr",
    }
    DEFAULT_CSS = """
    LogView {
        & > .log--time { color: $foreground 50%; }
        & > .log--stderr { color: $error; }
        & > .log--debug { color: $foreground 50%; }
        & > .log--info { color: $success; }
        & > .log--warning { color: $warning; text-style: bold; }
        & > .log--error { color: $error; text-style: bold; }
        & > .log--source-0 { color: $primary; }
        & > .log--source-1 { color: $success; }
        & > .log--source-2 { color: $warning; }
        & > .log--source-3 { color: $accent; }
        & > .log--source-4 { color: $secondary; }
        & > .log--source-5 { color: $error; }
    }
    """

    def __init__(
        self,
        *,
        capacity: int = CAPACITY,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """`capacity` is about how many bytes of lines are kept."""
        super().__init__(capacity=capacity, name=name, id=id, classes=classes)
        self._streams: dict[tuple[str, str], tuple[LineSplitter, Origin]] = {}
        self._sources: dict[str, int] = {}
        self._timestamps = False
        self._painted_at = 0.0
        self._pending: Timer | None = None

    def append(self, *pieces: Text, source: str = "") -> None:
        """Take what a sandbox said; `source` names it when several share this log.

        Pieces need not end where lines end. Lines of several sources stand in the order they
        came: merge old logs by time before appending them.
        """
        if source:
            self._sources.setdefault(source, len(self._sources))
        lines: list[Line] = []
        for piece in pieces:
            lines += self._cut(piece.text, Origin(piece.at, piece.stream, source))
        self.add(lines)
        self._paint_soon()

    def clear(self) -> None:
        """Forget every line and follow again; filter and search stay."""
        self._streams.clear()
        self._sources.clear()
        self._following = True
        super().clear()

    @property
    def timestamps(self) -> bool:
        """Whether each line begins with its time, local, where the engine stamped it."""
        return self._timestamps

    @timestamps.setter
    def timestamps(self, on: bool) -> None:
        self._timestamps = on
        self.repaint()

    def unfinished(self) -> Sequence[Line]:
        """The last line of each stream, as far as it has come."""
        return [
            (splitter.partial, origin)
            for splitter, origin in self._streams.values()
            if splitter.partial
        ]

    def parts(self, line: Line) -> tuple[list[Segment], list[Segment]]:
        """Time and source, and the line in its own colours or, without any, in its level's."""
        return self._prefix(line[1]), self._body(*line)

    def _prefix(self, origin: Origin) -> list[Segment]:
        at, _, source = origin
        segments: list[Segment] = []
        if self._timestamps:
            time = strftime("%H:%M:%S ", localtime(at)) if at is not None else " " * 9
            segments.append(Segment(time, self.ink("log--time")))
        if source:
            look = f"log--source-{self._sources.get(source, 0) % _GUTTERS}"
            segments.append(Segment(f"{fit(harmless(source), _GUTTER_WIDTH)}│", self.ink(look)))
        return segments

    def _body(self, text: str, origin: Origin) -> list[Segment]:
        text = readable(text) or text
        base = self.ink("log--stderr") if origin.stream == "stderr" else self.ink()
        segments = ansi.parse(text, base).segments
        level, span = level_of("".join(segment.text for segment in segments))
        if not level or "\x1b[3" in text:
            return segments
        return ansi.emphasise(segments, [span], self.ink(f"log--{level.name.lower()}"))

    def _cut(self, text: str, origin: Origin) -> Iterable[Line]:
        """The lines that a piece finishes; one that began earlier has the origin of then."""
        key = (origin.source, origin.stream)
        splitter, began = self._streams.get(key) or (LineSplitter(), origin)
        first = began if splitter.partial else origin
        lines = splitter.feed(text)
        self._streams[key] = (splitter, origin if lines else first)
        return zip(lines, chain((first,), repeat(origin)), strict=False)

    def _paint_soon(self) -> None:
        wait = self._painted_at + FRAME - monotonic()
        if not self.is_attached or self._pending is not None:
            return
        if wait <= 0:
            self._paint_now()
        else:
            self._pending = self.set_timer(wait, self._paint_now)

    def _paint_now(self) -> None:
        self._pending = None
        self._painted_at = monotonic()
        self.sync()
