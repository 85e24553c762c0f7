"""The right half: tabs of the selected sandbox, and the widget that fills each.

It is given values and asks for nothing; what must be fetched for what it shows now it says in
`feed`, `screen_of` and `charts_of`. Its widgets are made when they are first needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from sandbox_tui.model.cells import Notebook
from sandbox_tui.model.errors import SandboxError
from sandbox_tui.model.outputs import Screen, Text, Vitals
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.model.world import Sandbox
from sandbox_tui.tui.bodies import body_of, feed_of, words
from sandbox_tui.tui.chrome.looks import glyph
from sandbox_tui.tui.chrome.panels import Panels
from sandbox_tui.tui.history import Event
from sandbox_tui.tui.keys import Keymap
from sandbox_tui.tui.sections import label, look_of
from sandbox_tui.tui.situation import Body, Tab, tabs_of
from sandbox_tui.tui.watching import Feed, View
from sandbox_tui.tui.widgets.fit import fit, harmless, width_of

FRAME = 4
"""Cells of the frame's corners beside its title."""

NAME_FRAME = 4
"""Cells around the name: its glyph, and the space before the tabs."""

LEAST_NAME = 8
"""Cells of the name that stay when the tabs take all the room."""

CHARTED = frozenset({Tab.LIVE, Tab.LOGS, Tab.NOTEBOOK})
"""Tabs with a strip of charts under them, where there is room."""


