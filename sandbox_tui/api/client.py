"""`connect()`: one Api over everything this machine runs, in this process.

tmux and container engines are asked directly, with this process's own environment, folder and
configuration. Rooms belong to the daemon and are mounted from it.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Collection, Generator
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox_tui.api.assembly import demo_hub, machine_hub
from sandbox_tui.api.base import Api
from sandbox_tui.api.local import LocalApi
from sandbox_tui.hub.hub import Hub
from sandbox_tui.hub.reaper import Reaper
from sandbox_tui.model.refs import Kind
from sandbox_tui.runtime.beside import beside

if TYPE_CHECKING:
    from sandbox_tui.api.blocking_api import BlockingApi


@contextlib.asynccontextmanager
async def connect(
    *,
    kinds: Collection[Kind] | None = None,
    demo: bool = False,
    cwd: Path | None = None,
    read_only: bool = False,
) -> AsyncGenerator[Api]:
    """An Api for as long as the block lasts.

    `kinds` asks only those backends (all by default); `demo` is the built-in moving story; `cwd`
    is where the project's configuration is looked for; `read_only` refuses whatever could change
    something. Raises `ConfigError`.
    """
    machine = demo_hub() if demo else machine_hub(kinds, cwd)
    async with machine as hub, running(hub, reaping=not (demo or read_only)):
        api = LocalApi(hub)
        if read_only:
            from sandbox_tui.api.read_only import ReadOnlyApi

            yield ReadOnlyApi(api)
        else:
            yield api


@contextlib.asynccontextmanager
async def running(hub: Hub, *, reaping: bool = True) -> AsyncGenerator[None]:
    """Let `hub` poll for as long as the block lasts.

    `reaping` also ends the containers whose time is over, see `hub.reaper`.
    """
    async with contextlib.AsyncExitStack() as work:
        await work.enter_async_context(beside(hub.run(), "hub"))
        if reaping:  # ends first: it needs the hub to finish
            await work.enter_async_context(beside(Reaper(hub).run(), "reaper"))
        yield


@contextlib.contextmanager
def blocking(
    *, kinds: Collection[Kind] | None = None, demo: bool = False, cwd: Path | None = None
) -> Generator[BlockingApi]:
    """The same, synchronous: the loop runs in a thread of its own."""
    from sandbox_tui.api.blocking_api import BlockingApi
    from sandbox_tui.runtime.portal import Portal

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
