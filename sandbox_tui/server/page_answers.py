"""What a client asks of pages."""

from __future__ import annotations

from pathlib import Path

from sandbox_tui.api import requests
from sandbox_tui.api.requests import Call
from sandbox_tui.model.errors import UsageError
from sandbox_tui.server.pages.pages import Pages


async def answer_page(call: Call, pages: Pages) -> object:
    """The one answer, by the pages of the daemon. Raises `SandboxError`."""
    match call:
        case requests.ShowRoom(ref):
            return await pages.show_room(ref)
        case requests.ShowKernel(path):
            return await pages.show_kernel(Path(path))
        case requests.Tell():
            return pages.tell(call)
        case requests.PageUrl(page_id):
            return pages.url(page_id)
        case requests.HasPage(page_id):
            return pages.has(page_id)
        case requests.ClosePage(page_id):
            return await pages.close(page_id)
        case _:
            raise UsageError(f"no answer to {type(call).__name__}")
