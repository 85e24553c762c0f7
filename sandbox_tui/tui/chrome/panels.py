"""The widgets behind the tabs: each made when it is first needed, one of them shown at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from textual.widget import Widget

from sandbox_tui.model.outputs import Text
from sandbox_tui.tui.history import Event
from sandbox_tui.tui.keys import Keymap
from sandbox_tui.tui.said import cell_text
from sandbox_tui.tui.situation import Body
from sandbox_tui.tui.widgets.cell_messages import Left
from sandbox_tui.tui.widgets.lines import LineView
from sandbox_tui.tui.widgets.pane import PaneView

if TYPE_CHECKING:
    from sandbox_tui.tui.widgets.charts import StatsView
    from sandbox_tui.tui.widgets.facts import FactsView
    from sandbox_tui.tui.widgets.log import LogView
    from sandbox_tui.tui.widgets.notebook_editor import NotebookEditor
    from sandbox_tui.tui.widgets.textview import TextView

NO_CELLS = "no cells yet: {cell.below} adds one in the Notebook tab, {sandbox.run} runs one"

NO_EVENTS = Text("notice", "\x1b[2mnothing happened yet since the dashboard was opened\x1b[0m\n")

V = TypeVar("V", bound=LineView[Any])


class Panels:
    """The body of the viewer, and the strip of charts under it, mounted in their `host`."""

    def __init__(self, host: Widget, keymap: Keymap) -> None:
        self._host = host
        self._keymap = keymap
        self._body = Body.WORDS
        self._bodies: dict[Body, LineView[Any]] = {}
        self._strip: StatsView | None = None
        self._said: tuple[Event, ...] = ()
        self.by_cell = False
        """Whether up and down go from cell to cell in a notebook."""

        self.words = PaneView()
        """Sentences, where there is nothing else."""
        self._bodies[Body.WORDS] = self.words
        self._makers: Mapping[Body, Callable[[], LineView[Any]]] = {
            Body.WORDS: lambda: self.words,
            Body.SCREEN: lambda: self.pane,
            Body.LOG: lambda: self.log_view,
            Body.NOTEBOOK: lambda: self.notebook,
            Body.STATS: lambda: self.stats,
            Body.FACTS: lambda: self.facts,
            Body.EVENTS: lambda: self.events,
        }

    # The widgets.

    @cached_property
    def pane(self) -> PaneView:
        """What a terminal shows."""
        return self._made(Body.SCREEN, PaneView())

    @cached_property
    def log_view(self) -> LogView:
        """What a sandbox says."""
        from sandbox_tui.tui.widgets.log import LogView

        return self._made(Body.LOG, LogView())

    @cached_property
    def events(self) -> LogView:
        """What happened to a sandbox."""
        from sandbox_tui.tui.widgets.log import LogView

        return self._made(Body.EVENTS, LogView())

    @cached_property
    def notebook(self) -> NotebookEditor:
        """A room's cells."""
        from sandbox_tui.tui.widgets.notebook_editor import NotebookEditor

        return self._made(
            Body.NOTEBOOK, NotebookEditor(self._keymap.spell(NO_CELLS), endings(self._keymap))
        )

    @cached_property
    def facts(self) -> FactsView:
        """Everything that is known."""
        from sandbox_tui.tui.widgets.facts import FactsView

        return self._made(Body.FACTS, FactsView())

    @cached_property
    def stats(self) -> StatsView:
        """Charts, the whole body of them."""
        from sandbox_tui.tui.widgets.charts import StatsView

        return self._made(Body.STATS, StatsView())

    @property
    def is_typed_into(self) -> bool:
        """Whether a cell is open, so that keys are text."""
        return Body.NOTEBOOK in self._bodies and self.notebook.editing is not None

    @property
    def strip(self) -> StatsView | None:
        """Charts, a few rows under the body, when they are shown."""
        return self._strip if self._strip is not None and self._strip.display else None

    # Which of them is shown.

    @property
    def body(self) -> Body:
        """Which of them it is."""
        return self._body

    @property
    def lines(self) -> LineView[Any] | None:
        """The body, as something that scrolls."""
        shown: LineView[Any] | None = self._bodies.get(self._body)
        return shown

    @property
    def text_view(self) -> TextView | None:
        """The body, as something that follows, wraps and is searched."""
        if isinstance(self.lines, PaneView):
            return None  # without loading what a text view needs: it may be the first frame
        from sandbox_tui.tui.widgets.textview import TextView

        return self.lines if isinstance(self.lines, TextView) else None

    def show(self, body: Body) -> None:
        """Let that body be the shown one."""
        self._body = body
        if body is not Body.NOTEBOOK and self.is_typed_into:
            self.notebook.leave()
        self._makers[body]()
        for other, widget in self._bodies.items():
            widget.display = other is body

    def say(self, words: str) -> None:
        """Let these sentences be the body."""
        self.words.show(None, placeholder=words)
        self.show(Body.WORDS)

    def show_strip(self, on: bool) -> None:
        """Show or hide the charts under the body."""
        if on and self._strip is None:
            from sandbox_tui.tui.widgets.charts import StatsView

            self._strip = StatsView(id="strip")
            self._host.mount(self._strip)
        if self._strip is not None:
            self._strip.display = on

    def show_events(self, events: Sequence[Event]) -> None:
        """Replace what happened; only what is new is appended when the rest is as before."""
        said, self._said = self._said, tuple(events)
        if not said or said != self._said[: len(said)]:
            self.events.clear()
            said = ()
        fresh = [Text("stdout", event.line, event.at) for event in events[len(said) :]]
        self.events.append(*fresh if events else (NO_EVENTS,))

    def forget(self) -> None:
        """Another sandbox is looked at: nothing of the last one may stay on the screen."""
        for body in self._bodies:
            match body:
                case Body.SCREEN:
                    self.pane.show(None, placeholder="")
                    self.pane.reset_pan()
                case Body.LOG:
                    self.log_view.clear()
                case Body.NOTEBOOK:
                    self.notebook.show(None)
                case Body.FACTS:
                    self.facts.show({})
                case Body.STATS:
                    self.stats.show(())
                case _:
                    pass
        if self._strip is not None:
            self._strip.show(())

    # What keys do to it.

    def move(self, rows: int) -> None:
        """Go on by cells in a notebook, else by rows."""
        lines = self.lines
        if self._body is Body.NOTEBOOK and self.by_cell:
            self.notebook.move(rows)
        elif lines is not None:
            lines.scroll_rows(rows)

    def page(self, count: int) -> None:
        """Go on by windows."""
        lines = self.lines
        if lines is not None:
            lines.scroll_rows(count * max(1, lines.size.height - 1))

    def to_start(self) -> None:
        """Go to the first line."""
        view, lines = self.text_view, self.lines
        if view is not None:
            view.first()
        elif lines is not None:
            lines.scroll_to_share(0.0)

    def to_end(self) -> None:
        """Go to the last line, and stay there where lines come."""
        view, lines = self.text_view, self.lines
        if view is not None:
            view.last()
        elif isinstance(lines, PaneView):
            lines.reset_pan()
        elif lines is not None:
            lines.scroll_to_share(1.0)

    def pan(self, columns: int) -> None:
        """Move sideways."""
        view, lines = self.text_view, self.lines
        if view is not None:
            view.pan(columns)
        elif isinstance(lines, PaneView):
            lines.pan(columns, 0)

    def toggle_follow(self) -> None:
        """Stay at the end, or stop that; a terminal is always at its end."""
        view = self.text_view
        if view is not None:
            view.follow(not view.following)
        else:
            self.to_end()

    def toggle_timestamps(self) -> None:
        """Show when each line was said, or do not."""
        if self._body is Body.LOG:
            self.log_view.timestamps = not self.log_view.timestamps

    def toggle_wrap(self) -> None:
        """Break long lines, or pan over them."""
        view = self.text_view
        if view is not None:
            view.wrap = not view.wrap

    def text(self) -> str:
        """What the body shows, as plain text; of a notebook the selected cell."""
        if self._body is Body.SCREEN:
            return self.pane.text()
        if self._body is Body.NOTEBOOK:
            cell = self.notebook.selected_cell
            return cell_text(cell) if cell is not None else ""
        view = self.text_view
        return view.text() if view is not None else ""

    def caption(self) -> str:
        """A few words on the body, for the frame."""
        if self._body is Body.SCREEN:
            return self.pane.caption
        if self._body is Body.NOTEBOOK:
            return self.notebook.caption
        view = self.text_view
        if view is None:
            return ""
        follows = "following" if view.following else "f follows"
        parts = (
            _found(view),
            _filtered(view),
            "wrapped" if view.wrap else "",
            follows if self._body is not Body.FACTS else "",
        )
        return " · ".join(filter(None, parts))

    def _made(self, body: Body, widget: V) -> V:
        self._bodies[body] = widget
        self._host.mount(widget, before=self._strip)
        return widget


def _found(view: TextView) -> str:
    """What has come of a search."""
    current, total = view.match_count
    if not view.pattern:
        return ""
    return f"match {current or '–'} of {total}" if total else f"nothing matches {view.pattern!r}"


def _filtered(view: TextView) -> str:
    """How many lines a filter leaves."""
    shown, there = view.line_count
    return f"{shown} of {there} lines: {view.filter_text}" if view.filter_text else ""


def endings(keymap: Keymap) -> Mapping[str, Left]:
    """The keys that leave a cell that is typed into: those that are no text."""
    deeds = {"view.back": Left.NOTHING, "cell.advance": Left.ADVANCE, "cell.run": Left.RUN}
    keys = {stroke.key: how for name, how in deeds.items() for stroke in keymap.strokes(name)}
    return {key: how for key, how in keys.items() if _is_no_text(key)} | _ALWAYS


_ALWAYS = {"escape": Left.NOTHING, "ctrl+q": Left.NOTHING}


def _is_no_text(key: str) -> bool:
    """Whether no editor needs it: no letter, and no way to move."""
    modifier, _, name = key.rpartition("+")
    return len(name) == 1 if modifier in ("ctrl", "alt") else name == "enter" and bool(modifier)
