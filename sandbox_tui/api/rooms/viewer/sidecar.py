"""`sidecar()`: rich outputs in a browser, beside whatever shows only text.

The page is served by the program that asks for it, on loopback, for as long as it wants; so it
works in a kernel and in a terminal's IPython, which nobody else can look into.
"""

from __future__ import annotations

import os
import sys
import webbrowser
from pathlib import Path
from types import TracebackType
from typing import Self

from sandbox_tui.api.rooms.errors import room_errors, spoken
from sandbox_tui.api.rooms.session import portal
from sandbox_tui.api.rooms.viewer.board import Board
from sandbox_tui.api.rooms.viewer.server import Server
from sandbox_tui.api.rooms.viewer.sources import Source, source_of
from sandbox_tui.runtime.portal import Blocking, blocking


class AsyncSidecar:
    """A source of outputs, and the page that shows them."""

    def __init__(self, source: Source, name: str) -> None:
        self._source = source
        self._board = Board()
        self._server = Server(self._board, name)
        self.running = False

    @property
    def url(self) -> str:
        """An address of the page that works once, in one browser; each is another one."""
        return self._server.url

    @spoken
    async def open(self) -> None:
        """Begin to listen and to serve."""
        await self._source.open(self._board)
        await self._server.open()
        self.running = True

    @spoken
    async def close(self) -> None:
        """End the page; what it showed goes on."""
        if self.running:
            self.running = False
            await self._server.close()
            await self._source.close()


class Sidecar(Blocking[AsyncSidecar]):
    """A viewer that runs; see `sidecar`."""

    close = blocking(AsyncSidecar.close)

    @property
    def running(self) -> bool:
        """Whether the page is there."""
        return self.twin.running

    @property
    def url(self) -> str:
        """An address of the page that works once, in one browser; each is another one."""
        return self.twin.url

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<sidecar {self.url}>" if self.running else "<sidecar, closed>"


def sidecar(what: str | Path | None = None, *, browse: bool | None = None) -> Sidecar:
    """Show the rich outputs of a kernel or a room in a browser.

    `what` is a room's name, or a kernel's connection file; without it, the kernel or the terminal
    IPython that this runs in. `browse` opens a browser; by default where there is a desktop.
    Raises `RoomError`.
    """
    with room_errors():
        source, name = source_of(what)
    viewer = Sidecar(AsyncSidecar(source, name), portal())
    viewer.portal.call(viewer.twin.open())
    if _has_desktop() if browse is None else browse:
        webbrowser.open(viewer.url)
    return viewer


def _has_desktop() -> bool:
    """Else a browser of the terminal would take the terminal."""
    return sys.platform == "darwin" or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
