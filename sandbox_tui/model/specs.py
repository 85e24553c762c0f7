"""What a sandbox should be. A Spec with nothing live behind it is a `DEFINED` row."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TypeVar

import msgspec

from sandbox_tui.model.refs import Kind, Ref

Command = str | tuple[str, ...]
"""A string runs through a shell, because its author wrote one; a tuple runs without."""


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
