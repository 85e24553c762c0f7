"""A window on many lines: scrolled, followed, wrapped, searched, filtered.

Lines stand in rings, so the oldest go while new ones come. The window is therefore held by the
index of its first line, not by a count of rows: nobody has to know how many rows the other
hundred thousand lines would take, and only visible lines are ever parsed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.message import Message
from textual.strip import Strip

from sandbox_tui.runtime.ring import Ring
from sandbox_tui.tui.widgets import ansi
from sandbox_tui.tui.widgets.fit import breaks, width_of
from sandbox_tui.tui.widgets.lines import Extent, LineView
from sandbox_tui.tui.widgets.places import Ground, Place
from sandbox_tui.tui.widgets.search import Filter, Search
from sandbox_tui.tui.widgets.text_lines import Line, Origin, weigh

CAPACITY = 8 * 1024 * 1024
"""Bytes of lines kept, about; 60 000 lines of usual length."""
_NOTICE = Origin(stream="notice")
_KEPT_LAYOUTS = 1024
_HIGHLIGHTS = 1000
"""Matches in one line that are highlighted."""


class TextRow(NamedTuple):
    """What stands in one row of the window."""

    line: Line
    part: int = 0
    current: bool = False
    """Whether it is the match that was jumped to."""


class TextView(LineView[TextRow]):
    """Lines in a window; see the module. Its methods are what keys are bound to."""

    FOLLOWS: ClassVar[bool] = False
    """Whether there is an end to stay at, because lines come."""
    COMPONENT_CLASSES: ClassVar[set[str]] = {"text--match", "text--current", "text--notice"}
    DEFAULT_CSS = """
    TextView {
        & > .text--match { background: $warning 40%; text-style: bold; }
        & > .text--current { background: $primary 30%; }
        & > .text--notice { color: $foreground 50%; text-style: italic; }
    }
    """

    @dataclass
    class Changed(Message):
        """Following, wrapping, filter or the count of matches is another one."""

        view: TextView

        @property
        def control(self) -> TextView:
            """The view; read its properties."""
            return self.view

        def can_replace(self, message: Message) -> bool:
            """The latest state wins."""
            return isinstance(message, TextView.Changed)

    def __init__(
        self,
        *,
        capacity: int = CAPACITY,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """`capacity` is about how many bytes of lines are kept."""
        super().__init__(name=name, id=id, classes=classes)
        self._capacity = capacity
        self._lines = self._shown = Ring[Line](capacity, weigh)
        self._filter: Filter | None = None
        self.filter_text = ""
        """Which lines are shown, as it was typed; empty for all."""

        self._search: Search | None = None
        self._place = Place(0)
        self._following = self.FOLLOWS
        self._wrap = False
        self._left = 0
        self._layouts: dict[Line, Sequence[Strip]] = {}
        self._status: tuple[object, ...] = ()

    # What can be asked.

    @property
    def following(self) -> bool:
        """Whether the window stays at the end as lines come."""
        return self._following

    @property
    def wrap(self) -> bool:
        """Whether long lines are broken; else they are panned."""
        return self._wrap

    @wrap.setter
    def wrap(self, on: bool) -> None:
        self._wrap, self._left = on, 0
        self._place = Place(self._place.line)
        self.repaint()

    @property
    def dropped(self) -> int:
        """How many of the oldest lines are gone."""
        return self._lines.dropped

    @property
    def line_count(self) -> tuple[int, int]:
        """How many lines are shown, and how many there are."""
        return len(self._shown), len(self._lines)

    @property
    def pattern(self) -> str:
        """What is searched for; empty for nothing."""
        return self._search.pattern if self._search else ""

    @property
    def match_count(self) -> tuple[int, int]:
        """The number of the current match, from 1 (0: none is), and how many lines match."""
        return self._search.count() if self._search else (0, 0)

    def text(self) -> str:
        """Every line that is shown, as plain text."""
        shown = (*self._shown.slice(self._shown.first), *self._tail())
        return "\n".join(ansi.plain(line) for line, _ in shown)

    # What can be done.

    def clear(self) -> None:
        """Forget every line; filter and search stay."""
        self._lines = self._shown = Ring[Line](self._capacity, weigh)
        if self._filter:
            self._shown = Ring[Line](self._capacity, weigh)
        if self._search:
            self._search = Search(self._search.pattern)
        self._place = Place(0)
        self.repaint()

    def follow(self, on: bool = True) -> None:
        """Stay at the end from now on, or stop where the window is."""
        self._following = on and self.FOLLOWS
        self.sync()

    def scroll_rows(self, count: int) -> None:
        """Move by rows. Up stops following; down to the end begins it again where lines come."""
        self._move(self._ground().step(self._place, count), down=count > 0)

    def page(self, count: int) -> None:
        """Move by windows, down when positive."""
        self.scroll_rows(count * max(1, self.size.height - 1))

    def first(self) -> None:
        """Go to the oldest line."""
        self._move(Place(self._ground().begin))

    def last(self) -> None:
        """Go to the end, and stay there where lines come."""
        self._move(Place(self._ground().end), down=True)

    def pan(self, columns: int) -> None:
        """Move sideways over lines that are not wrapped."""
        if not self._wrap:
            widest = max((width_of(ansi.plain(row.line[0])) for row, _ in self._rows), default=1)
            self._left = max(0, min(self._left + columns, widest - 1))
            self.repaint()

    def search(self, pattern: str) -> int:
        """Highlight a pattern and go to the last line with it; how many lines have it.

        Regular expression or plain text, see `search.compile_pattern`. Empty: no search.
        """
        self._search = Search(pattern) if pattern else None
        if self._search:
            texts = (line for line, _ in self._shown.slice(self._shown.first))
            self._search.feed(self._shown.first, texts)
            self._jump(self._search.step(self._shown.end, -1))
        self.repaint()
        return self.match_count[1]

    def next_match(self, count: int = 1) -> None:
        """Go to the next line that matches, or with -1 to the one before; around the ends."""
        if self._search:
            current = self._search.current
            self._jump(self._search.step(self._place.line if current is None else current, count))

    def filter(self, text: str = "") -> None:
        """Show only the lines that are meant, see `search.Filter.parse`; empty: all of them."""
        self._filter = Filter.parse(text)
        self.filter_text = text if self._filter else ""
        self._shown = self._lines
        if self._filter:
            self._shown = Ring[Line](self._capacity, weigh)
            self._shown.extend(self._accepted(self._lines.slice(self._lines.first)))
        self._place = Place(self._shown.end)
        self.search(self.pattern)

    # What a subclass says.

    def unfinished(self) -> Sequence[Line]:
        """Lines after the last, which may still change."""
        return ()

    def parts(self, line: Line) -> tuple[list[Segment], list[Segment]]:
        """What stands before a line, neither panned nor searched, and the line, coloured."""
        return [], ansi.parse(line[0], self.ink()).segments

    # How it is painted.

    def window(self, height: int) -> list[TextRow]:
        """The rows in view."""
        if self._following:
            self._place = self._ground().bottom(height)
        rows = self._rows_from(self._place, height)
        if len(rows) < height:
            self._place = self._ground().bottom(height)
            rows = self._rows_from(self._place, height)
        return rows

    def paint(self, key: TextRow) -> Strip:
        """One row."""
        strips = self._layout(key.line)
        strip = strips[min(key.part, len(strips) - 1)]
        return self._on_current(strip) if key.current else strip

    def extent(self) -> Extent:
        """The window as a share of all lines."""
        begin, end, _ = self._ground()
        total = max(1, end - begin)
        return Extent((self._place.line - begin) / total, self.size.height / total)

    def scroll_to_share(self, share: float) -> None:
        """Look at a place, from 0 (the oldest line) to 1 (the end)."""
        begin, end, _ = self._ground()
        self._move(Place(begin + round(share * (end - begin))), down=share >= 1)

    def sync(self) -> None:
        """Repaint what changed, and say what a person should know."""
        if self._search:
            self._search.forget(self._shown.first)
        super().sync()
        self._say_status()

    def repaint(self) -> None:
        """Paint everything again, and say what a person should know."""
        super().repaint()
        self._say_status()

    def _say_status(self) -> None:
        status = (self._following, self._wrap, self.pattern, self.match_count, self._filter)
        if status != self._status and self.is_attached:
            self._status = status
            self.post_message(self.Changed(self))

    def forget(self) -> None:
        """Forget how lines were laid out."""
        self._layouts.clear()
        super().forget()

    def add(self, lines: list[Line]) -> None:
        """Take further lines, without painting."""
        self._lines.extend(lines)
        if self._filter:
            lines = self._accepted(lines)
            self._shown.extend(lines)
        if self._search:
            self._search.feed(self._shown.end - len(lines), (line for line, _ in lines))

    def _accepted(self, lines: Iterable[Line]) -> list[Line]:
        wanted = self._filter
        return [line for line in lines if wanted is None or wanted.accepts(line[0])]

    def _tail(self) -> list[Line]:
        """The unfinished lines that are shown."""
        wanted = self._filter
        lines = self.unfinished()
        return [line for line in lines if not wanted or wanted.accepts(line[0], is_whole=False)]

    def _ground(self) -> Ground:
        """The lines that can be walked; a notice stands before the oldest when some are gone."""
        begin = self._shown.first - (1 if self._shown.dropped else 0)
        return Ground(begin, self._shown.end + len(self._tail()), self._row_count)

    def _line(self, index: int) -> Line:
        if index < self._shown.first:
            return (f"… {self._shown.dropped} lines dropped", _NOTICE)
        if index < self._shown.end:
            return self._shown.slice(index, index + 1)[0]
        return self._tail()[index - self._shown.end]

    def _rows_from(self, place: Place, height: int) -> list[TextRow]:
        current = self._search.current if self._search else None
        begin, end, _ = self._ground()
        index, part = max(place, Place(begin))
        rows: list[TextRow] = []
        while index < end and len(rows) < height:
            line = self._line(index)
            parts = range(part, self._row_count(index))
            rows += [TextRow(line, at, index == current) for at in parts]
            index, part = index + 1, 0
        return rows[:height]

    def _row_count(self, index: int) -> int:
        return len(self._layout(self._line(index))) if self._wrap else 1

    def _move(self, place: Place, *, down: bool = False) -> None:
        ground, height = self._ground(), self.size.height
        self._place = ground.clamp(place, height)
        is_at_end = self._place == ground.bottom(height)
        self._following = self.FOLLOWS and is_at_end and (down or self._following)
        self.sync()

    def _jump(self, index: int | None) -> None:
        """Bring a line into view, in the upper third when it is not."""
        if index is None:
            return
        ground, height = self._ground(), self.size.height
        last = ground.step(self._place, height - 1).line
        if not self._place.line <= index <= last:
            self._place = ground.step(Place(index), -height // 3)
        self._following = False
        self.sync()

    def _on_current(self, strip: Strip) -> Strip:
        """The row on the background of the current match, what is highlighted in it kept."""
        base, tint = self.ink(), Style(bgcolor=self.ink("text--current").bgcolor)
        return Strip(
            Segment(text, style + tint if style and style.bgcolor == base.bgcolor else style)
            for text, style, _ in strip.extend_cell_length(self.columns, base)
        )

    def _layout(self, line: Line) -> Sequence[Strip]:
        """A line as rows."""
        layout = self._layouts.get(line)
        if layout is None:
            if len(self._layouts) >= _KEPT_LAYOUTS:
                self._layouts.clear()
            layout = self._layouts[line] = self._lay_out(line)
        return layout

    def _lay_out(self, line: Line) -> Sequence[Strip]:
        if line[1] is _NOTICE:
            return [Strip([Segment(line[0], self.ink("text--notice"))])]
        prefix, segments = self.parts(line)
        used = sum(segment.cell_length for segment in prefix)
        body = Strip(self._highlighted(segments))
        if not self._wrap:
            return [Strip([*prefix, *body.crop(self._left)])]
        first, *rest = body.divide(breaks(body.text, max(2, self.columns - used))) or [body]
        indent = Segment(" " * used, self.ink())
        return [Strip([*prefix, *first]), *(Strip([indent, *part]) for part in rest)]

    def _highlighted(self, segments: list[Segment]) -> list[Segment]:
        if self._search is None:
            return segments
        text = "".join(segment.text for segment in segments)
        found = islice(self._search.regex.finditer(text), _HIGHLIGHTS)
        spans = [match.span() for match in found]
        return ansi.emphasise(segments, spans, self.ink("text--match")) if spans else segments
