"""The room daemon from outside: start it, stop it, ask how it is, become it."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import msgspec

from sandbox_tui.api.daemon_home import DaemonHome
from sandbox_tui.api.daemon_launch import COMMAND
from sandbox_tui.api.remote import RemoteApi
from sandbox_tui.model.errors import DaemonUnavailableError, DeadlineError, SandboxError
from sandbox_tui.model.world import RoomFacts, Sandbox
from sandbox_tui.runtime.peer import peer_of

STOPPING = 20.0
"""Seconds in which a daemon ends its kernels and itself."""


class DaemonStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How the daemon of one socket is."""

    running: bool
    socket: str
    log: str
    pid: int | None = None
    version: str = ""
    rooms: int = 0
    kernels: int = 0
    detail: str = ""
    """Why a running one cannot be used."""


async def start(path: Path | None = None) -> DaemonStatus:
    """Have a daemon, started if there is none. Raises `DaemonUnavailableError`."""
    api = await RemoteApi.connect(path, start=True)
    await api.aclose()
    return await status(path)


async def status(path: Path | None = None) -> DaemonStatus:
    """How it is, without starting it; `detail` says why a running one cannot be used."""
    home = DaemonHome.at(path)
    pid = await asyncio.to_thread(daemon_pid, home)
    here = DaemonStatus(
        running=pid is not None, socket=str(home.socket), log=str(home.log), pid=pid
    )
    if pid is None:
        return here
    try:
        api = await RemoteApi.connect(home.socket)
    except SandboxError as error:
        return msgspec.structs.replace(here, detail=error.message)
    try:
        rooms = (await api.settled()).sandboxes
        kernels = sum(is_own_kernel(room) for room in rooms)
        version = api.version
        return msgspec.structs.replace(here, version=version, rooms=len(rooms), kernels=kernels)
    finally:
        await api.aclose()


async def stop(path: Path | None = None) -> bool:
    """End the daemon and the kernels it owns; cells are kept. Whether there was one.

    Also ends a daemon of another version. Raises `DeadlineError` when it does not end.
    """
    home = DaemonHome.at(path)
    pid = await asyncio.to_thread(daemon_pid, home)
    if pid is None:
        return False
    if not await asyncio.to_thread(_end, home, pid):
        raise DeadlineError(f"stopping the daemon (process {pid})", STOPPING)
    return True


def run() -> NoReturn:
    """Become the daemon, in the foreground; Ctrl-C stops it."""
    os.execv(COMMAND[0], [*COMMAND, "--foreground"])


def is_own_kernel(room: Sandbox) -> bool:
    """Whether that room has a live kernel which ends with the daemon."""
    foreign = isinstance(room.facts, RoomFacts) and room.facts.foreign
    return room.state.is_live and not foreign


def daemon_pid(home: DaemonHome) -> int | None:
    """The process that listens there, as the system knows it; `None` when nobody does.

    Blocks for at most a second. Raises `DaemonUnavailableError` for another user's.
    """
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(home.socket))
            peer = peer_of(probe)
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        except OSError as error:
            raise DaemonUnavailableError(f"{home.socket}: {error.strerror or error}") from None
    if peer is not None and not peer.is_me:
        raise DaemonUnavailableError(f"{home.socket} belongs to user {peer.uid}, not to you")
    return (peer and peer.pid) or _written_pid(home)


def _written_pid(home: DaemonHome) -> int:
    try:
        return int(home.lock.read_text())
    except (OSError, ValueError):
        raise DaemonUnavailableError(f"{home.lock} names no process") from None


def _end(home: DaemonHome, pid: int) -> bool:
    """Ask it to end and wait for that: its lock gets free, and then the process is gone.

    One whose parent does not look after it stays as a zombie; the lock is what counts.
    """
    if _written_pid(home) != pid:
        raise DaemonUnavailableError(f"what listens on {home.socket} is no sandbox-tui daemon")
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    ended = _until(lambda: _is_free(home.lock), STOPPING)
    return ended and (_until(lambda: not _exists(pid), 1.0) or True)


def _until(true: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _is_free(lock: Path) -> bool:
    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
