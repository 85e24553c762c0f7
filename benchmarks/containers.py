"""Real containers of the benchmark's own: labelled, uniquely named, and always removed."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from psutil import Process, process_iter

if TYPE_CHECKING:
    from socket import SocketIO

    from docker import DockerClient

IMAGE = "sandbox-tui-test/busybox"
SLEEPS = ("sleep", "100000")
ENDS_WHEN_TOLD = ("sh", "-c", "read line; exit 7")
LABEL = "sandbox-tui-bench"
ENGINE_PROGRAMS = frozenset({"dockerd", "containerd"})


class Containers:
    """Running containers, by name."""

    def __init__(self, client: DockerClient, command: Sequence[str]) -> None:
        self.client = client
        self._command = list(command)
        self.mark = secrets.token_hex(2)
        self.ids: dict[str, str] = {}
        self._streams: list[SocketIO] = []

    def make(self, count: int) -> None:
        """Create and start that many; a few at a time, the engine is slow at it."""
        with ThreadPoolExecutor(4) as makers:
            list(makers.map(self._make, [f"b{self.mark}-{n:02}" for n in range(count)]))

    def tell(self, name: str) -> None:
        """Write a line to the main process."""
        stdin = self.client.api.attach_socket(self.ids[name], params={"stdin": 1, "stream": 1})
        stdin._sock.sendall(b"\n")
        self._streams.append(stdin)  # closed too early, the line may never arrive

    def end(self) -> None:
        """Remove every one that was made."""
        with ThreadPoolExecutor(4) as removers:
            list(removers.map(self._remove, tuple(self.ids.values())))
        for stream in self._streams:
            stream.close()

    def _make(self, name: str) -> None:
        api = self.client.api
        made = api.create_container(
            IMAGE, self._command, name=name, labels={LABEL: self.mark}, stdin_open=True
        )
        self.ids[name] = made["Id"]
        api.start(made["Id"])

    def _remove(self, container: str) -> None:
        from docker.errors import NotFound

        try:
            self.client.api.remove_container(container, force=True, v=True)
        except NotFound:
            return


@contextmanager
def containers(count: int, command: Sequence[str] = SLEEPS) -> Iterator[Containers]:
    """That many running containers."""
    import docker

    client = docker.from_env()
    made = Containers(client, command)
    try:
        made.make(count)
        yield made
    finally:
        made.end()
        client.close()


def engine_processes() -> list[Process]:
    """The engine's own daemons; the containers and their shims are not among them."""
    return [one for one in process_iter(["name"]) if one.info["name"] in ENGINE_PROGRAMS]
