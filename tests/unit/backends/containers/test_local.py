"""Which engines are shown beside each other: told by sockets that accept, and nothing else."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox_tui.backends.containers.engine import endpoint
from sandbox_tui.backends.containers.engine.local import Engines, engines, one

Listen = Callable[[Path], None]


@pytest.fixture
def listen() -> Iterator[Listen]:
    """Return what makes a socket that accepts."""
    made: list[socket.socket] = []

    def start(path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        made.append(socket.socket(socket.AF_UNIX))
        made[-1].bind(str(path))
        made[-1].listen()

    yield start
    for each in made:
        each.close()


@pytest.fixture
def places(home: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Where docker and the user's podman would listen."""
    docker = home / "docker.sock"
    monkeypatch.setattr(endpoint, "DOCKER_SOCKET", str(docker))
    monkeypatch.setattr(endpoint, "PODMAN_SOCKET", str(home / "nobody.sock"))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.delenv("DOCKER_CONTEXT", raising=False)
    return docker, home / "run" / "podman" / "podman.sock"


def test_alone_an_engine_is_the_plain_one(places: tuple[Path, Path], listen: Listen) -> None:
    docker, _ = places
    assert engines() == one("")
    listen(docker)
    assert engines() == Engines({"": ""}, {"docker": ""})


def test_podman_alone_is_the_plain_one(places: tuple[Path, Path], listen: Listen) -> None:
    _, podman = places
    listen(podman)
    assert engines() == Engines({"": f"unix://{podman}"}, {"podman": ""})


def test_both_are_told_apart_and_podman_starts(places: tuple[Path, Path], listen: Listen) -> None:
    for path in places:
        listen(path)
    docker, podman = places
    assert engines() == Engines(
        {"": f"unix://{docker}", "podman": f"unix://{podman}"}, {"docker": "", "": "podman"}
    )


def test_a_socket_that_nobody_listens_on_is_no_engine(
    places: tuple[Path, Path], listen: Listen
) -> None:
    docker, podman = places
    listen(docker)
    podman.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(podman))
    assert set(engines().addresses) == {""}


def test_one_engine_under_two_names_is_one(
    places: tuple[Path, Path], listen: Listen, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    _, podman = places
    listen(home / "real.sock")
    podman.parent.mkdir(parents=True)
    podman.symlink_to(home / "real.sock")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{home}/real.sock")
    assert engines().means == {"podman": ""}
    assert set(engines().addresses) == {""}


def test_another_machine_is_beside_podman(
    places: tuple[Path, Path], listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    listen(places[1])
    monkeypatch.setenv("DOCKER_HOST", "tcp://far:2376")
    assert engines().addresses == {"": "", "podman": f"unix://{places[1]}"}


def test_a_context_that_cannot_be_read_is_for_the_backend_to_tell(
    places: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONTEXT", "nowhere")
    assert engines() == one("")
