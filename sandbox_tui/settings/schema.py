"""The shape of a configuration file, with every default.

`config/default.yml` says the same for a reader; a test holds the two together, so that a program
without any configuration file parses no YAML at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, cast

import msgspec
from msgspec import Meta, field

from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.model.specs import SPEC_OF, Command, Spec

Seconds = Annotated[float, Meta(ge=0.05, le=3600, description="Seconds between two looks")]
_ANY = {"$comment": "taken as it is written"}
AnyScalar = Annotated[str, Meta(extra_json_schema=_ANY)]
"""Text; where a file has a number, the text is what was written."""

SocketName = Annotated[
    str, Meta(title="a name without a slash", pattern=r"^[^/\x00-\x1f\x7f]+$(?!\n)")
]
"""Never a path: whoever owns a tmux server can run commands in the clients that join it."""

Words = Mapping[str, AnyScalar]
Strings = tuple[AnyScalar, ...]


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every part of the configuration."""


class Refresh(Section, frozen=True, kw_only=True):
    """How often each kind of backend is asked, unless an event wakes it earlier."""

    tmux: Seconds = 0.5
    container: Seconds = 1.0
    room: Seconds = 0.5


class TmuxBackend(Section, frozen=True, kw_only=True):
    """Which tmux, and which of its servers."""

    binary: Annotated[str, Meta(description="The tmux program; never from a project's file")] = (
        "tmux"
    )
    sockets: Annotated[
        tuple[SocketName, ...], Meta(description="Names of server sockets to show")
    ] = ("default",)


class ContainerBackend(Section, frozen=True, kw_only=True):
    """Which container engines."""

    runtime: Annotated[
        Literal["docker", "podman"] | None,
        Meta(description="Which engine; null is whichever answers; never from a project's file"),
    ] = None
    hosts: Annotated[
        Strings, Meta(description="`local`, or an address: ssh://, tcp://; never from a project")
    ] = ("local",)


class RoomBackend(Section, frozen=True, kw_only=True):
    """How kernels are made."""

    pool: Annotated[int, Meta(ge=0, le=64, description="Kernels kept ready")] = 2
    isolation: Annotated[Literal["none"], Meta(description="What a kernel is shut in")] = "none"


class Backends(Section, frozen=True, kw_only=True):
    """One part per kind of sandbox."""

    tmux: TmuxBackend = field(default_factory=TmuxBackend)
    container: ContainerBackend = field(default_factory=ContainerBackend)
    room: RoomBackend = field(default_factory=RoomBackend)


class Profile(Section, frozen=True, kw_only=True):
    """A named set of container options."""

    image: str = ""
    command: Command | None = None
    working_dir: str | None = None
    env: Words = field(default_factory=dict[str, str])
    labels: Words = field(default_factory=dict[str, str])
    volumes: Strings = ()
    ports: Strings = ()


class Entry(Section, frozen=True, kw_only=True):
    """What one sandbox should be. Which fields it may have depends on its backend."""

    backend: Annotated[
        Kind | None, Meta(description="Without it: container with an image, room with a kernel")
    ] = None
    command: Annotated[
        Command | None, Meta(description="A string runs in a shell, a list runs without")
    ] = None
    working_dir: str | None = None
    env: Words | None = None
    labels: Words | None = None
    socket: Annotated[SocketName | None, Meta(description="tmux: which server")] = None
    image: str | None = None
    volumes: Annotated[
        Strings | None, Meta(description="container: HOST:CONTAINER[:ro|rw|z|Z]")
    ] = None
    ports: Annotated[
        Strings | None, Meta(description="container: [ADDRESS:]HOST:CONTAINER[/tcp|udp|sctp]")
    ] = None
    log_volume: Annotated[str | None, Meta(description="container: one more volume, for logs")] = (
        None
    )
    runtime: Annotated[
        Literal["docker", "podman"] | None, Meta(description="container: which engine")
    ] = None
    tty: Annotated[bool | None, Meta(description="container: give it a terminal")] = None
    kernel: Annotated[str | None, Meta(description="room: name of a kernelspec")] = None
    env_source: Annotated[str | None, Meta(description="room: where its packages come from")] = None

    @property
    def kind(self) -> Kind:
        """What this entry describes."""
        if self.backend is not None:
            return self.backend
        if self.image is not None:
            return Kind.CONTAINER
        return Kind.TMUX if self.kernel is None else Kind.ROOM

    def foreign_fields(self) -> tuple[str, ...]:
        """Fields that are said and that its kind has no use for."""
        known = SPEC_OF[self.kind].__struct_fields__
        return tuple(name for name in self._said() if name not in known)

    def spec(self, name: str) -> Spec:
        """The sandbox it describes. Raises `InvalidNameError` for a name nothing can have."""
        spec = msgspec.convert({**self._said(), "name": name}, SPEC_OF[self.kind])
        Ref(spec.ref)
        return spec

    def _said(self) -> dict[str, object]:
        values = msgspec.structs.asdict(self)
        del values["backend"]
        return {key: value for key, value in values.items() if value is not None}


class Policy(Section, frozen=True, kw_only=True):
    """What containers may be given although it opens the machine to them."""

    allow: Annotated[Strings, Meta(description="Abilities by name; never from a project")] = ()


class Ui(Section, frozen=True, kw_only=True):
    """How the dashboard looks and which keys it has."""

    theme: str = "textual-dark"
    preset: Literal["default", "lazydocker", "k9s", "claude-squad"] = "default"
    keymap: Annotated[
        Mapping[str, Strings], Meta(description="Keys by the id of what they do: sandbox.stop")
    ] = field(default_factory=dict[str, tuple[str, ...]])


class Config(Section, frozen=True, kw_only=True):
    """Configuration of sandbox-tui."""

    refresh: Refresh = field(default_factory=Refresh)
    backends: Backends = field(default_factory=Backends)
    profiles: Mapping[str, Profile] = field(default_factory=dict[str, Profile])
    sandboxes: Mapping[str, Entry] = field(default_factory=dict[str, Entry])
    policy: Policy = field(default_factory=Policy)
    ui: Ui = field(default_factory=Ui)


USER_ONLY = (
    ("backends", "tmux", "binary"),
    ("backends", "container", "runtime"),
    ("backends", "container", "hosts"),
    ("policy",),
)
"""What a project's file may not say: it came with a folder, and must not choose what is executed,
which machine is talked to, or what containers are allowed."""


def schema() -> dict[str, object]:
    """The JSON Schema of a configuration file, for editors."""
    plain = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {**plain, **_widened(msgspec.json.schema(Config))}


def _widened(part: Any) -> Any:
    """With every scalar allowed where text is taken as it is written."""
    if isinstance(part, list):
        return [_widened(item) for item in cast("list[object]", part)]
    if not isinstance(part, dict):
        return part
    wide = {key: _widened(value) for key, value in cast("dict[str, object]", part).items()}
    return (
        wide | {"type": ["string", "number", "boolean"]} if _ANY.items() <= wide.items() else wide
    )
