"""Being the only daemon, in a folder that nobody else can use."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from sandbox_tui.api.daemon_home import DaemonHome
from sandbox_tui.model.errors import BackendUnavailableError, DaemonUnavailableError
from sandbox_tui.server.claim import TakenError, claimed, listening


@pytest.fixture
def daemon() -> DaemonHome:
    return DaemonHome.at()


def test_the_folder_is_made_for_this_user_only(daemon: DaemonHome) -> None:
    old = os.umask(0)
    try:
        with claimed(daemon):
            assert stat.S_IMODE(daemon.runtime.stat().st_mode) == 0o700
            assert stat.S_IMODE(daemon.lock.stat().st_mode) == 0o600
            assert daemon.lock.read_text() == f"{os.getpid()}\n"
    finally:
        os.umask(old)
    assert daemon.lock.read_text() == ""


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o702, 0o1777])
def test_a_folder_that_is_open_to_others_is_refused(daemon: DaemonHome, mode: int) -> None:
    daemon.runtime.mkdir()
    daemon.runtime.chmod(mode)

    with (
        pytest.raises(BackendUnavailableError, match="open to other users") as raised,
        claimed(daemon),
    ):
        pass
    assert raised.value.hint == f"Run: chmod 700 {daemon.runtime}"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_another_users_folder_is_refused(daemon: DaemonHome) -> None:
    daemon.runtime.mkdir(mode=0o700)
    os.chown(daemon.runtime, 4321, 4321)

    with pytest.raises(BackendUnavailableError, match="belongs to user 4321"), claimed(daemon):
        pass


def test_a_link_to_somewhere_is_refused(daemon: DaemonHome, home: Path) -> None:
    daemon.runtime.symlink_to(home / "run")

    with pytest.raises(BackendUnavailableError, match="is no folder"), claimed(daemon):
        pass


def test_a_folder_that_cannot_be_made_is_told(home: Path) -> None:
    (home / "file").write_text("")

    with pytest.raises(DaemonUnavailableError), claimed(DaemonHome.at(home / "file" / "x" / "s")):
        pass


def test_the_second_one_is_not_needed(daemon: DaemonHome) -> None:
    with claimed(daemon), pytest.raises(TakenError), claimed(daemon):
        pass
    with claimed(daemon):
        pass


def test_two_sockets_cannot_share_their_rooms(daemon: DaemonHome, home: Path) -> None:
    other = DaemonHome(home / "run" / "other.sock", daemon.state)

    with (
        claimed(daemon),
        pytest.raises(DaemonUnavailableError, match="keeps the rooms") as raised,
        claimed(other),
    ):
        pass
    assert not isinstance(raised.value, TakenError)


async def test_a_stale_socket_is_replaced_and_ours_removed(home: Path) -> None:
    path = home / "run" / "s"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))

    async with listening(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
    assert not path.exists()


async def test_a_path_that_no_socket_can_have_is_told(home: Path) -> None:
    with pytest.raises(DaemonUnavailableError, match="too long"):
        async with listening(home / "run" / ("x" * 200)):
            pass
