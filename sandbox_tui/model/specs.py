"""What a sandbox should be. A Spec with nothing live behind it is a `DEFINED` row."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Literal, TypeVar

import msgspec

from sandbox_tui.model.refs import Kind, Ref

Command = str | tuple[str, ...]
"""A string runs through a shell, because its author wrote one; a tuple runs without."""

WAITING = ("sh", "-s", "sandbox-tui")
"""Entry point of a container that waits for commands: a shell, which can begin another for them.

The last word tells our own shells from others in a list of processes.
"""

FOREVER = 2**31 - 1
"""Seconds that every `sleep` understands, also a busybox's."""

IDLING = ("sleep", str(FOREVER))
"""The same where it shall only be there."""


class Inside(msgspec.Struct, frozen=True, kw_only=True):
    """How a command runs inside a container, where that is not as anything there does."""

    env: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
    """Variables beside its own."""
    working_dir: str = ""
    user: str = ""
    """As `USER[:GROUP]`, names or numbers."""
    held: bool = False
    """See `actions.Run`."""


class TmuxSpec(msgspec.Struct, frozen=True, kw_only=True, tag="tmux", forbid_unknown_fields=True):
    """A tmux session that runs one command, or the user's shell when there is none."""

    name: str
    command: Command | None = None
    working_dir: str | None = None
    env: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
    labels: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
    socket: str = ""
    """Name of the tmux server's socket; empty is the default one."""

    @property
    def ref(self) -> Ref:
        """The sandbox this spec describes."""
        return Ref.make(Kind.TMUX, self.name, self.socket)


class HostAccess(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What lowers the wall between a container and its host. By default nothing does."""

    privileged: bool = False
    capabilities: tuple[str, ...] = ()
    """Kernel capabilities beyond the engine's own set: `NET_ADMIN`, `ALL`."""
    devices: tuple[str, ...] = ()
    """As `HOST[:CONTAINER[:rwm]]`."""
    device_rules: tuple[str, ...] = ()
    """Rules of the device cgroup: `c 1:3 rmw`."""
    gpus: str = ""
    """`all`, or how many."""
    security_options: tuple[str, ...] = ()
    """As the engine takes them: `seccomp=unconfined`."""
    pid: str = ""
    ipc: str = ""
    uts: str = ""
    userns: str = ""
    cgroupns: str = ""
    """Namespaces that are not its own: `host`, or `container:NAME`."""


class ContainerSpec(
    msgspec.Struct, frozen=True, kw_only=True, tag="container", forbid_unknown_fields=True
):
    """A container of an image."""

    name: str
    image: str = ""
    command: Command | None = None
    working_dir: str | None = None
    env: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
    labels: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
    volumes: tuple[str, ...] = ()
    """As `HOST:CONTAINER[:ro|rw|z|Z]`."""
    ports: tuple[str, ...] = ()
    """As `[ADDRESS:]HOST:CONTAINER[/tcp|udp|sctp]`; without an address, 127.0.0.1."""
    log_volume: str | None = None
    """One more volume, for logs that outlive the container."""
    runtime: str = ""
    """Which engine, when there are several: `docker`, `podman`; empty is the default one."""
    tty: bool = True
    entrypoint: Command | None = None
    """In place of the image's own."""
    user: str = ""
    """As `USER[:GROUP]`, names or numbers; empty is the image's own."""
    hostname: str = ""
    network: str = ""
    """`none`, `bridge`, `host`, or the name of a network; empty is the engine's default."""
    dns: tuple[str, ...] = ()
    extra_hosts: tuple[str, ...] = ()
    """As `NAME:ADDRESS`."""
    read_only: bool = False
    """Whether the root file system cannot be written."""
    tmpfs: tuple[str, ...] = ()
    """As `PATH[:OPTIONS]`."""
    memory: int | None = None
    """Limit in bytes."""
    swap: int | None = None
    """Swap beyond the memory, in bytes; `None` is the engine's default, 0 is none."""
    cpus: float | None = None
    """How many cores it may use."""
    pids: int | None = None
    """How many processes it may have."""
    shm: int | None = None
    """Size of `/dev/shm` in bytes."""
    dropped: tuple[str, ...] = ()
    """Kernel capabilities that it does not get."""
    security: Literal["normal", "strict"] = "normal"
    """`strict` drops every capability and new privileges, and limits processes and swap."""
    access: HostAccess = HostAccess()
    init: bool = True
    """Whether a small init is process 1, which reaps and passes signals on."""
    ttl: float | None = None
    """Seconds after which it is ended and removed, whatever it does."""
    idle_timeout: float | None = None
    """Seconds without a command in it after which it is ended and removed."""
    persist: bool = False
    """Whether it outlives whoever made it."""
    project: str = ""
    profile: str = ""

    @property
    def ref(self) -> Ref:
        """The sandbox this spec describes."""
        return Ref.make(Kind.CONTAINER, self.name, self.runtime)


class RoomSpec(msgspec.Struct, frozen=True, kw_only=True, tag="room", forbid_unknown_fields=True):
    """A room: a document of cells and the kernel that runs it."""

    name: str
    kernel: str = "python"
    """Name of an installed kernelspec; `python` is the program's own interpreter."""
    working_dir: str | None = None
    env: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
    labels: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
    env_source: str = ""
    """Where its packages come from: a virtual environment, `uv:prewarmed`, `uv:inline`, …"""
    isolation: str = ""
    """`none`, `container` or `container+network`; empty is what the configuration says."""
    notebook: str = ""
    """The `.ipynb` file that it is made from, and saved to when no other is named."""

    @property
    def ref(self) -> Ref:
        """The sandbox this spec describes."""
        return Ref.make(Kind.ROOM, self.name)


Spec = TmuxSpec | ContainerSpec | RoomSpec
AnySpec = TypeVar("AnySpec", bound=Spec)

SPEC_OF: dict[Kind, type[Spec]] = {
    Kind.TMUX: TmuxSpec,
    Kind.CONTAINER: ContainerSpec,
    Kind.ROOM: RoomSpec,
}


def overlay(spec: AnySpec, partial: Mapping[str, object]) -> AnySpec:
    """`spec` with the given fields replaced: the only merge there is.

    Mappings (`env`, `labels`) merge key by key; everything else is replaced whole. A value of
    `None` means "not said" and changes nothing.
    """
    said = {key: value for key, value in partial.items() if value is not None}
    for key in ("env", "labels"):
        extra = said.get(key)
        if isinstance(extra, Mapping):
            said[key] = {**getattr(spec, key), **extra}
    return msgspec.structs.replace(spec, **said)


def fingerprint(spec: Spec) -> str:
    """The same for equal specs, on every machine; tells whether a definition has changed since."""
    return hashlib.sha256(msgspec.json.encode(spec, order="deterministic")).hexdigest()[:16]
