"""`sandbox-tui serve`: the app on a socket until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection, Generator
from socket import socket

import uvicorn

from sandbox_tui.api.client import connect
from sandbox_tui.model.refs import Kind
from sandbox_tui.server.http.app import OPEN, make_app
from sandbox_tui.server.http.auth import Gate
from sandbox_tui.server.http.listening import Listening, Wish, listen, names_of
from sandbox_tui.server.http.signals import on_signal
from sandbox_tui.settings.load import load

SETTLING = 5.0
"""Seconds that backends have to answer before the first request is taken."""

GRACE = 3
"""Seconds that requests have to end when the server stops."""

CONNECTIONS = 1000
"""Clients at once; one more is answered with 503."""


async def serve(
    wish: Wish,
    *,
    kinds: Collection[Kind] | None = None,
    demo: bool = False,
    read_only: bool = False,
    ready: Callable[[Listening], None],
) -> int:
    """Serve until SIGINT or SIGTERM; `ready` is called when it listens. Gives the exit code."""
    config = (await asyncio.to_thread(load)).config
    settings = config.server
    listening = await asyncio.to_thread(listen, settings, wish)
    settings = wish.over(settings)
    gate = Gate(listening.token, names_of(settings), OPEN)
    try:
        async with connect(kinds=kinds, demo=demo, read_only=read_only) as api:
            await api.settled(SETTLING)
            allowed, engines = config.policy.allow, config.backends.container.hosts
            app = make_app(api, settings, gate, allowed=allowed, engines=engines)
            await _run(
                Server(_config(app, settings.body)), listening.socket, lambda: ready(listening)
            )
    finally:
        listening.socket.close()
    return 0


def _config(app: object, longest: int) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # pyright: ignore[reportArgumentType]  # an app is any callable of that shape
        log_config=None,
        access_log=False,
        lifespan="on",
        limit_concurrency=CONNECTIONS,
        ws_max_size=longest,
        timeout_graceful_shutdown=GRACE,
        server_header=False,
    )


class Server(uvicorn.Server):
    """One that ends well when it is told to stop, and does not send the signal on."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Stop at SIGINT and SIGTERM; a second one does not wait for open requests."""
        with on_signal(self._stop):
            yield

    def _stop(self) -> None:
        self.force_exit = self.should_exit
        self.should_exit = True


async def _run(server: Server, bound: socket, ready: Callable[[], None]) -> None:
    serving = asyncio.create_task(server.serve([bound]), name="uvicorn")
    while not (server.started or serving.done()):  # noqa: ASYNC110  # it has no event for that
        await asyncio.sleep(0.01)
    if not serving.done():
        ready()
    await serving
