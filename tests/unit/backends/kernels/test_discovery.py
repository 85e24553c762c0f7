"""Finding connection files; sockets stand in for kernels, because nobody talks to them here."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox_tui.backends.kernels.foreign.discovery import Discovery
from tests.support import retry_until


def write(path: Path, *, transport: str, ip: str, port: int) -> None:
    ports = dict.fromkeys(("shell_port", "control_port", "iopub_port"), port)
    path.write_text(json.dumps({"transport": transport, "ip": ip, "key": "k", **ports}))


@pytest.fixture
def folder(home: Path) -> Path:
    return home / "kernels"


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def names(discovery: Discovery) -> list[str]:
    return [found.path.stem for found in discovery.living()]


def test_jupyters_own_folder_is_the_default(folder: Path) -> None:
    assert Discovery().folder == folder


def test_who_listens_is_there_and_who_does_not_is_not(
    folder: Path, listening: socket.socket
) -> None:
    write(folder / "kernel-1.json", transport="tcp", ip="127.0.0.1", port=1)
    port = listening.getsockname()[1]
    write(folder / "kernel-2.json", transport="tcp", ip="127.0.0.1", port=port)
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(folder / "s-7"))
        unix.listen()
        write(folder / "kernel-3.json", transport="ipc", ip=str(folder / "s"), port=7)
        assert names(Discovery()) == ["kernel-2", "kernel-3"]


def test_one_stat_when_nothing_changed(folder: Path, listening: socket.socket) -> None:
    port = listening.getsockname()[1]
    write(folder / "kernel-1.json", transport="tcp", ip="127.0.0.1", port=port)
    discovery = Discovery()
    first = discovery.living()
    assert discovery.living() is first
    write(folder / "kernel-2.json", transport="tcp", ip="127.0.0.1", port=port)
    assert names(discovery) == ["kernel-1", "kernel-2"]
    (folder / "kernel-1.json").unlink()
    assert names(discovery) == ["kernel-2"]


def test_a_file_that_is_still_written_is_read_again(folder: Path, listening: socket.socket) -> None:
    file = folder / "kernel-1.json"
    file.write_text('{"shell_port"')
    discovery = Discovery()
    assert names(discovery) == []
    write(file, transport="tcp", ip="127.0.0.1", port=listening.getsockname()[1])
    retry_until(lambda: names(discovery) == ["kernel-1"])


def test_a_new_kernel_may_come_up_later(folder: Path) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
        write(folder / "kernel-1.json", transport="tcp", ip="127.0.0.1", port=port)
        discovery = Discovery()
        assert names(discovery) == []
        server.listen()
        assert names(discovery) == ["kernel-1"]


def test_an_old_dead_file_is_not_asked_for_at_every_look(folder: Path) -> None:
    file = folder / "kernel-1.json"
    write(file, transport="tcp", ip="127.0.0.1", port=1)
    before = time.time() - 60
    os.utime(file, (before, before))
    discovery = Discovery()
    first = discovery.living()
    assert discovery.living() is first == []


def test_a_folder_that_is_not_there_is_empty(home: Path) -> None:
    assert names(Discovery(home / "nowhere")) == []
