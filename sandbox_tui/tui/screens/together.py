"""The logs of several sandboxes as one, in the order of their times, each with name and colour."""

from __future__ import annotations

from collections.abc import Collection

from sandbox_tui.model.outputs import Text
from sandbox_tui.model.refs import Ref
from sandbox_tui.tui.messages import LogArrived
from sandbox_tui.tui.screens.reading import Reading
from sandbox_tui.tui.sections import label
from sandbox_tui.tui.watching import Feed, View

GATHERING = 0.6
"""Seconds until what was said before is put in order; what comes later comes in order."""


class Together(Reading):
    """It is given what arrives, and says in `feeds` what that must be."""

    def __init__(self, refs: Collection[Ref]) -> None:
        super().__init__(f"logs of {len(refs)} together")
        self.feeds = frozenset(Feed(View.LOG, ref) for ref in refs)
        self._waiting: list[tuple[Text, Ref]] = []
        self._gathering = True

    def on_mount(self) -> None:
        """Wait a moment for everybody's past."""
        self.set_timer(GATHERING, self._begin)

    def take(self, message: LogArrived) -> None:
        """More of a log, if it is one of these."""
        if Feed(View.LOG, message.ref) in self.feeds:
            self._waiting += [(piece, message.ref) for piece in message.pieces]
            if not self._gathering:
                self._show()

    def _begin(self) -> None:
        self._gathering = False
        self._waiting.sort(key=lambda said: said[0].at or 0.0)
        self._show()

    def _show(self) -> None:
        for piece, ref in self._waiting:
            self.view.append(piece, source=label(ref))
        self._waiting.clear()
