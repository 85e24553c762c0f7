"""A terminal's screen, as its program sees it, in whatever room there is.

The source is never resized to fit: what is too large is clipped, and the window is on the part
where things happen, the cursor and the last rows written. Colours run on from row to row, as in
the output of `tmux capture-pane -e`.
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from sandbox_tui.model.outputs import Screen
from sandbox_tui.tui.widgets import ansi
from sandbox_tui.tui.widgets.fit import width_of
from sandbox_tui.tui.widgets.lines import LineView
from sandbox_tui.tui.widgets.prose import wrap_words


class PaneRow(NamedTuple):
    """One row of the source, and all that decides how it looks here."""

    text: str
    pen: str = ""
    """The colours in force at its start."""
    cursor: int = -1
    """The column with the cursor in it, or -1."""
    left: int = 0
    """How many columns are out of the window."""


class PaneView(LineView[PaneRow]):
    """Shows a `Screen`; give it the next one with `show`, only rows that differ are repainted."""

    HAS_BAR = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"pane--cursor", "pane--stale", "pane--note"}
    DEFAULT_CSS = """
    PaneView {
        & > .pane--cursor { text-style: reverse; }
        & > .pane--stale, & > .pane--note { color: $foreground 45%; }
    }
    """

    def __init__(
        self,
        placeholder: str = "",
        *,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """`placeholder` is what stands here while there is no screen."""
        super().__init__(name=name, id=id, classes=classes)
        self._placeholder = placeholder
        self._screen: Screen | None = None
        self._stale = False
        self._rows_with_pens: list[tuple[str, str]] = []
        self._pan: tuple[int, int] | None = None

    def show(
        self, screen: Screen | None, *, stale: bool = False, placeholder: str | None = None
    ) -> None:
        """Show another screen, or none. A stale one loses its colours and its cursor."""
        if placeholder is not None:
            self._placeholder = placeholder
        self._screen = screen
        self._rows_with_pens = _with_pens(screen) if screen else []
        if stale != self._stale:
            self._stale = stale
            self.repaint()
        self._say_size()
        self.sync()

    @property
    def caption(self) -> str:
        """The size of the source, as `120x40`; with the window's, when that is smaller."""
        if self._screen is None:
            return ""
        size = f"{self._screen.width}x{self._screen.height}"
        if not self.is_clipped:
            return size
        return f"{self.size.width}x{self.size.height} of {size}"

    @property
    def is_clipped(self) -> bool:
        """Whether a part of the source is out of the window."""
        screen, size = self._screen, self.size
        return bool(screen and size and (screen.width > size.width or screen.height > size.height))

    def pan(self, columns: int, rows: int) -> None:
        """Move the window over a source that is larger, and keep it there."""
        left, top = self._corner()
        self._pan = (left + columns, top + rows)
        self._pan = self._corner()
        self.sync()

    def reset_pan(self) -> None:
        """Let the window follow the cursor again."""
        self._pan = None
        self.sync()

    def text(self) -> str:
        """The whole screen as plain text, without trailing spaces."""
        rows = self._screen.rows if self._screen else ()
        return "\n".join(ansi.plain(row).rstrip() for row in rows).rstrip("\n")

    def window(self, height: int) -> list[PaneRow]:
        """The rows in view."""
        if self._screen is None:
            return [PaneRow(line) for line in wrap_words(self._placeholder, self.columns)]
        left, top = self._corner()
        column, row = self._screen.cursor or (-1, -1)
        return [
            PaneRow(text, pen, column - left if at == row else -1, left)
            for at, (text, pen) in enumerate(self._rows_with_pens[top : top + height], top)
        ]

    def paint(self, key: PaneRow) -> Strip:
        """One row, with the cursor on it."""
        if self._screen is None or self._stale:
            look = "pane--stale" if self._screen else "pane--note"
            return Strip([Segment(ansi.plain(key.text), self.ink(look))]).crop(key.left)
        strip = ansi.strip(key.text, self.ink(), key.pen)
        if key.left:
            strip = strip.crop(key.left)
        if not 0 <= key.cursor < self.columns:
            return strip
        return _with_cursor(strip, key.cursor, self.ink(), self.ink("pane--cursor"))

    def scroll_rows(self, count: int) -> None:
        """Move the window over a source that is larger."""
        if self.is_clipped:
            self.pan(0, count)

    def scroll_to_share(self, share: float) -> None:
        """Look at a place in a source that is larger, from 0 (its top) to 1."""
        if self._screen is not None and self.is_clipped:
            rows = len(self._screen.rows)
            self.pan(0, round(share * rows) - self._corner()[1])

    def on_resize(self) -> None:
        """Say how much of the source is in view."""
        self._say_size()

    def _say_size(self) -> None:
        """Put the caption on the border, if it is another one: that paints everything again."""
        if self.border_subtitle != self.caption:
            self.border_subtitle = self.caption

    def _corner(self) -> tuple[int, int]:
        """Column and row of the source that are at the top left of the window."""
        screen, size = self._screen, self.size
        if screen is None:
            return (0, 0)
        left, top = self._pan or (0, _last_row(screen) + 1 - size.height)
        right, bottom = screen.width - size.width, len(screen.rows) - size.height
        return (max(0, min(left, right)), max(0, min(top, bottom)))


def _with_pens(screen: Screen) -> list[tuple[str, str]]:
    """The rows with the pen that each starts with."""
    rows: list[tuple[str, str]] = []
    pen = ""
    for row in screen.rows:
        rows.append((row, pen))
        pen = ansi.pen_after(row, pen)
    return rows


def _last_row(screen: Screen) -> int:
    """The lowest row with the cursor or with text in it."""
    cursor = screen.cursor[1] if screen.cursor else 0
    written = (at for at in range(len(screen.rows) - 1, cursor, -1) if screen.rows[at].strip())
    return next(written, cursor)


def _with_cursor(strip: Strip, column: int, base: Style, cursor: Style) -> Strip:
    strip = strip.extend_cell_length(column + 1, base)
    under = strip.crop(column, column + 2).text[:1] or " "
    end = column + max(1, width_of(under))
    cell = Segment(under if under.strip() else " ", cursor)
    return Strip.join([strip.crop(0, column), Strip([cell]), strip.crop(end)])
