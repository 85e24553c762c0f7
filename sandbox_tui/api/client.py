"""`connect()`: one Api over everything this machine runs, in this process.

tmux and container engines are asked directly, with this process's own environment, folder and
configuration. Rooms belong to the daemon and are mounted from it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Collection, Generator
from pathlib import Path

from sandbox_tui.api.assembly import demo_hub, machine_hub
from sandbox_tui.api.base import Api
from sandbox_tui.api.blocking import BlockingApi
from sandbox_tui.api.local import LocalApi
from sandbox_tui.hub.hub import Hub
from sandbox_tui.model.refs import Kind
from sandbox_tui.runtime.portal import Portal


@contextlib.asynccontextmanager
async def connect(
    *, kinds: Collection[Kind] | None = None, demo: bool = False, cwd: Path | None = None
) -> AsyncGenerator[Api]:
    """An Api for as long as the block lasts.

    `kinds` asks only those backends (all by default); `demo` is the built-in moving story; `cwd`
    is where the project's configuration is looked for. Raises `ConfigError`.
    """
    async with demo_hub() if demo else machine_hub(kinds, cwd) as hub, running(hub):
        yield LocalApi(hub)


@contextlib.asynccontextmanager
async def running(hub: Hub) -> AsyncGenerator[None]:
    """Let `hub` poll for as long as the block lasts."""
    work = asyncio.create_task(hub.run(), name="hub")
    try:
        yield
    finally:
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work


@contextlib.contextmanager
def blocking(
    *, kinds: Collection[Kind] | None = None, demo: bool = False, cwd: Path | None = None
) -> Generator[BlockingApi]:
    """The same, synchronous: the loop runs in a thread of its own."""
    portal = Portal()
    try:
        session = connect(kinds=kinds, demo=demo, cwd=cwd)
        api = portal.call(session.__aenter__())
        try:
            yield BlockingApi(api, portal)
        finally:
            portal.call(session.__aexit__(None, None, None))
    finally:
        portal.close()
