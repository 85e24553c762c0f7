"""What an engine answers, as far as anybody here reads it."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from sandbox_tui.model.refs import Ref


class Box(NamedTuple):
    """One container as an operation needs it: whose name was asked for, and its full id.

    Operations go by id: a name also matches prefixes of ids, images, networks and volumes.
    """

    ref: Ref
    id: str
    state: str
    """The engine's own word: `running`, `exited`, …"""
    managed: bool = False
    """Whether this program made it."""
    waits: bool = False
    """Whether its main process is a shell that began by waiting for us."""


class Component(msgspec.Struct, frozen=True, rename="pascal"):
    """One part of an engine."""

    name: str = ""


class Version(msgspec.Struct, frozen=True, rename="pascal"):
    """Which engine answers."""

    version: str
    api_version: str
    components: list[Component] | None = None

    @property
    def runtime(self) -> str:
        """`docker` or `podman`; podman also answers under docker's name and socket."""
        parts = self.components or []
        return "podman" if any("podman" in part.name.lower() for part in parts) else "docker"

    def __str__(self) -> str:
        return f"{self.runtime} {self.version.partition('+')[0]}"


class Port(msgspec.Struct, frozen=True, rename="pascal"):
    """One port of a container, published or not."""

    private_port: int = 0
    public_port: int = 0
    type: str = "tcp"
    ip: str = msgspec.field(default="", name="IP")

    def __str__(self) -> str:
        inside = f"{self.private_port}/{self.type}"
        address = f"[{self.ip}]" if ":" in self.ip else self.ip
        return f"{address}:{self.public_port}->{inside}" if self.public_port else inside


class Listed(msgspec.Struct, frozen=True, rename="pascal"):
    """One container of the listing."""

    id: str
    names: list[str] | None = None
    image: str = ""
    command: str | None = None
    created: int = 0
    ports: list[Port] | None = None
    labels: dict[str, str] | None = None
    state: str = ""
    status: str = ""

    @property
    def name(self) -> str:
        """The engine's own name of it; the others (`/web/db`) are links of old."""
        names = [name.removeprefix("/") for name in self.names or ()]
        return next((name for name in names if "/" not in name), self.id[:12])


class MainProcess(msgspec.Struct, frozen=True, rename="pascal"):
    """State of a container's main process, as inspect tells it."""

    running: bool = False
    restarting: bool = False
    pid: int = 0
    exit_code: int | None = None
    error: str = ""
    started_at: str = ""
    finished_at: str = ""
    """Of the run before, while it runs."""
    oom_killed: bool = msgspec.field(default=False, name="OOMKilled")


class Configured(msgspec.Struct, frozen=True, rename="pascal"):
    """How a container was set up, by its image and by whoever made it."""

    tty: bool = False
    open_stdin: bool = False
    env: list[str] | None = None
    labels: dict[str, str] | None = None


class Inspected(msgspec.Struct, frozen=True, rename="pascal"):
    """What inspect adds to the listing."""

    state: MainProcess
    config: Configured = Configured()


class ExecState(msgspec.Struct, frozen=True, rename="pascal"):
    """How far a command inside a container has come."""

    running: bool = False
    exit_code: int | None = None
    pid: int = 0
    """As the machine of the engine counts; 0 before it runs."""


class Made(msgspec.Struct, frozen=True, rename="pascal"):
    """What was made."""

    id: str


class Ended(msgspec.Struct, frozen=True, rename="pascal"):
    """How a container has ended."""

    status_code: int = 0


class Event(msgspec.Struct, frozen=True, rename="pascal"):
    """Something that happened to a container."""

    action: str = ""
    id: str = msgspec.field(default="", name="id")


class Refused(msgspec.Struct, frozen=True):
    """The body of an answer that is an error."""

    message: str = ""
