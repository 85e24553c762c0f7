"""The list, the view of the selected sandbox, and the wall where there is room for one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import singledispatchmethod
from typing import TYPE_CHECKING, TypeVar

from textual import getters
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message

from sandbox_tui.model.outputs import Screen
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.world import Sandbox
from sandbox_tui.tui import messages
from sandbox_tui.tui.chrome.viewer import Viewer
from sandbox_tui.tui.desk import Desk
from sandbox_tui.tui.keys import Keymap
from sandbox_tui.tui.situation import Tab
from sandbox_tui.tui.watching import Feed, Watch
from sandbox_tui.tui.widgets.sandbox_list import SandboxList

if TYPE_CHECKING:
    from sandbox_tui.tui.chrome.wall import Wall
    from sandbox_tui.tui.screens.together import Together


T = TypeVar("T")


class Stage(Horizontal):
    """Shows a sandbox of the desk, and takes what was fetched for it."""

    viewer = getters.query_one(Viewer)

    def __init__(self, desk: Desk, keymap: Keymap) -> None:
        super().__init__()
        self._desk = desk
        self._keymap = keymap
        self._wall: Wall | None = None
        self._screens: Mapping[Ref, Screen] = {}
        self.together: Together | None = None
        """The logs of several that are read before it, while they are."""

    def compose(self) -> ComposeResult:
        """The list and the view; the wall is made when there is room."""
        yield SandboxList(letters="NO_COLOR" in os.environ)
        yield Viewer(self._keymap)

    @property
    def wanted(self) -> Watch:
        """What is worth fetching for what is shown."""
        viewer, wall = self.viewer, self._seen_wall
        together = self.together.feeds if self.together else ()
        if self.screen.has_class("-narrow") and not self.screen.has_class("-viewing"):
            return Watch(feeds={feed: frozenset({"together"}) for feed in together})
        looked: dict[Feed, frozenset[str]] = {}
        wanted = {
            viewer.looker: _set(viewer.feed),
            "wall": wall.feeds if wall else (),
            "together": together,
        }
        for looker, feeds in wanted.items():
            for feed in feeds:
                looked[feed] = looked.get(feed, frozenset()) | {looker}
        return Watch(
            screens=_set(viewer.screen_of).union(wall.screens if wall else ()),
            feeds=looked,
            closely=_set(viewer.charts_of),
        )

    def show(self, box: Sandbox | None) -> None:
        """Show that sandbox as it is now."""
        self.viewer.show(box)
        self.viewer.take_screens(self._screens)
        self._show_history()
        if box is not None and self.viewer.tab is Tab.EVENTS:
            self.viewer.take_events(self._desk.chronicle.of(box.ref))
        self.show_wall()

    def show_wall(self) -> None:
        """Show the wall, if there is room for one."""
        if self._wall is None and self.screen.has_class("-wide"):
            from sandbox_tui.tui.chrome.wall import Wall

            self._wall = Wall()
            self.mount(self._wall)
        if (wall := self._seen_wall) is not None:
            wall.show(self._desk.world.sandboxes, self.viewer.box and self.viewer.box.ref)
            wall.take(messages.ScreensChanged(self._screens))

    def toggle_pin(self, ref: Ref) -> str:
        """Pin a tile, or take it down. Answers with what that means here, in words."""
        self.show_wall()
        if self._wall is None or self._seen_wall is None:
            return "the wall of tiles needs 170 columns"
        pinned = self._wall.toggle_pin(ref)
        self.show_wall()
        return f"{ref.name} is {'pinned' if pinned else 'no longer pinned'}"

    @singledispatchmethod
    def take(self, message: Message) -> None:
        """Show what was fetched."""

    @take.register
    def _(self, message: messages.ScreensChanged) -> None:
        self._screens = message.screens
        self.viewer.take_screens(message.screens)
        self._to_wall(message)

    @take.register
    def _(self, message: messages.LogBegan) -> None:
        self.viewer.begin_log(message.ref)
        self._to_wall(message)

    @take.register
    def _(self, message: messages.LogArrived) -> None:
        self.viewer.take_log(message.ref, message.pieces, message.dropped)
        self._to_wall(message)
        if self.together is not None:
            self.together.take(message)

    @take.register
    def _(self, message: messages.NotebookChanged) -> None:
        self.viewer.take_notebook(message.notebook)
        self._to_wall(message)

    @take.register
    def _(self, message: messages.Inspected) -> None:
        self.viewer.take_facts(message.ref, message.facts)

    @take.register
    def _(self, _: messages.Measured) -> None:
        self._show_history()

    @take.register
    def _(self, message: messages.WatchFailed) -> None:
        box = self.viewer.box
        if message.ref is not None and box is not None and message.ref == box.ref:
            self.viewer.fail(message.view, message.error)

    @property
    def _seen_wall(self) -> Wall | None:
        wide = self.screen.has_class("-wide") and not self.screen.has_class("-zoomed")
        return self._wall if wide else None

    def _show_history(self) -> None:
        charted = self.viewer.charts_of
        if charted is not None:
            self.viewer.take_history(self._desk.measurements.of(charted))

    def _to_wall(self, message: Message) -> None:
        if self._wall is not None:
            self._wall.take(message)


def _set(value: T | None) -> frozenset[T]:
    return frozenset() if value is None else frozenset({value})
