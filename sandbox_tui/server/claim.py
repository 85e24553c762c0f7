"""The right to be the daemon: a folder for one user, a lock, and a socket that is really ours.

The kernel lets go of a lock when its process ends, however it ends. So who has the lock is the only
daemon there is, and may take away what a dead one left behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import socket
import stat
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import IO, NamedTuple

from sandbox_tui.api.daemon_home import DaemonHome
from sandbox_tui.model.errors import BackendUnavailableError, DaemonUnavailableError

BACKLOG = 128


class TakenError(DaemonUnavailableError):
    """Another daemon has that socket: this one is not needed."""


@contextlib.contextmanager
def claimed(home: DaemonHome) -> Generator[None]:
    """The right to be the daemon of `home`, for as long as the block lasts.

    Raises `TakenError`; `DaemonUnavailableError` when another daemon keeps the same rooms; and
    `BackendUnavailableError` for a folder that another user could use.
    """
    _private(home.runtime)
    home.make_state()
    with _locked(home.lock) as lock, _locked(home.state / "rooms.lock") as rooms:
        if lock is None:
            raise TakenError(f"another daemon has {home.socket}")
        if rooms is None:
            raise DaemonUnavailableError(f"another daemon keeps the rooms in {home.state}")
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        try:
            yield
        finally:
            lock.truncate(0)


class Door(NamedTuple):
    """A socket that clients connect to, and the file by which they find it."""

    socket: socket.socket
    path: Path
    inode: int

    def is_reachable(self) -> bool:
        """Whether the file is still there and still leads here."""
        try:
            return self.path.stat().st_ino == self.inode
        except OSError:
            return False


@contextlib.asynccontextmanager
async def listening(path: Path) -> AsyncGenerator[Door]:
    """A door that is open for as long as the block lasts; only for who has claimed it."""
    door = await asyncio.to_thread(_open, path)
    try:
        yield door
    finally:
        door.socket.close()
        if await asyncio.to_thread(door.is_reachable):
            await asyncio.to_thread(path.unlink, missing_ok=True)


def _open(path: Path) -> Door:
    own = socket.socket(socket.AF_UNIX)
    try:
        path.unlink(missing_ok=True)
        own.bind(str(path))
        path.chmod(0o600)
        own.listen(BACKLOG)
        return Door(own, path, path.stat().st_ino)
    except OSError as error:
        own.close()
        raise DaemonUnavailableError(f"{path}: {error.strerror or error}") from None


@contextlib.contextmanager
def _locked(path: Path) -> Generator[IO[str] | None]:
    """The file, locked; `None` when another process has it. It is never deleted: that races."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield file


def _private(folder: Path) -> None:
    """Make the folder, or make sure that it is this user's and closed to everybody else."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        found = folder.lstat()
    except OSError as error:
        raise DaemonUnavailableError(f"{folder}: {error.strerror}") from None
    if not stat.S_ISDIR(found.st_mode):
        raise _open_to_others(folder, "is no folder", f"Remove {folder}.")
    if found.st_uid != os.geteuid():
        hint = "Set SANDBOX_TUI_SOCKET to a path in a folder of your own."
        raise _open_to_others(folder, f"belongs to user {found.st_uid}, not to you", hint)
    if mode := stat.S_IMODE(found.st_mode) & 0o077:
        reason = f"is open to other users (mode {mode:03o} too much)"
        raise _open_to_others(folder, reason, f"Run: chmod 700 {folder}")


def _open_to_others(folder: Path, reason: str, hint: str) -> BackendUnavailableError:
    return BackendUnavailableError("room", f"{folder} {reason}", hint=hint)
