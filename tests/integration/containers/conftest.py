"""Real engines, containers that are taken away again, and a view from outside."""

from __future__ import annotations

import ssl
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import docker
import docker.errors
import pytest

from sandbox_tui.backends.containers.backend import ContainerBackend
from sandbox_tui.model.refs import Ref
from tests.integration.containers.gates import Gate, certify
from tests.integration.containers.peers import Answer, Forwarder, Peer
from tests.support import Engine, require_engine, require_program

IMAGE = "sandbox-tui-test/busybox"


on_docker = pytest.mark.parametrize("engine", ["docker"], indirect=True)
"""For what does not depend on which of the two engines it is."""


class Outside:
    """Somebody else who uses the same engine, by the library's own low-level client."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.client: Any = docker.APIClient(base_url=engine.url, timeout=30)
        self._made: list[str] = []

    def name(self) -> str:
        """A name that is taken away at the end."""
        self._made.append(f"st-test-{uuid.uuid4().hex[:8]}")
        return self._made[-1]

    def make(
        self, *command: str, host: Mapping[str, object] | None = None, **config: object
    ) -> str:
        """Create a container and return its name."""
        name = self.name()
        body = {"Image": IMAGE, "Cmd": list(command), "HostConfig": {"Init": True, **(host or {})}}
        self.client.create_container_from_config({**body, **config}, name)
        return name

    def run(self, *command: str, host: Mapping[str, object] | None = None, **config: object) -> str:
        """Start a container and return its name."""
        name = self.make(*command, host=host, **config)
        self.client.start(name)
        return name

    def main(self, ref: Ref) -> str:
        """The command line of its main process, as it was made."""
        config = self.client.inspect_container(ref.name)["Config"]
        return " ".join(config["Entrypoint"] or config["Cmd"])

    def shell(self, script: str, host: Mapping[str, object] | None = None, **config: object) -> str:
        """Start a container that runs a shell script, and return its name."""
        return self.run("sh", "-c", script, host=host, **config)

    def without_shell(self, folder: Path) -> str:
        """Start a container that has one program and nothing else, and return its name."""
        nothing = folder / "nothing"
        nothing.mkdir()
        binds = [f"{nothing}:/bin:ro", f"{require_program('busybox')}:/sleep:ro"]
        return self.run("/sleep", "1000", host={"Binds": binds})

    def end(self) -> None:
        """Take everything away."""
        for name in self._made:
            try:
                self.client.remove_container(name, force=True, v=True)
            except docker.errors.APIError as error:
                if "no such container" not in str(error).lower():
                    raise
        self.client.close()


@pytest.fixture(params=["docker", "podman"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each of the two engines."""
    return require_engine(request.param)


@pytest.fixture
def outside(engine: Engine) -> Iterator[Outside]:
    outside = Outside(engine)
    yield outside
    outside.end()


@pytest.fixture
async def backend(engine: Engine) -> AsyncIterator[ContainerBackend]:
    backend = ContainerBackend(engine.url)
    yield backend
    await backend.aclose()


@pytest.fixture
def forwarder(docker_engine: Engine, home: Path) -> Iterator[Forwarder]:
    """Docker behind a door that can be shut."""
    forwarder = Forwarder(home / "door.sock", docker_engine.socket)
    yield forwarder
    forwarder.close()


@pytest.fixture
def peer(home: Path) -> Iterator[Callable[[dict[str, Answer]], Peer]]:
    """Return a maker of engines that answer as they are told."""
    made: list[Peer] = []

    def make(answers: dict[str, Answer]) -> Peer:
        made.append(Peer(home / f"peer{len(made)}.sock", answers))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def gate(docker_engine: Engine) -> Iterator[Gate]:
    """Docker on a port, for everybody."""
    gate = Gate(docker_engine.socket)
    yield gate
    gate.close()


@pytest.fixture
def certificates(home: Path) -> Path:
    """A folder as docker wants it, and the server's own pair in it."""
    folder = home / "certs"
    folder.mkdir()
    certify(folder)
    return folder


@pytest.fixture
def tls_gate(docker_engine: Engine, certificates: Path) -> Iterator[Gate]:
    """Docker behind TLS, for callers with a certificate of the same authority only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    context.load_verify_locations(certificates / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    gate = Gate(docker_engine.socket, context)
    yield gate
    gate.close()
