"""The pages that a daemon has open, and the site that serves them for as long as there is one.

A room and a kernel have one page however many ask for it: it ends when the last of them closes
it, when what it shows is gone, or with the daemon. A client that only went away leaves it open.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

from sandbox_tui.api.base import Api
from sandbox_tui.api.requests import Tell
from sandbox_tui.model.errors import ConflictError, NotFoundError
from sandbox_tui.model.refs import Ref
from sandbox_tui.server.pages.board import Board
from sandbox_tui.server.pages.site import Site
from sandbox_tui.server.pages.sources import Source, of_kernel, of_room

MOST_PAGES = 64
"""At a time; each keeps what it shows."""

log = logging.getLogger(__name__)


class _Page:
    """A page that is open: what it is of, who wants it, and what keeps it up to date."""

    def __init__(self, subject: str) -> None:
        self.board = Board(subject)
        self.subject = subject
        self.holders = 1
        self.work: asyncio.Task[None] | None = None


class Pages:
    """See the module. All in one loop."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._pages: dict[str, _Page] = {}
        self._boards: dict[str, Board] = {}
        self._site: Site | None = None
        self._opening = asyncio.Lock()

    async def show_room(self, ref: Ref) -> str:
        """The id of the room's page. Raises `NotFoundError`."""
        return await self._show(str(ref), of_room(self._api, ref))

    async def show_kernel(self, path: Path) -> str:
        """The id of a kernel's page. Raises `InvalidSpecError`."""
        return await self._show(str(path), of_kernel(path))

    async def present(self, name: str) -> AsyncIterator[str]:
        """The id of a page of what `tell` says, which ends with this iterator."""
        async with self._opening:
            page_id = await self._put(_Page(name))
        try:
            yield page_id
            await asyncio.Event().wait()  # whoever looks on ends it
        finally:
            await self.close(page_id)

    def tell(self, said: Tell) -> None:
        """Show one more output. Raises `NotFoundError` when the page has ended."""
        self._get(said.page_id).board.add(said.block_id, said.title, said.output)

    def url(self, page_id: str) -> str:
        """An address that opens the page once. Raises `NotFoundError` when it has ended."""
        self._get(page_id)
        assert self._site is not None
        return self._site.url(page_id)

    def has(self, page_id: str) -> bool:
        """Whether the page is there."""
        return page_id in self._pages

    async def close(self, page_id: str) -> None:
        """One who asked for it needs it no more; nothing when it has ended."""
        page = self._pages.get(page_id)
        if page is None:
            return
        page.holders -= 1
        if not page.holders:
            await self._end(page_id)

    async def aclose(self) -> None:
        """End all of them, and the site."""
        async with self._opening:
            await asyncio.gather(*map(self._end, tuple(self._pages)))
            if self._site is not None:
                await self._site.close()

    async def _show(self, subject: str, source: Source) -> str:
        async with self._opening:
            for page_id, page in self._pages.items():
                if page.subject == subject and page.work is not None:
                    page.holders += 1
                    return page_id
            page = _Page(subject)
            page.work = await _begun(page.board, source)
            page_id = await self._put(page)
            page.work.add_done_callback(lambda _: self._drop(page_id))
            return page_id

    async def _put(self, page: _Page) -> str:
        if len(self._pages) >= MOST_PAGES:
            await _ended(page.work)
            raise ConflictError(f"{MOST_PAGES} pages are open", hint="Close one of them.")
        if self._site is None:
            self._site = await Site.open(self._boards)
        page_id = secrets.token_urlsafe(8)
        self._pages[page_id], self._boards[page_id] = page, page.board
        return page_id

    def _get(self, page_id: str) -> _Page:
        page = self._pages.get(page_id)
        if page is None:
            raise NotFoundError(page_id)
        return page

    async def _end(self, page_id: str) -> None:
        if (page := self._drop(page_id)) is not None:
            await _ended(page.work)

    def _drop(self, page_id: str) -> _Page | None:
        page = self._pages.pop(page_id, None)
        self._boards.pop(page_id, None)
        if page is not None:
            page.board.end()
        return page


async def _begun(board: Board, source: Source) -> asyncio.Task[None]:
    """What keeps a board up to date, when it shows what there was. Raises `SandboxError`."""
    ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    work = asyncio.create_task(_keep_up(board, source, ready), name=f"page of {board.name}")
    try:
        await ready
    except BaseException:
        await _ended(work)
        raise
    return work


async def _keep_up(board: Board, source: Source, ready: asyncio.Future[None]) -> None:
    try:
        async with source(board) as news:
            ready.set_result(None)
            async for _ in news:
                pass  # it is on the board already
    except Exception as error:  # the edge of a worker: a fault in here ends one page
        if ready.done():
            log.exception("the page of %s ended", board.name)
        else:
            ready.set_exception(error)


async def _ended(work: asyncio.Task[None] | None) -> None:
    if work is not None:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
