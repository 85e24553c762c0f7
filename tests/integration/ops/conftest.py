"""Sessions in real tmux and in real engines, each taken away again."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox_tui.api.ops.machine import close_machines
from tests.integration.cli.conftest import cli, here, sit_down
from tests.support import Engine, require_program

__all__ = ["cli", "here", "sit_down"]

IMAGE = "sandbox-tui-test/busybox"


@pytest.fixture(autouse=True)
def _fresh_machines(here: Path) -> Iterator[None]:
    """Every test has its own environment, and so needs its own Hub."""
    yield
    close_machines()


@pytest.fixture
def docker(docker_engine: Engine) -> Callable[..., str]:
    """Docker's own command line, as somebody else uses it."""
    program = require_program("docker")

    def run(*words: str, check: bool = True) -> str:
        argv = [program, "--host", docker_engine.url, *words]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=50, check=False)
        assert not check or done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run


@pytest.fixture
def name(docker: Callable[..., str]) -> Iterator[str]:
    """A name for a container, of which nothing is left."""
    name = f"st-ops-{uuid.uuid4().hex[:8]}"
    yield name
    docker("rm", "-f", "-v", name, check=False)


@pytest.fixture
def podman_beside(podman_engine: Engine, monkeypatch: pytest.MonkeyPatch, home: Path) -> Engine:
    """Podman's service where a user's own has it."""
    folder = home / "run" / "podman"
    folder.mkdir()
    (folder / "podman.sock").symlink_to(podman_engine.socket)
    return podman_engine
