"""A disk that is really full: rooms go on, and it is said that nothing is saved, until it is."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox_tui.api.remote import RemoteApi
from sandbox_tui.api.rooms import Session
from sandbox_tui.api.rooms.client import portal
from sandbox_tui.model.refs import Kind, Place
from sandbox_tui.model.world import Health
from tests.integration.daemon.conftest import processes
from tests.support import lack, retry_until

SIZE = 2 * 1024 * 1024


class Disk:
    """A file system of its own, of two megabytes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filling = folder / "filling"

    def fill(self) -> None:
        """Leave not one byte, nor what a daemon that just wrote gives back."""
        retry_until(self._is_full)

    def _is_full(self) -> bool:
        with self._filling.open("ab", buffering=0) as file:
            for size in (4096, 1):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError:
                    continue
        return not shutil.disk_usage(self.folder).free

    def clear(self) -> None:
        """Make room."""
        self._filling.unlink()


@pytest.fixture
def disk(home: Path) -> Iterator[Disk]:
    """Under everything that a daemon keeps."""
    folder = home / "app"
    mount = shutil.which("mount")
    if os.geteuid() or mount is None:
        lack("mounting a file system needs root")
    command = [mount, "-t", "tmpfs", "-o", f"size={SIZE},mode=700", "tmpfs", str(folder)]
    if subprocess.run(command, check=False).returncode:
        lack("no file system can be mounted here")
    yield Disk(folder)
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def complaint(disk: Disk) -> Health | None:
    """What the daemon says when the disk is full, whatever it has freed meanwhile."""
    disk.fill()
    told = health()
    return told if told.impaired else None


def health() -> Health:
    """What the daemon says of its rooms."""

    async def ask() -> Health:
        api = await RemoteApi.connect()
        try:
            told = (await api.settled()).health_of(Place(Kind.ROOM))
        finally:
            await api.aclose()
        assert told is not None
        return told

    return portal().call(ask())


def listing() -> str:
    """What `ls` warns of."""
    command = [sys.executable, "-m", "sandbox_tui", "ls", "--backend", "room"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stderr


def kill_daemon(home: Path) -> None:
    """Without a chance to write what it has not yet written."""
    [pid] = [pid for pid, command in processes(home).items() if "server.daemon" in command]
    os.kill(pid, signal.SIGKILL)
    retry_until(lambda: pid not in processes(home))


def test_rooms_go_on_and_are_saved_when_there_is_room_again(
    disk: Disk, home: Path, session: Session
) -> None:
    assert health().is_sound
    cell = session.create_cell("x = 20")
    session.execute_cell(cell)
    disk.fill()

    session.set_source(cell, "x = 41")
    assert session.execute_cell(cell).success
    late = session.create_cell("print(x + 1, 'é' * 20_000)")
    assert session.execute_cell(late).stdout.startswith("42 é")

    told = retry_until(lambda: complaint(disk), timeout=10)
    assert told is not None
    assert told.ok
    assert "room:lab" in told.detail
    assert "not saved: No space left on device" in told.detail
    assert told.hint.startswith("Make room")
    warning = "is not saved: No space left on device (Make room on its disk"
    retry_until(lambda: warning in listing(), timeout=10)
    with Session("other") as other:
        other.start_kernel(env_source="")
        assert other.run("print(1)").stdout == "1\n"

    disk.clear()
    retry_until(lambda: health().is_sound, timeout=20)
    kill_daemon(home)
    with Session("lab") as again:
        again.start_kernel(env_source="")
        assert again.get_cell(cell).source == "x = 41"
        assert again.get_cell(late).execution_count == 3
        assert again.run("print(x)").stdout == "41\n"


def test_a_daemon_starts_on_a_full_disk(disk: Disk) -> None:
    disk.fill()
    with Session("lab") as session:
        session.start_kernel(env_source="")
        assert session.run("print(1)").stdout == "1\n"
    retry_until(lambda: complaint(disk), timeout=10)
