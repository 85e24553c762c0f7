"""The pages that a daemon shows in a browser, from another process."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from types import NoneType

from sandbox_tui.api import requests
from sandbox_tui.model.errors import SandboxError
from sandbox_tui.model.outputs import Output
from sandbox_tui.model.refs import Ref
from sandbox_tui.runtime.link import Link


class RemotePages:
    """Opens pages and has their addresses; all calls raise `SandboxError`."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def show_room(self, ref: Ref) -> str:
        """The id of a room's page, which shows every cell's latest run."""
        return await self._link.ask(requests.ShowRoom(ref), str)

    async def show_kernel(self, path: Path) -> str:
        """The id of the page of a kernel, which shows what that says from now on."""
        return await self._link.ask(requests.ShowKernel(str(path)), str)

    def present(self, name: str) -> AsyncGenerator[str]:
        """The id of a page of what is told here; it ends with this iterator."""
        return self._link.stream(requests.Present(name), str)

    def tell(self, page_id: str, block_id: str, title: str, output: Output) -> None:
        """Show an output on a page that is presented; without waiting. What is too late is lost."""
        self._link.tell(requests.Tell(page_id, block_id, title, output), _nothing)

    async def url(self, page_id: str) -> str:
        """An address that opens the page once, in one browser; each is another one."""
        return await self._link.ask(requests.PageUrl(page_id), str)

    async def has(self, page_id: str) -> bool:
        """Whether the page is there."""
        return await self._link.ask(requests.HasPage(page_id), bool)

    async def close(self, page_id: str) -> None:
        """It is needed here no more; it ends when nobody else needs it."""
        await self._link.ask(requests.ClosePage(page_id), NoneType)


def _nothing(error: SandboxError) -> None:
    """The page has ended: there is nobody to be told."""
