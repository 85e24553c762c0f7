"""Where the daemon lives, by environment."""

from pathlib import Path

import pytest

from sandbox_tui.api.daemon_home import DaemonHome, runtime_folder, socket_path, state_folder


def test_the_runtime_folder_of_the_session(home: Path) -> None:
    assert socket_path() == home / "run" / "sandbox-tui" / "daemon.sock"


def test_without_one_a_folder_of_this_user_in_tmp(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setattr("os.getuid", lambda: 1234)

    assert runtime_folder() == Path("/tmp/sandbox-tui-1234")


def test_a_relative_runtime_folder_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "run")

    assert runtime_folder().is_absolute()


def test_the_own_variable_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNTIMED_SOCKET_PATH", "/a/theirs.sock")
    assert socket_path() == Path("/a/theirs.sock")
    monkeypatch.setenv("SANDBOX_TUI_SOCKET", "~/ours.sock")
    assert socket_path() == Path.home() / "ours.sock"


def test_state(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert state_folder() == home / "app"
    monkeypatch.delenv("SANDBOX_TUI_HOME")
    assert state_folder() == home / "state" / "sandbox-tui"
    monkeypatch.delenv("XDG_STATE_HOME")
    assert state_folder() == Path.home() / ".local" / "state" / "sandbox-tui"


def test_everything_else_follows(home: Path) -> None:
    daemon = DaemonHome.at(Path("/a/b.sock"))

    assert daemon.runtime == Path("/a")
    assert daemon.lock == Path("/a/b.pid")
    assert daemon.log == home / "app" / "daemon.log"
