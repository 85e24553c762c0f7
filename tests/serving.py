"""Serving an Api on a socket inside a test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sandbox_tui.api.base import Api
from sandbox_tui.server import listener
from sandbox_tui.server.claim import listening


@asynccontextmanager
async def served(api: Api, path: Path) -> AsyncIterator[Path]:
    """Let clients reach ``api`` on ``path`` for as long as the block lasts."""
    async with listening(path) as door:
        serving = asyncio.create_task(listener.serve(api, door.socket))
        try:
            yield path
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
