"""`sidecar()`: rich outputs in a browser, beside whatever shows only text.

The daemon serves the page, so it outlives the program that asked for it. What a terminal's IPython
displays nobody else can look into: that is told to the daemon, and its page ends with the program.
"""

from __future__ import annotations

import asyncio
import os
import sys
import webbrowser
from collections.abc import AsyncGenerator
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from sandbox_tui.api.remote import RemoteApi
from sandbox_tui.api.remote_pages import RemotePages
from sandbox_tui.api.rooms.errors import RoomError, room_errors, spoken
from sandbox_tui.api.rooms.session import portal
from sandbox_tui.api.rooms.terminal import TerminalHooks, connection_file, shell
from sandbox_tui.model.errors import DaemonUnavailableError
from sandbox_tui.model.outputs import Display
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.runtime.portal import Blocking, blocking

CLOSED = "the sidecar is closed"


class Subject(Protocol):
    """What a page is of."""

    async def open(self, pages: RemotePages) -> str:
        """Have its page opened, and give that one's id."""
        ...

    async def close(self) -> None:
        """The page is needed here no more."""
        ...


class _Shared:
    """A room or a kernel: the daemon sees it by itself."""

    def __init__(self, what: Ref | Path) -> None:
        self._what = what
        self._open: tuple[RemotePages, str] | None = None

    async def open(self, pages: RemotePages) -> str:
        if isinstance(self._what, Path):
            page_id = await pages.show_kernel(self._what)
        else:
            page_id = await pages.show_room(self._what)
        self._open = pages, page_id
        return page_id

    async def close(self) -> None:
        if self._open is not None:
            pages, page_id = self._open
            await pages.close(page_id)


class _Terminal:
    """The terminal's IPython of this process."""

    def __init__(self, shell: Any) -> None:
        self._hooks = TerminalHooks(shell)
        self._presented: AsyncGenerator[str] | None = None

    async def open(self, pages: RemotePages) -> str:
        presented = self._presented = pages.present("IPython")
        page_id = await anext(presented)
        loop = asyncio.get_running_loop()

        def heard(block_id: str, title: str, display: Display) -> None:
            loop.call_soon_threadsafe(pages.tell, page_id, block_id, title, display)

        self._hooks.open(heard)
        return page_id

    async def close(self) -> None:
        self._hooks.close()
        if self._presented is not None:
            await self._presented.aclose()


class AsyncSidecar:
    """A page that the daemon shows, and a connection to ask for it."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._api: RemoteApi | None = None
        self._page_id = ""

    @spoken
    async def open(self) -> None:
        """Have the page opened; a daemon is started when there is none."""
        api = await RemoteApi.connect(start=True)
        try:
            self._page_id = await self._subject.open(api.pages)
        except BaseException:
            await api.aclose()
            raise
        self._api = api

    async def running(self) -> bool:
        """Whether the page is there."""
        api = self._api
        return api is not None and api.lost is None and await api.pages.has(self._page_id)

    @spoken
    async def url(self) -> str:
        """An address of the page that works once, in one browser; each is another one."""
        if self._api is None:
            raise RoomError(CLOSED)
        return await self._api.pages.url(self._page_id)

    @spoken
    async def close(self) -> None:
        """Let go of the page: it ends when nobody else asked for it. What it shows goes on."""
        api, self._api = self._api, None
        if api is None:
            return
        try:
            await self._subject.close()
        except DaemonUnavailableError:
            return  # and the page is gone with the daemon
        finally:
            await api.aclose()


class Sidecar(Blocking[AsyncSidecar]):
    """A viewer that runs; see `sidecar`."""

    close = blocking(AsyncSidecar.close)

    @property
    def running(self) -> bool:
        """Whether the page is there."""
        return self.portal.call(self.twin.running())

    @property
    def url(self) -> str:
        """An address of the page that works once, in one browser; each is another one."""
        return self.portal.call(self.twin.url())

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
        subject = _subject(what)
    viewer = Sidecar(AsyncSidecar(subject), portal())
    viewer.portal.call(viewer.twin.open())
    if _has_desktop() if browse is None else browse:
        webbrowser.open(viewer.url)
    return viewer


def _subject(what: str | Path | None) -> Subject:
    if what is None:
        return _here()
    text = str(what)
    if isinstance(what, Path) or (text.endswith(".json") and not text.startswith("room:")):
        return _Shared(Path(what).expanduser().absolute())
    return _Shared(Ref(text) if text.startswith("room:") else Ref.make(Kind.ROOM, text))


def _here() -> Subject:
    here = shell()
    if here is None:
        hint = "Give a room's name or a kernel's connection file."
        raise RoomError("sidecar: this code runs in no IPython", hint=hint)
    path = connection_file(here)
    return _Shared(path) if path is not None else _Terminal(here)


def _has_desktop() -> bool:
    """Else a browser of the terminal would take the terminal."""
    return sys.platform == "darwin" or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
