"""Serves an `Api` on a Unix socket: lets clients in, each as a guest of its own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncGenerator

from sandbox_tui.api.base import Api
from sandbox_tui.runtime.peer import peer_of
from sandbox_tui.runtime.wire import CHUNK, server_channel
from sandbox_tui.server.guest import Guest
from sandbox_tui.server.pages.pages import Pages

MOST_GUESTS = 256
"""Clients at the same time; kernels need file descriptors too."""

log = logging.getLogger(__name__)


async def serve(api: Api, listening: socket.socket) -> None:
    """Accept clients until cancelled; then each is told so and hung up on.

    Only processes of this very user are let in. `listening` stays the caller's.
    """
    listening.setblocking(False)
    loop = asyncio.get_running_loop()
    async with _pages(api) as pages, asyncio.TaskGroup() as guests:
        room = asyncio.Semaphore(MOST_GUESTS)
        while True:
            await room.acquire()
            try:
                connected, _ = await loop.sock_accept(listening)
            except OSError as error:
                log.warning("cannot accept a client: %s", error)
                await asyncio.sleep(0.2)  # no descriptors left: let some go
                room.release()
                continue
            guest = guests.create_task(_host(api, pages, connected), name="guest")
            guest.add_done_callback(lambda _: room.release())


@contextlib.asynccontextmanager
async def _pages(api: Api) -> AsyncGenerator[Pages]:
    """The pages that clients ask for; they end when no client is let in any more."""
    pages = Pages(api)
    try:
        yield pages
    finally:
        await pages.aclose()


async def _host(api: Api, pages: Pages, connected: socket.socket) -> None:
    peer = peer_of(connected)
    if peer is not None and not peer.is_me:
        log.warning("refused process %d of user %d", peer.pid, peer.uid)
        connected.close()
        return
    reader, writer = await asyncio.open_unix_connection(sock=connected, limit=2 * CHUNK)
    try:
        await Guest(api, pages, server_channel(reader, writer)).serve()
    except Exception:  # the edge of a worker: a fault in here harms one client
        log.exception("a client was lost")
    finally:
        writer.transport.abort()
