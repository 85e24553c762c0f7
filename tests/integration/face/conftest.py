"""The containers' faces on real engines; whatever a test leaves behind is taken away."""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import docker.errors
import pytest

from sandbox_tui.api import containers
from sandbox_tui.api.containers import loop
from sandbox_tui.api.containers_async import AsyncContainer, resume_container
from sandbox_tui.api.containers_async.machine import close_machines
from tests.support import Engine, require_engine, require_program

IMAGE = "sandbox-tui-test/busybox"

on_docker = pytest.mark.parametrize("engine", ["docker"], indirect=True)
"""For what does not depend on which of the two engines it is."""


@pytest.fixture(params=["docker", "podman"], scope="module")
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each of the two engines."""
    return require_engine(request.param)


class Outside:
    """Somebody else who uses the same engine."""

    def __init__(self, engine: Engine) -> None:
        self.client: Any = docker.APIClient(base_url=engine.url, timeout=30)
        self._made: list[str] = []

    def name(self) -> str:
        """A name of which nothing is left at the end."""
        self._made.append(f"st-face-{uuid.uuid4().hex[:8]}")
        return self._made[-1]

    def run(self, *command: str, **config: object) -> str:
        """A container that somebody else has made."""
        name = self.make(*command, **config)
        self.client.start(name)
        return name

    def make(self, *command: str, **config: object) -> str:
        """One that is not started."""
        name = self.name()
        body = {"Image": IMAGE, "Cmd": list(command), "HostConfig": {"Init": True}, **config}
        self.client.create_container_from_config(body, name)
        return name

    def names(self) -> set[str]:
        """All containers there are, running or not."""
        listed = self.client.containers(all=True)
        return {name.removeprefix("/") for one in listed for name in one["Names"]}

    def state(self, name: str) -> str:
        """The engine's own word; empty when it is gone."""
        try:
            return self.client.inspect_container(name)["State"]["Status"]
        except docker.errors.APIError as error:
            if "no such container" in str(error).lower() or "not exist" in str(error):
                return ""
            raise

    def remove(self, name: str) -> None:
        """Take it away, whatever it does."""
        try:
            self.client.remove_container(name, force=True, v=True)
        except docker.errors.APIError as error:
            if "no such container" not in str(error).lower():
                raise

    def end(self) -> None:
        """Take everything away."""
        for name in self._made:
            self.remove(name)
        self.client.close()


@pytest.fixture
def outside(engine: Engine) -> Iterator[Outside]:
    outside = Outside(engine)
    yield outside
    outside.end()


@pytest.fixture
async def machines() -> AsyncIterator[None]:
    """Let go of the engines before the loop ends."""
    yield
    await close_machines()


@pytest.fixture(scope="module")
def waiting(engine: Engine) -> Iterator[str]:
    """A container of somebody else that does nothing, for all tests of a module."""
    outside = Outside(engine)
    yield outside.run("sleep", "100000")
    outside.end()


@pytest.fixture
async def box(engine: Engine, waiting: str, machines: None) -> AsyncContainer:
    """A container that waits for commands; no test may end it."""
    return await resume_container(waiting, socket_path=engine.url)


Make = Callable[..., containers.Container]


@pytest.fixture
def make(engine: Engine, outside: Outside) -> Iterator[Make]:
    """A maker of containers for callers that wait."""

    def make(**wishes: Any) -> containers.Container:
        name = wishes.pop("name", None) or outside.name()
        given = {"image": IMAGE, "socket_path": engine.url, **wishes}
        return containers.create_new_container(name=name, **given)

    yield make
    loop.close()


@pytest.fixture
def busybox_alone() -> str:
    """The program that is in every image here."""
    return require_program("busybox")


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A folder that every user of a container can see."""
    tmp_path.chmod(0o755)
    return tmp_path


def is_there(path: Path | str) -> bool:
    """Whether something has that path, for tests on a loop."""
    return os.path.lexists(path)


def program(*argv: str, **settings: Any) -> subprocess.Popen[str]:
    """Another program, whose lines can be read."""
    return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, **settings)
