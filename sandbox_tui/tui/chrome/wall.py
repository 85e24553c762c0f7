"""The third column of a wide terminal: a wall of live tiles, two across, two or three high.

Pinned sandboxes come first; where there is room left, the first live ones of the list fill it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import singledispatchmethod
from math import ceil

from textual.app import ComposeResult
from textual.containers import Grid, Vertical
from textual.content import Content
from textual.message import Message

from sandbox_tui.model.refs import Ref
from sandbox_tui.model.world import Sandbox
from sandbox_tui.tui.bodies import body_of, feed_of
from sandbox_tui.tui.chrome.looks import glyph
from sandbox_tui.tui.messages import LogArrived, LogBegan, NotebookChanged, ScreensChanged
from sandbox_tui.tui.sections import label, look_of
from sandbox_tui.tui.situation import Body, Tab
from sandbox_tui.tui.watching import Feed
from sandbox_tui.tui.widgets.cells import NotebookView
from sandbox_tui.tui.widgets.log import LogView
from sandbox_tui.tui.widgets.pane import PaneView

ACROSS = 2
HIGH = 2
HIGH_WHEN_TALL = 3
TALL = 48
"""From how many rows on there are three tiles above each other."""

TILE_BYTES = 256 * 1024
"""How much log a tile keeps."""


class Tile(Vertical):
    """One sandbox, small; it takes no keys."""

    @dataclass
    class Picked(Message):
        """It was clicked."""

        ref: Ref

    def __init__(self, box: Sandbox) -> None:
        super().__init__(classes="tile")
        self.ref = box.ref
        self.body = body_of(box, Tab.LIVE)
        self.feed = feed_of(box, self.body)
        self._told: object = None
        self._view = _view(self.body)
        self._view.can_focus = False

    def compose(self) -> ComposeResult:
        """The view that fits its kind."""
        yield self._view

    def on_click(self) -> None:
        """Show it large."""
        self.post_message(self.Picked(self.ref))

    def show(self, box: Sandbox, *, pinned: bool) -> None:
        """Show how it is now."""
        told = (look_of(box), pinned)
        if told != self._told:
            self._told = told
            words = f" {label(box.ref)}{' ⊙' if pinned else ''}"
            self.border_title = Content.assemble(glyph(look_of(box)), words)

    @singledispatchmethod
    def take(self, message: Message) -> None:
        """Show what was fetched, if it is about this sandbox."""

    @take.register
    def _(self, message: ScreensChanged) -> None:
        if isinstance(self._view, PaneView) and self.ref in message.screens:
            self._view.show(message.screens[self.ref])

    @take.register
    def _(self, message: LogBegan) -> None:
        if isinstance(self._view, LogView) and self.ref == message.ref:
            self._view.clear()

    @take.register
    def _(self, message: LogArrived) -> None:
        if isinstance(self._view, LogView) and self.ref == message.ref:
            self._view.append(*message.pieces)

    @take.register
    def _(self, message: NotebookChanged) -> None:
        if isinstance(self._view, NotebookView) and self.ref == message.notebook.ref:
            self._view.show(message.notebook)
            self._view.scroll_to_share(1.0)


class Wall(Grid):
    """The tiles; what must be fetched for them is in `feeds` and `screens`."""

    def __init__(self) -> None:
        super().__init__()
        self._pins: list[Ref] = []
        self._tiles: dict[Ref, Tile] = {}

    @property
    def feeds(self) -> frozenset[Feed]:
        """What to fetch, screens apart."""
        return frozenset(tile.feed for tile in self._tiles.values() if tile.feed is not None)

    @property
    def screens(self) -> frozenset[Ref]:
        """The terminals on it."""
        return frozenset(ref for ref, tile in self._tiles.items() if tile.body is Body.SCREEN)

    def toggle_pin(self, ref: Ref) -> bool:
        """Pin it, or take the pin away. Answers whether it is pinned now."""
        if ref in self._pins:
            self._pins.remove(ref)
        else:
            self._pins.insert(0, ref)
        return ref in self._pins

    def show(self, boxes: Iterable[Sandbox], watched: Ref | None) -> None:
        """Show pins, then live ones; tiles change only when other sandboxes are on the wall."""
        wanted = self._wanted({box.ref: box for box in boxes}, watched)
        bodies = {ref: body_of(box, Tab.LIVE) for ref, box in wanted.items()}
        if [(ref, tile.body) for ref, tile in self._tiles.items()] != list(bodies.items()):
            self._rebuild(wanted)
        for ref, box in wanted.items():
            self._tiles[ref].show(box, pinned=ref in self._pins)

    def take(self, message: Message) -> None:
        """Show what was fetched."""
        for tile in self._tiles.values():
            tile.take(message)

    def _rebuild(self, wanted: Mapping[Ref, Sandbox]) -> None:
        """Keep the tiles that stay, in their new order; the others go."""
        old, self._tiles = self._tiles, {}
        for ref, box in wanted.items():
            tile = old.get(ref)
            same = tile is not None and tile.body is body_of(box, Tab.LIVE)
            self._tiles[ref] = old.pop(ref) if same else Tile(box)
        for tile in old.values():
            tile.remove()
        self.mount_all([tile for tile in self._tiles.values() if not tile.is_attached])
        self.set_class(not self._tiles, "-empty")
        self.styles.grid_size_rows = max(1, ceil(len(self._tiles) / ACROSS))
        self.styles.grid_size_columns = max(1, min(ACROSS, len(self._tiles)))
        places = {tile: place for place, tile in enumerate(self._tiles.values())}
        self.sort_children(key=lambda tile: places.get(tile, len(places)))  # type: ignore[arg-type]

    def _wanted(self, boxes: Mapping[Ref, Sandbox], watched: Ref | None) -> dict[Ref, Sandbox]:
        """Which sandboxes; one that has its place is not moved by one that comes."""
        room = ACROSS * (HIGH_WHEN_TALL if self.size.height >= TALL else HIGH)
        pinned = [ref for ref in self._pins if ref in boxes]
        kept = [ref for ref in self._tiles if ref in boxes and boxes[ref].state.is_live]
        live = [ref for ref, box in boxes.items() if box.state.is_live and ref != watched]
        order = dict.fromkeys([*pinned, *kept, *live])
        return {ref: boxes[ref] for ref in list(order)[:room]}


def _view(body: Body) -> PaneView | LogView | NotebookView:
    if body is Body.LOG:
        return LogView(capacity=TILE_BYTES)
    return NotebookView() if body is Body.NOTEBOOK else PaneView()
