"""The ground of every live widget: rows that are values, of which only the changed are painted.

A subclass says which value stands in each row of the window (`window`) and how one looks
(`paint`). `sync` compares the window with what is on the screen, by equality, and repaints the
rows that differ; a strip already painted is used again when its row moves. There are no child
widgets and no virtual size: scrolling is the subclass's own, so lines may differ in height and
be dropped at the top, and the scroll bar is one column of the strips.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import ClassVar, Generic, NamedTuple, TypeVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

Key = TypeVar("Key", bound=Hashable)

WHEEL = 3
"""Rows per notch of the mouse wheel."""


class Extent(NamedTuple):
    """Which part of the whole is in the window, each as a share of the whole."""

    start: float = 0.0
    length: float = 1.0


class LineView(Widget, Generic[Key], can_focus=True):
    """Rows of values, painted one by one; see the module."""

    ALLOW_SELECT = False
    HAS_BAR: ClassVar[bool] = True
    """Whether the last column is a scroll bar."""
    COMPONENT_CLASSES: ClassVar[set[str]] = {"lines--bar", "lines--thumb"}
    DEFAULT_CSS = """
    LineView {
        width: 1fr;
        height: 1fr;
        background: $surface;
        color: $foreground;
        & > .lines--bar { color: $foreground 15%; }
        & > .lines--thumb { color: $foreground 50%; }
        &:focus > .lines--thumb { color: $primary; }
    }
    """

    def __init__(
        self, *, name: str | None = None, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._rows: list[tuple[Key, str]] = []
        self._rows_size = Size(0, 0)
        self._strips: dict[tuple[Key, str], Strip] = {}
        self._inks: dict[tuple[str, ...], Style] = {}
        self._dragging = False

    # What a subclass says.

    def window(self, height: int) -> Sequence[Key]:
        """The value of each row, from the top; at most `height` of them."""
        raise NotImplementedError

    def paint(self, key: Key) -> Strip:
        """The row of one value, of any length; it is cut or filled to `columns`."""
        raise NotImplementedError

    def extent(self) -> Extent:
        """Which part of the whole the last `window` showed."""
        return Extent()

    def scroll_rows(self, count: int) -> None:
        """Move the window by rows, down when positive."""

    def scroll_to_share(self, share: float) -> None:
        """Move the window to a place in the whole, from 0 to 1."""

    # What a subclass uses.

    @property
    def columns(self) -> int:
        """Cells for content in one row."""
        return max(0, self.size.width - self.HAS_BAR)

    def sync(self) -> None:
        """Repaint the rows whose value is another than the one on the screen.

        While the widget is hidden nothing is computed; it is, when it is shown again.
        """
        if not self.is_attached or not self.size:
            return
        if not self.display:
            self._rows_size = Size(0, 0)
            self.refresh()
            return
        before = self._rows
        self._collect()
        changed = [y for y in range(self.size.height) if _at(before, y) != _at(self._rows, y)]
        if changed:
            kept = set(self._rows)
            self._strips = {row: strip for row, strip in self._strips.items() if row in kept}
            self.refresh(*_regions(changed, self.size.width))

    def forget(self) -> None:
        """Forget what was painted or laid out: the width, the theme or a setting changed."""
        self._strips.clear()

    def repaint(self) -> None:
        """Paint everything again, also what has not changed its value."""
        self.forget()
        if self.is_attached and self.size:
            self._collect()
        self.refresh()

    def ink(self, *names: str) -> Style:
        """The widget's style with that of component classes on it, the last one on top.

        Looked up in the stylesheet once, and again only after the theme or the focus changed.
        """
        style = self._inks.get(names)
        if style is None:
            style = self.rich_style
            for name in names:
                style += self._component(name)
            self._inks[names] = style
        return style

    # What Textual calls.

    def render_line(self, y: int) -> Strip:
        """One row of the screen, whole width."""
        if self.size != self._rows_size:
            self._collect()
        if y >= len(self._rows):
            return Strip.blank(self.size.width, self.ink())
        row = self._rows[y]
        strip = self._strips.get(row)
        if strip is None:
            strip = self._strips[row] = self._paint_row(*row)
        return strip

    def notify_style_update(self) -> None:
        """Forget every colour: the theme or the focus has changed."""
        super().notify_style_update()
        self._inks.clear()
        self.forget()

    def on_resize(self) -> None:
        """Fill the new size."""
        self.sync()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll with the wheel."""
        event.stop()
        self.scroll_rows(WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll with the wheel."""
        event.stop()
        self.scroll_rows(-WHEEL)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take hold of the scroll bar."""
        if self.HAS_BAR and event.x - self.gutter.left == self.columns:
            self._dragging = True
            self.capture_mouse()
            self._drag(event)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drag the scroll bar."""
        if self._dragging:
            self._drag(event)

    def on_mouse_up(self) -> None:
        """Let the scroll bar go."""
        if self._dragging:
            self._dragging = False
            self.release_mouse()

    def _drag(self, event: events.MouseEvent) -> None:
        self.scroll_to_share((event.y - self.gutter.top) / max(1, self.size.height - 1))

    def _collect(self) -> None:
        if self.size != self._rows_size:
            self._rows_size = self.size
            self.forget()
        height = self.size.height
        keys = list(self.window(height))[:height]
        self._rows = list(zip(keys, self._bar(height), strict=False))

    def _bar(self, height: int) -> Iterator[str]:
        """For each row the look of its scroll bar cell; empty when everything is in view."""
        extent = self.extent()
        if not self.HAS_BAR or extent.length >= 1.0:
            yield from [""] * height
            return
        size = max(1, round(extent.length * height))
        top = min(height - size, round(extent.start * height))
        for y in range(height):
            yield "lines--thumb" if top <= y < top + size else "lines--bar"

    def _paint_row(self, key: Key, bar: str) -> Strip:
        width, base = self.columns, self.ink()
        strip = self.paint(key)
        length = strip.cell_length
        if length > width:
            strip = strip.crop(0, width)
        segments = list(strip)
        if length < width:
            segments.append(Segment(" " * (width - length), base))
        if self.HAS_BAR:
            segments.append(Segment("┃", self.ink(bar)) if bar else Segment(" ", base))
        return Strip(segments, self.size.width)

    def _component(self, name: str) -> Style:
        """Only what the component's own rules set, its colours blended with what is under it."""
        rules = self.get_component_styles(name)
        blended = self.get_component_rich_style(name)
        coloured = rules.has_rule("color") or rules.auto_color
        shaded = rules.has_rule("background") and rules.background.a > 0
        return rules.text_style + Style(
            color=blended.color if coloured else None,
            bgcolor=blended.bgcolor if shaded else None,
        )


def _at(rows: Sequence[tuple[Key, str]], y: int) -> tuple[Key, str] | None:
    return rows[y] if y < len(rows) else None


def _regions(rows: Sequence[int], width: int) -> list[Region]:
    """Rows in ascending order as regions, neighbours joined."""
    regions: list[Region] = []
    for y in rows:
        last = regions[-1] if regions else None
        if last is not None and last.bottom == y:
            regions[-1] = Region(0, last.y, width, last.height + 1)
        else:
            regions.append(Region(0, y, width, 1))
    return regions
