"""The backends that the contract is held against, each with a spec it can really start."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from sandbox_tui.backends.base import Backend
from sandbox_tui.backends.memory.kinds import MemoryContainers, MemoryTerminals
from sandbox_tui.backends.memory.rooms import MemoryRooms
from sandbox_tui.model.refs import Kind, Place
from sandbox_tui.model.specs import ContainerSpec, RoomSpec, Spec, TmuxSpec
from tests.support import require_engine, require_program

IMAGE = "sandbox-tui-test/busybox"
SLEEP = "echo ready; exec sleep 1000"


MINE = f"st-{uuid.uuid4().hex[:6]}-"
"""How everything begins that these tests make, in this process and in no other."""


@dataclass(frozen=True)
class Case:
    """One backend to hold the contract against."""

    name: str
    make: Callable[[Path], Awaitable[Backend]]
    spec: Callable[[str], Spec]
    needs: Callable[[], object] = lambda: None

    def unique(self) -> str:
        """A name that nobody else on this machine has."""
        return f"{MINE}{uuid.uuid4().hex[:8]}"


async def _terminals(home: Path) -> Backend:
    return MemoryTerminals()


async def _containers(home: Path) -> Backend:
    return MemoryContainers()


async def _memory_rooms(home: Path) -> Backend:
    return MemoryRooms()


async def _tmux(home: Path) -> Backend:
    from sandbox_tui.backends.tmux.backend import TmuxBackend

    return TmuxBackend()


async def _docker(home: Path) -> Backend:
    from sandbox_tui.backends.containers.backend import ContainerBackend

    return ContainerBackend()


async def _podman(home: Path) -> Backend:
    from sandbox_tui.backends.containers.backend import ContainerBackend

    return ContainerBackend(require_engine("podman").url)


async def _rooms(home: Path) -> Backend:
    from sandbox_tui.hub.rooms import RoomsBackend

    return await RoomsBackend.open(home / "state", home / "run")


async def _mounted(home: Path) -> Backend:
    from sandbox_tui.api import daemon
    from sandbox_tui.api.mounted import MountedBackend

    class WithItsDaemon(MountedBackend):
        """Its daemon ends with it."""

        async def aclose(self) -> None:
            await super().aclose()
            await daemon.stop()

    return WithItsDaemon(Place(Kind.ROOM))


def _terminal(name: str) -> Spec:
    return TmuxSpec(name=name, command=SLEEP)


def _container(name: str) -> Spec:
    return ContainerSpec(name=name, image=IMAGE, command=SLEEP)


def _room(name: str) -> Spec:
    return RoomSpec(name=name)


CASES = (
    Case("memory-tmux", _terminals, _terminal),
    Case("memory-container", _containers, _container),
    Case("memory-room", _memory_rooms, _room),
    Case("tmux", _tmux, _terminal, lambda: require_program("tmux")),
    Case("docker", _docker, _container, lambda: require_engine("docker")),
    Case("podman", _podman, _container, lambda: require_engine("podman")),
    Case("room", _rooms, _room),
    Case("mounted-room", _mounted, _room),
)
