"""The room daemon: owns documents and kernels, so that they outlive every window.

It is a Hub over the rooms backend, served as an `Api` on a Unix socket. Asked to stop it ends its
kernels; killed it leaves them running, and the next daemon takes them over.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys

import sandbox_tui
from sandbox_tui.api.base import Api
from sandbox_tui.api.cages import cages_of
from sandbox_tui.api.client import running
from sandbox_tui.api.daemon import is_own_kernel
from sandbox_tui.api.daemon_home import DaemonHome
from sandbox_tui.api.local import LocalApi
from sandbox_tui.hub.hub import Hub
from sandbox_tui.hub.rooms import RoomsBackend
from sandbox_tui.model.actions import Stop
from sandbox_tui.model.errors import ConfigError, SandboxError
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.server import daemon_log, listener
from sandbox_tui.server.claim import Door, TakenError, claimed, listening
from sandbox_tui.settings.load import load
from sandbox_tui.settings.schema import Config

INTERVAL = 2.0
"""Seconds between two polls of the rooms; whatever happens in one wakes the poll earlier."""

LOOK = 5.0
"""Seconds between two looks whether the socket is still there."""

GRACE = 2.0
"""Seconds that a kernel has to end when the daemon stops."""

log = logging.getLogger("sandbox_tui.daemon")


def main() -> int:
    """Be the daemon until told to stop. The exit code is 0 when another one is there already."""
    parser = argparse.ArgumentParser(prog="sandbox-tui daemon run", description=__doc__)
    parser.add_argument("--foreground", action="store_true", help="tell the terminal, too")
    foreground: bool = parser.parse_args().foreground
    home = DaemonHome.at()
    try:
        home.make_state()
        daemon_log.begin(home.log, foreground=foreground)
        with claimed(home):
            asyncio.run(_live(home))
    except TakenError as error:
        log.info("not needed: %s", error)
    except SandboxError as error:
        log.error("%s. %s", error, error.hint)
        return 1
    return 0


async def _live(home: DaemonHome) -> None:
    config = await _config()
    wanted = config.backends.room
    rooms = await RoomsBackend.open(
        home.state,
        home.runtime,
        most_output=wanted.output,
        pool=wanted.pool,
        isolation=wanted.isolation,
        cages=cages_of(config),
    )
    hub = Hub([rooms], intervals={Kind.ROOM: INTERVAL})
    async with running(hub):
        api = LocalApi(hub)
        async with listening(home.socket) as door:
            log.info("sandbox-tui %s listens on %s", sandbox_tui.__version__, home.socket)
            await _serve(api, door)
        await _end_kernels(api)
    log.info("stopped")


async def _config() -> Config:
    """The user's configuration; a faulty one keeps no daemon from rooms."""
    try:
        return (await asyncio.to_thread(load)).config
    except ConfigError as error:
        log.error("%s. %s", error, error.hint)
        return Config()


async def _serve(api: Api, door: Door) -> None:
    """Serve until a signal asks to stop, or until nobody can find the way here any more."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    serving = asyncio.create_task(listener.serve(api, door.socket), name="listener")
    ends = (serving, asyncio.create_task(stop.wait()), asyncio.create_task(_lost(door)))
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        serving.result()
    for task in ends:
        task.cancel()
    await asyncio.wait(ends)


async def _lost(door: Door) -> None:
    """Return when the socket was removed.

    Such a daemon cannot be asked to stop and would keep the rooms from the next one for ever.
    """
    while await asyncio.to_thread(door.is_reachable):  # noqa: ASYNC110  # no event tells
        await asyncio.sleep(LOOK)
    log.warning("%s was removed: nobody can reach this daemon", door.path)


async def _end_kernels(api: Api) -> None:
    """End every kernel that the daemon owns; documents stay."""
    world = await api.settled()
    rooms = [room.ref for room in world.sandboxes if is_own_kernel(room)]
    log.info("stopping: %d kernels end", len(rooms))
    ends = (_end_kernel(api, ref) for ref in rooms)
    for ref, error in zip(rooms, await asyncio.gather(*ends), strict=True):
        if error is not None:
            log.error("the kernel of %s did not end: %s", ref, error)


async def _end_kernel(api: Api, ref: Ref) -> str | None:
    try:
        async with asyncio.timeout(4 * GRACE):
            await api.perform(Stop(ref=ref, timeout=GRACE))
    except SandboxError as error:
        return error.message
    except TimeoutError:
        return f"no answer within {4 * GRACE:g} s"
    return None


if __name__ == "__main__":
    sys.exit(main())