class Viewer(Vertical):
    """One sandbox, one tab."""

    def __init__(self, keymap: Keymap, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._keymap = keymap
        self._box: Sandbox | None = None
        self._log_of: Ref | None = None
        self._notebook_of: Ref | None = None
        self._panels = Panels(self, keymap)
        self._failures: dict[Body, str] = {}
        self._glances = 0
        self._told: object = None
        self._captioned = ""
        self.tab = Tab.LIVE
        self.nothing = ""
        """What to say when no sandbox is selected."""

    def compose(self) -> ComposeResult:
        """Words; the other panels are made when they are needed."""
        yield self._panels.words

    # What is shown, and so must be fetched.

    @property
    def box(self) -> Sandbox | None:
        """The sandbox that is shown."""
        return self._box

    @property
    def body(self) -> Body:
        """What fills the tab."""
        return body_of(self._box, self.tab)

    @property
    def cells(self) -> int | None:
        """How many cells there are to work in; `None` in every tab but that of a notebook."""
        shown = self.tab is Tab.NOTEBOOK and self._notebook_of is not None
        return len(self._panels.notebook.cell_ids) if shown else None

    @property
    def feed(self) -> Feed | None:
        """What to fetch for it."""
        return feed_of(self._box, self.body)

    @property
    def looker(self) -> str:
        """Who looks at it: somebody new each time, who is told everything from the start."""
        return f"view {self._glances}"

    @property
    def screen_of(self) -> Ref | None:
        """The terminal whose screen is shown."""
        return self._box.ref if self._box and self.body is Body.SCREEN else None

    @property
    def charts_of(self) -> Ref | None:
        """The sandbox whose charts are shown."""
        box = self._box
        if box is None or not box.state.is_live or box.stale_since is not None:
            return None
        return box.ref if self.body is Body.STATS or self._has_strip(box) else None

    # Values in.

    def show(self, box: Sandbox | None) -> None:
        """Show another sandbox, or the same one as it is now."""
        before, self._box = self._box, box
        if box is not None and self.tab not in tabs_of(box.ref.kind):
            self.tab = Tab.LIVE
        if (before and before.ref) != (box and box.ref):
            self._begin_anew()
        self._arrange()

    def go(self, tab: Tab) -> None:
        """Show another tab, if the sandbox has it."""
        if self._box is not None and tab in tabs_of(self._box.ref.kind):
            self.tab = tab
            self._arrange()

    def step(self, count: int) -> None:
        """Go on by tabs, round and round."""
        if self._box is not None:
            tabs = tabs_of(self._box.ref.kind)
            self.go(tabs[(tabs.index(self.tab) + count) % len(tabs)])

    def take_screens(self, screens: Mapping[Ref, Screen]) -> None:
        """What terminals show now."""
        ref = self.screen_of
        if ref is not None and ref in screens:
            stale = self._box is not None and self._box.stale_since is not None
            self._panels.pane.show(screens[ref], stale=stale)
            self.refresh_caption()

    def begin_log(self, ref: Ref) -> None:
        """That log is read from its start."""
        if self._box is not None and ref == self._box.ref:
            self._log_of = ref
            self._panels.log_view.clear()

    def take_log(self, ref: Ref, pieces: Sequence[Text], dropped: int) -> None:
        """More of a log; of one that is not shown it is nothing."""
        if self._box is None or ref != self._box.ref or ref != self._log_of:
            return
        if dropped:
            self._panels.log_view.append(_too_fast(dropped))
        self._panels.log_view.append(*pieces)

    def take_notebook(self, notebook: Notebook) -> None:
        """A room's cells."""
        if self._box is not None and notebook.ref == self._box.ref:
            began = self._notebook_of != notebook.ref
            self._notebook_of = notebook.ref
            self._panels.notebook.show(notebook)
            self.refresh_caption()
            if began:
                self._panels.notebook.last()
                self._panels.notebook.scroll_to_share(1.0)
            self._mended(Body.NOTEBOOK)

    def take_facts(self, ref: Ref, facts: Mapping[str, object]) -> None:
        """Everything that is known about a sandbox."""
        if self._box is not None and ref == self._box.ref:
            self._panels.facts.show(facts)
            self._mended(Body.FACTS)

    def take_history(self, history: Sequence[Vitals]) -> None:
        """The measurements of the sandbox shown."""
        if self.charts_of is not None:
            panel = self._panels.stats if self.body is Body.STATS else self._panels.strip
            if panel is not None:
                panel.show(history)

    def take_events(self, events: Sequence[Event]) -> None:
        """What happened to the sandbox shown."""
        self._panels.show_events(events)

    def fail(self, view: str, error: SandboxError) -> None:
        """Say why a view cannot be had."""
        said = "\n".join(filter(None, (error.message, error.hint)))
        if view == View.LOG:
            self._panels.log_view.append(Text("stderr", f"{said}\n"))
        else:
            self._failures[self.body] = said
            self._arrange()

    @property
    def panels(self) -> Panels:
        """The widgets, for what keys do to them."""
        return self._panels

    # How it is arranged.

    def on_resize(self) -> None:
        """More or less room for charts and tabs."""
        self._arrange()

    def refresh_caption(self) -> None:
        """Say how the body is looked at, in the frame."""
        caption = self._panels.caption()
        if caption != self._captioned:
            self._captioned = caption
            self.border_subtitle = Content(caption)

    def _begin_anew(self) -> None:
        """Nothing of the last sandbox may stay, and everything of this one is to be told."""
        self._glances += 1
        self._log_of = self._notebook_of = None
        self._failures.clear()
        self._panels.forget()

    def _mended(self, body: Body) -> None:
        """What could not be had can be had again."""
        if self._failures.pop(body, None) is not None:
            self._arrange()

    def _has_strip(self, box: Sandbox) -> bool:
        return not self.screen.has_class("-short") and self._is_charted(box)

    def _is_charted(self, box: Sandbox) -> bool:
        return self.tab in CHARTED and box.ref.kind is not Kind.TMUX

    def _arrange(self) -> None:
        box, body = self._box, self.body
        self._panels.by_cell = self.tab is Tab.NOTEBOOK
        if body is Body.WORDS:
            self._panels.say(words(box, self.tab, self._keymap) if box else self.nothing)
        elif body in self._failures:
            self._panels.say(self._failures[body])
        else:
            self._panels.show(body)
        strip = box is not None and self.charts_of is not None and body is not Body.STATS
        self._panels.show_strip(strip)
        self._title()
        self.refresh_caption()

    def _title(self) -> None:
        box = self._box
        told = (box and (box.ref, look_of(box)), self.tab, self.size.width)
        if told != self._told:
            self._told = told
            self.border_title = _title(box, self.tab, self.size.width - FRAME)


def _title(box: Sandbox | None, shown: Tab, room: int) -> Content:
    """Name and tabs. Where there is little room the tabs close up, then the name is cut."""
    if box is None:
        return Content("")
    name = harmless(label(box.ref))
    tabs = _tabs(box, shown, " ")
    if width_of(name) + NAME_FRAME + tabs.cell_length > room:
        tabs = _tabs(box, shown, "")
    left = max(LEAST_NAME, room - NAME_FRAME - tabs.cell_length)
    name = fit(name, min(left, width_of(name)), middle=True)
    return Content.assemble(glyph(look_of(box)), " ", (name, "bold"), "  ", tabs)


def _tabs(box: Sandbox, shown: Tab, padding: str) -> Content:
    between = "" if padding else " "
    return Content(between).join(
        [_tab(tab, tab is shown, padding) for tab in tabs_of(box.ref.kind)]
    )


def _tab(tab: Tab, shown: bool, padding: str) -> Content:
    style = "reverse bold" if shown else ""
    words = Content.styled(f"{padding}{tab.capitalize()}{padding}", style)
    return words.stylize(f"@click=screen.press('tab.{tab}','')")


def _too_fast(count: int) -> Text:
    return Text("notice", f"\x1b[2m… {count} pieces came too fast and were left out\x1b[0m\n")
