"""What the keys do that only look: moving, tabs, layouts, searching. Nothing here acts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.tui.chrome.input_purposes import Purpose, Typing
from sandbox_tui.tui.chrome.panels import Panels
from sandbox_tui.tui.desk import Notice
from sandbox_tui.tui.sections import ATTENTION, TITLES
from sandbox_tui.tui.situation import Half, Tab

if TYPE_CHECKING:
    from sandbox_tui.tui.screens.dashboard import Dashboard

COLUMNS = 8
"""Columns that one key press pans."""

SECTIONS = (ATTENTION, *(kind.value for kind in Kind))
LAYOUTS = ("-list-slim", "", "-list-broad")


class Moving:
    """Moves the dashboard that it is given."""

    def __init__(self, dashboard: Dashboard) -> None:
        self._on = dashboard
        self._layout = 1
        self._zoomed_from = Half.LIST
        self._do: Mapping[str, Callable[[], object]] = {
            "move.up": lambda: self._rows(-1),
            "move.down": lambda: self._rows(1),
            "move.page_up": lambda: self._pages(-1),
            "move.page_down": lambda: self._pages(1),
            "move.top": self._first,
            "move.bottom": self._last,
            "move.left": lambda: self._panels.pan(-COLUMNS),
            "move.right": lambda: self._panels.pan(COLUMNS),
            "move.view_up": lambda: self._panels.move(-1),
            "move.view_down": lambda: self._panels.move(1),
            "move.next_section": lambda: self._next_section(1),
            "move.previous_section": lambda: self._next_section(-1),
            "move.next_need": self._next_need,
            **{f"move.{key}": self._to_section(key) for key in SECTIONS},
            **{f"tab.{tab}": self._to_tab(tab) for tab in Tab},
            "tab.next": lambda: self._step_tab(1),
            "tab.previous": lambda: self._step_tab(-1),
            "view.open": self.open,
            "view.back": self.back,
            "program.home": self.home,
            "view.next_match": lambda: self._next_match(1),
            "view.previous_match": lambda: self._next_match(-1),
            "view.follow": self._follow,
            "view.timestamps": self._timestamps,
            "view.wrap": self._wrap,
            "view.zoom": self._zoom,
            "layout.wider": lambda: self._lay_out(1),
            "layout.narrower": lambda: self._lay_out(-1),
            "list.filter": self._filter,
            "view.search": self._search,
            "view.filter": self._filter_lines,
            "mark.toggle": self._mark,
            "mark.all": self._mark_all,
        }

    def does(self, command_id: str, ref: Ref | None) -> bool:
        """Do it, for that sandbox, if it is a command of this kind."""
        deed = self._do.get(command_id)
        if deed is None:
            return False
        if ref is not None and ref != self._on.selected:
            self._on.select(ref)
        deed()
        self._on.refresh_keys()
        return True

    def look_for(self, purpose: Purpose, text: str) -> None:
        """Act on what is typed, as it is typed."""
        view = self._panels.text_view
        if purpose is Purpose.FILTER:
            self._on.filter_by(text)
        elif view is not None:
            seek = view.filter if purpose is Purpose.LINES else view.search
            seek(text)

    # Between the halves.

    def open(self) -> None:
        """Go into the view; on a narrow screen it takes the place of the list."""
        self._on.add_class("-viewing")
        lines = self._panels.lines
        if lines is not None:
            self._on.give_keys(lines)
        self._on.refresh_view()

    def back(self) -> None:
        """One step back: from a copy, what is sought, the view, the zoom, marks or the filter."""
        view = self._panels.text_view
        if self._on.bridge.end_copies():
            return
        if self._on.half is Half.VIEW and view is not None and view.pattern:
            view.search("")
        elif self._on.half is Half.VIEW and view is not None and view.filter_text:
            view.filter()
        elif self._on.half is Half.VIEW or self._on.has_class("-zoomed"):
            self.home()
        elif self._on.listing.marks:
            self._on.listing.clear_marks()
        elif self._on.desk.filter_text:
            self._on.filter_by("")

    def home(self) -> None:
        """Back to the list, from wherever that is."""
        self._on.remove_class("-viewing", "-zoomed")
        self._on.give_keys(self._on.listing)
        self._on.refresh_view()

    def _zoom(self) -> None:
        """The view alone has the keys; once more brings the list back, and gives it its keys."""
        if not self._on.has_class("-zoomed"):
            self._zoomed_from = self._on.half
            self._on.add_class("-zoomed")
            self.open()
        elif self._zoomed_from is Half.LIST:
            self.home()
        else:
            self._on.remove_class("-zoomed")

    # In a half.

    def _rows(self, count: int) -> None:
        if self._on.half is Half.LIST:
            self._on.listing.move(count)
        else:
            self._panels.move(count)

    def _pages(self, count: int) -> None:
        if self._on.half is Half.LIST:
            self._on.listing.page(count)
        else:
            self._panels.page(count)

    def _first(self) -> None:
        if self._on.half is Half.LIST:
            self._on.listing.first()
        else:
            self._panels.to_start()

    def _last(self) -> None:
        if self._on.half is Half.LIST:
            self._on.listing.last()
        else:
            self._panels.to_end()

    def _follow(self) -> None:
        self._panels.toggle_follow()

    def _timestamps(self) -> None:
        self._panels.toggle_timestamps()

    def _wrap(self) -> None:
        self._panels.toggle_wrap()

    @property
    def _panels(self) -> Panels:
        return self._on.viewer.panels

    # Among sections and needs.

    def _to_section(self, key: str) -> Callable[[], object]:
        def go() -> None:
            self.home()
            if not self._on.listing.jump_to_section(key):
                kind = Kind(key) if key in TITLES else None
                self._on.tell(Notice(self._on.desk.missing(kind)))

        return go

    def _next_section(self, step: int) -> None:
        here = self._on.listing.selected_section
        at = SECTIONS.index(here) if here in SECTIONS else 0
        others = [SECTIONS[(at + step * way) % len(SECTIONS)] for way in range(1, len(SECTIONS))]
        self.home()
        next((key for key in others if self._on.listing.jump_to_section(key)), None)

    def _next_need(self) -> None:
        ref = self._on.desk.next_need(self._on.selected)
        if ref is not None:
            self._on.select(ref)

    # In the view.

    def _to_tab(self, tab: Tab) -> Callable[[], object]:
        def go() -> None:
            self._on.viewer.go(tab)
            self._after_tab()

        return go

    def _step_tab(self, count: int) -> None:
        self._on.viewer.step(count)
        self._after_tab()

    def _after_tab(self) -> None:
        """The keys stay in the half where they are; where only the list is seen, the view opens."""
        in_view = self._on.half is Half.VIEW
        self._on.refresh_view()
        if in_view or self._on.has_class("-narrow"):
            self.open()

    def _next_match(self, step: int) -> None:
        view = self._panels.text_view
        if view is not None:
            view.next_match(step)

    def _lay_out(self, step: int) -> None:
        self._layout = max(0, min(self._layout + step, len(LAYOUTS) - 1))
        for at, name in enumerate(LAYOUTS):
            self._on.set_class(at == self._layout, name) if name else None

    # Typing and marking.

    def _filter(self) -> None:
        self._on.type_into(Typing(Purpose.FILTER, "filter", text=self._on.desk.filter_text))

    def _filter_lines(self) -> None:
        view = self._panels.text_view
        text = view.filter_text if view is not None else ""
        self._on.type_into(Typing(Purpose.LINES, "filter lines", text=text))

    def _search(self) -> None:
        self._on.type_into(Typing(Purpose.SEARCH, "search"))

    def _mark(self) -> None:
        self._on.listing.toggle_mark()
        self._on.listing.move(1)

    def _mark_all(self) -> None:
        listing = self._on.listing
        if listing.marks == frozenset(listing.shown):
            listing.clear_marks()
        else:
            listing.mark_all()
