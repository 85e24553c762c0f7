"""The dashboard: the list, the view, the wall, and what arrives for them.

The screen only connects. What is known stands in the `Desk`, what keys mean in the `Keymap`, what
they do in `Moving`, `Managing` and `Acting`, and what is worth fetching is said once, in `_watch`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec
from textual import getters, on, work
from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget

from sandbox_tui.model.refs import Ref
from sandbox_tui.tui import messages
from sandbox_tui.tui.bodies import nothing
from sandbox_tui.tui.bridge import Bridge
from sandbox_tui.tui.chrome.footer import Footer
from sandbox_tui.tui.chrome.input_purposes import Typing
from sandbox_tui.tui.chrome.stage import Stage
from sandbox_tui.tui.chrome.top_bar import Meter, TopBar
from sandbox_tui.tui.chrome.viewer import Viewer
from sandbox_tui.tui.commands import command
from sandbox_tui.tui.desk import Desk, Notice
from sandbox_tui.tui.keys import Keymap, Twice
from sandbox_tui.tui.screens.acting import Acting
from sandbox_tui.tui.screens.editing import Editing
from sandbox_tui.tui.screens.managing import Managing
from sandbox_tui.tui.screens.moving import Moving
from sandbox_tui.tui.sections import sections
from sandbox_tui.tui.situation import Half, Situation, Tab
from sandbox_tui.tui.watching import Feed, View
from sandbox_tui.tui.widgets.cell_messages import CellMessage
from sandbox_tui.tui.widgets.fit import harmless
from sandbox_tui.tui.widgets.sandbox_list import SandboxList

if TYPE_CHECKING:
    from sandbox_tui.tui.app import DashboardApp
    from sandbox_tui.tui.chrome.input_line import InputLine
    from sandbox_tui.tui.chrome.wall import Tile
    from sandbox_tui.tui.widgets.textview import TextView

SETTLE = 0.12
"""Seconds that a selection must last until what it shows is fetched, while keys come fast."""

TICK = 1.0
"""Seconds between two looks at the clock: ages, our own costs, retries."""


class Dashboard(Screen[None], inherit_bindings=False):
    """Everything on one screen; see the module."""

    listing = getters.query_one(SandboxList)
    stage = getters.query_one(Stage)
    top_bar = getters.query_one(TopBar)
    footer = getters.query_one(Footer)

    def __init__(
        self, program: DashboardApp, desk: Desk, bridge: Bridge, keymap: Keymap, *, wanted: str = ""
    ) -> None:
        """`wanted` names the sandbox to select as soon as it is there."""
        super().__init__()
        self.program = program
        self.desk = desk
        self.bridge = bridge
        self.keymap = keymap
        self.acting = Acting(self)
        self._moving = Moving(self)
        self._managing = Managing(self)
        self._editing = Editing(self)
        self._twice = Twice()
        self._wanted = wanted
        self._lost = ""
        self._meter = Meter()
        self._input: InputLine | None = None
        self._typed_from: Widget = self
        self._settling: Timer | None = None
        self._watched_at = 0.0

    def compose(self) -> ComposeResult:
        """The frame; everything else is made when it is needed."""
        yield TopBar()
        yield Stage(self.desk, self.keymap)
        yield Footer(self.keymap)

    def on_mount(self) -> None:
        """Show that nothing is known yet: the first paint waits for nobody."""
        self.show_list()
        self.refresh_view()
        self._tick()
        self.set_interval(TICK, self._tick)

    def on_unmount(self) -> None:
        """Let go of what measures us."""
        self._meter.close()

    # Where the person is.

    @property
    def selected(self) -> Ref | None:
        """The sandbox under the cursor."""
        return self.listing.selected

    @property
    def half(self) -> Half:
        """Which half has the keys."""
        return Half.VIEW if self.viewer.has_focus_within else Half.LIST

    @property
    def situation(self) -> Situation:
        """All that decides which keys work now."""
        panels = self.viewer.panels
        return Situation(
            box=self.desk.box(self.selected),
            half=self.half,
            tab=self.viewer.tab,
            body=panels.body,
            cells=self.viewer.cells,
            typing=panels.is_typed_into,
            marked=len(self.listing.marks),
            needs=len(self.desk.needs),
            matches=view.match_count[1] if (view := panels.text_view) and view.pattern else None,
        )

    @property
    def viewer(self) -> Viewer:
        """The view of the selected sandbox."""
        return self.stage.viewer

    # Keys.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Of the commands that share a key, only the one that answers now; none while typing."""
        if action != "press" or len(parameters) != 2 or not parameters[1]:
            return True
        command_id, key = map(str, parameters)
        typing = self._is_line_open or self.viewer.panels.is_typed_into
        return not typing and self.keymap.answers(command_id, key, self.situation)

    def action_press(self, command_id: str, key: str) -> None:
        """A key was pressed, or (without one) a word was clicked."""
        entry, twice = command(command_id), self.keymap.is_twice(command_id, key)
        possible = not entry.impossible(self.situation)
        if twice and possible and not self._twice.is_second(key):
            words = f"{key} once more: {entry.title.lower()} {self.selected or ''}"
            self.footer.say(words, Twice.WINDOW)
        else:
            self._twice.forget()
            self.footer.say("")
            self.run_command(command_id, self.selected)

    def action_tell_how_to_quit(self) -> None:
        """Ctrl+c, where it is no key of the person's own: it ends other programs, never this."""
        self.tell(Notice(self.keymap.spell("press {program.quit} to quit")))

    def run_command(self, command_id: str, ref: Ref | None, words: str = "") -> None:
        """Do what a command says, for that sandbox, or say why it cannot be done."""
        entry, box = command(command_id), self.desk.box(ref)
        if why := entry.impossible(msgspec.structs.replace(self.situation, box=box)):
            whom = f"{entry.title} {box.ref.name}: " if entry.verb and box else ""
            self.tell(Notice(f"{whom}{self.keymap.spell(why)}", "warning"))
            return
        looked = self._moving.does(command_id, ref) or self._managing.does(command_id, ref, words)
        if not looked and not self._editing.does(command_id, ref) and box is not None:
            self.acting.do(command_id, box, words)

    def tell(self, notice: Notice) -> None:
        """Show one line for a while; what went wrong for longer."""
        text, severity, title = notice
        timeout = 10 if severity == "error" else 4
        self.notify(text, title=title, severity=severity, timeout=timeout, markup=False)

    # What arrives.

    def on_world_changed(self, message: messages.WorldChanged) -> None:
        """There is a newer picture of everything."""
        before = self.desk.box(self.selected)
        for notice in self.desk.take(message.world, time.time()):
            self.tell(notice)
        self.top_bar.show_world(message.world, len(self.desk.needs))
        self.show_list()
        self._select_wanted()
        self.refresh_view()
        if before is not None and before != self.desk.box(before.ref):
            self.bridge.again(Feed(View.INSPECT, before.ref))

    @on(messages.Fetched)
    def show_fetched(self, message: messages.Fetched) -> None:
        """What is looked at looks different now."""
        if isinstance(message, messages.Measured):
            self.desk.measurements.add(message.vitals)
            self.show_list()
        self.stage.take(message)

    def on_performed(self, message: messages.Performed) -> None:
        """An action is done."""
        self.acting.done(message)

    def on_failed(self, message: messages.Failed) -> None:
        """An action could not be done."""
        self.acting.failed(message)
        self._editing.failed(message)

    def on_copy_moved(self, message: messages.CopyMoved) -> None:
        """A copy is further, or over."""
        words = harmless(message.words)
        if not self._is_line_open:
            self.footer.say(words and f"{self.keymap.label('view.back')} ends it · {words}")

    def on_copy_ended(self, message: messages.CopyEnded) -> None:
        """A person has ended a copy."""
        self.tell(Notice(f"{message.title}: ended", "warning"))

    def on_run_ended(self, message: messages.RunEnded) -> None:
        """Code that was run from here ended."""
        self.acting.ended(message)

    def on_disconnected(self, message: messages.Disconnected) -> None:
        """There is no Api."""
        self._lost = "\n".join(filter(None, (message.error.message, message.error.hint)))
        self.tell(Notice(self._lost, "error"))
        self.refresh_view()

    # What the widgets say.

    def on_sandbox_list_selected(self) -> None:
        """Another sandbox is under the cursor."""
        self.refresh_view()

    def on_sandbox_list_opened(self, event: SandboxList.Opened) -> None:
        """A row was double-clicked."""
        self.run_command("view.open", event.ref)

    def on_footer_clicked(self, event: Footer.Clicked) -> None:
        """A key in the last line was clicked."""
        self.action_press(event.command, "")

    def on_tile_picked(self, event: Tile.Picked) -> None:
        """A tile was clicked."""
        self.select(event.ref)

    def on_sandbox_list_marked(self, event: SandboxList.Marked) -> None:
        """Other sandboxes are marked."""
        count, acts = len(event.refs), self.keymap.spell("{mark.act} acts on them")
        self.listing.border_subtitle = Content(f"{count} marked · {acts}" if count else "")
        self.refresh_keys()

    def on_text_view_changed(self, event: TextView.Changed) -> None:
        """Following, wrapping or matches are others."""
        event.stop()
        self.viewer.refresh_caption()
        self.refresh_keys()

    @on(CellMessage)
    def heed_cells(self, message: CellMessage) -> None:
        """Somebody typed into a cell."""
        self._editing.heed(message)
        self.refresh_cells()

    def on_notebook_view_cell_opened(self) -> None:
        """A cell was double-clicked."""
        self.run_command("cell.edit", self.selected)

    def on_notebook_view_cell_selected(self) -> None:
        """Another cell is selected."""
        self.refresh_cells()

    def on_input_line_changed(self, event: InputLine.Changed) -> None:
        """The text of a filter or a search is another one."""
        self._moving.look_for(event.purpose, event.text)

    def on_input_line_closed(self, event: InputLine.Closed) -> None:
        """Typing is over; the keys go back to where they were."""
        self.give_keys(self._typed_from)
        self.footer.say("")
        if event.purpose.is_live and not event.done:
            self._moving.look_for(event.purpose, "")
        elif event.done and event.ref is not None:
            self.acting.say(event.ref, event.purpose, event.text)

    def on_descendant_focus(self) -> None:
        """The other half has the keys."""
        self.refresh_keys()

    def on_resize(self) -> None:
        """There is room for more, or for less."""
        self.call_after_refresh(self.refresh_view)

    # What `Moving`, `Managing` and `Acting` ask for.

    def give_keys(self, widget: Widget) -> None:
        """Let the keys go to it: now, or as soon as it is shown."""
        self.set_focus(widget)
        if self.focused is not widget:
            widget.focus()

    def select(self, ref: Ref) -> None:
        """Put the cursor on a sandbox; a filter that hides it is taken away."""
        if not self.listing.select(ref):
            self.filter_by("")
            self.listing.select(ref)
        self.refresh_view()

    def select_when_there(self, ref: Ref) -> None:
        """Put the cursor on a sandbox that the world has yet to tell of."""
        self._wanted = ref
        self._select_wanted()

    def show_tab(self, ref: Ref, tab: Tab) -> None:
        """Show that tab, if the sandbox is still the selected one."""
        if ref == self.selected:
            self.viewer.go(tab)
            self.refresh_view()

    def filter_by(self, text: str) -> None:
        """Show only what fits."""
        self.desk.filter_text = text
        clears = self.keymap.spell("   {view.back} clears")
        self.listing.border_title = Content(f"/ {text}{clears}" if text else "")
        self.show_list()
        self.refresh_view()

    @property
    def _is_line_open(self) -> bool:
        return self._input is not None and self._input.is_open

    def type_into(self, typing: Typing) -> None:
        """Open the input line; what is typed meanwhile is for it."""
        self.program.hold_keys(self._open_input(typing).wait)

    @work(group="input", exclusive=True)
    async def _open_input(self, typing: Typing) -> None:
        """The widget is loaded the first time."""
        if self._input is None:
            from sandbox_tui.tui.chrome.input_line import InputLine

            self._input = InputLine()
            await self.mount(self._input, before=self.footer)
        self._typed_from = self.focused or self.listing
        self._input.open(typing)
        self.footer.say(self.keymap.spell(typing.help))

    # Painting.

    def show_list(self) -> None:
        """Show the list as it is now."""
        self.listing.show(sections(self.desk.picture(time.time()), self.keymap))

    def refresh_view(self) -> None:
        """Show the selected sandbox as it is now, and fetch what that needs."""
        asking, text = self.desk.is_asking(), self.desk.filter_text
        self.viewer.nothing = self._lost or nothing(text, asking, self.keymap)
        self.stage.show(self.desk.box(self.selected))
        self.refresh_keys()
        self._watch_soon()

    def refresh_cells(self) -> None:
        """Say which cell is worked in, and with which keys."""
        self.viewer.refresh_caption()
        self.refresh_keys()

    def refresh_keys(self) -> None:
        """Show the keys that work now."""
        self.footer.show(self.situation)

    def _tick(self) -> None:
        self.top_bar.tick(self._meter.look(), time.time())
        self.show_list()

    def _select_wanted(self) -> None:
        refs = (box.ref for box in self.desk.world.sandboxes if box.ref.answers_to(self._wanted))
        ref = next(refs, None) if self._wanted else None
        if ref is not None:
            self._wanted = ""
            self.select(ref)

    def _watch_soon(self) -> None:
        """Fetch at once after a pause, else when the selection has settled."""
        if self._settling is not None:
            self._settling.stop()
        if time.monotonic() - self._watched_at > SETTLE:
            self._watch()
        else:
            self._settling = self.set_timer(SETTLE, self._watch)

    def _watch(self) -> None:
        self._watched_at = time.monotonic()
        wanted = self.stage.wanted
        self.bridge.watch(msgspec.structs.replace(wanted, loosely=self._with_sparks()))

    def _with_sparks(self) -> frozenset[Ref]:
        """The live sandboxes whose rows are on the screen."""
        boxes = filter(None, map(self.desk.box, self.listing.in_view))
        return frozenset(box.ref for box in boxes if box.state.is_live and box.stale_since is None)
