"""Where servers are looked for."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from sandbox_tui.backends.tmux import sockets


@pytest.fixture
def folder(home: Path) -> Path:
    folder = home / "tmux" / f"tmux-{os.getuid()}"
    folder.mkdir()
    return folder


@pytest.fixture
def listeners() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def listen(path: Path, listeners: ExitStack, backlog: int = 5) -> socket.socket:
    server = listeners.enter_context(socket.socket(socket.AF_UNIX))
    server.bind(str(path))
    server.listen(backlog)
    return server


def test_names_and_paths(home: Path, folder: Path) -> None:
    assert sockets.path_of("") == sockets.path_of("default") == f"{folder}/default"
    assert sockets.path_of("work") == f"{folder}/work"
    assert sockets.path_of("/run/x.sock") == "/run/x.sock"
    assert sockets.arguments("") == ("-L", "default")
    assert sockets.arguments("work") == ("-L", "work")
    assert sockets.arguments("/run/x.sock") == ("-S", "/run/x.sock")


def test_a_folder_that_is_not_there_is_not_used(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMUX_TMPDIR", str(home / "nowhere"))
    assert sockets.folder() == f"/tmp/tmux-{os.getuid()}"


def test_only_who_listens_is_live(folder: Path, listeners: ExitStack) -> None:
    listen(folder / "work", listeners)
    listen(folder / "default", listeners)
    listen(folder / "stale", listeners).close()
    (folder / "file").touch()
    (folder / "folder").mkdir()

    assert sockets.live_sockets() == ["", "work"]


def test_a_server_that_is_slow_to_accept_is_there(folder: Path, listeners: ExitStack) -> None:
    listen(folder / "busy", listeners, backlog=0)
    waiting = [listeners.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(4)]
    for client in waiting:
        client.setblocking(False)
        client.connect_ex(str(folder / "busy"))

    assert sockets.listens(str(folder / "busy"))


def test_no_folder_is_no_servers(home: Path) -> None:
    assert sockets.live_sockets() == []
