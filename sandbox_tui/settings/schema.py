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
from sandbox_tui.model.sizes import parse_size
from sandbox_tui.model.specs import SPEC_OF, Command, HostAccess, Spec

Seconds = Annotated[float, Meta(ge=0.05, le=3600, description="Seconds between two looks")]
_ANY = {"$comment": "taken as it is written"}
AnyScalar = Annotated[str, Meta(extra_json_schema=_ANY)]
"""Text; where a file has a number, the text is what was written."""

SocketName = Annotated[
    str, Meta(title="a name without a slash", pattern=r"^[^/\x00-\x1f\x7f]+$(?!\n)")
]
"""Never a path: whoever owns a tmux server can run commands in the clients that join it."""

ServerAddress = Annotated[
    str,
    Meta(
        title="an address like http://host:8888/?token=…",
        pattern=r"^https?://[^/?#@\s]+([/?#]\S*)?$(?!\n)",
    ),
]
"""As Jupyter prints it; without a user's name or a password, which would be shown."""

Size = Annotated[
    int,
    Meta(
        title="a size like 256m or 1.5g",
        extra={"parse": parse_size},
        extra_json_schema={"type": ["integer", "string"]},
    ),
]
"""Bytes, written with a unit of 1024."""

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
    isolation: Annotated[
        Literal["none", "container", "container+network"],
        Meta(description="What a kernel is shut in when its room does not say"),
    ] = "none"
    image: Annotated[str, Meta(min_length=1, description="What isolated kernels run in")] = (
        "sandbox-tui/kernel"
    )
    memory: Annotated[
        int, Meta(ge=67_108_864, description="Bytes of memory that an isolated kernel may have")
    ] = 2_147_483_648
    output: Annotated[
        int, Meta(ge=1024, description="Bytes that are kept of what one run says")
    ] = 67_108_864
    servers: Annotated[
        tuple[ServerAddress, ...],
        Meta(description="Jupyter servers whose kernels to show; never from a project's file"),
    ] = ()


class Backends(Section, frozen=True, kw_only=True):
    """One part per kind of sandbox."""

    tmux: TmuxBackend = field(default_factory=TmuxBackend)
    container: ContainerBackend = field(default_factory=ContainerBackend)
    room: RoomBackend = field(default_factory=RoomBackend)


class ContainerFields(Section, frozen=True, kw_only=True):
    """What a container may be given; what is not said is left to the engine and the image."""

    image: str | None = None
    command: Annotated[
        Command | None, Meta(description="A string runs in a shell, a list runs without")
    ] = None
    entrypoint: Annotated[
        Command | None, Meta(description="container: in place of the image's own")
    ] = None
    working_dir: str | None = None
    env: Words | None = None
    labels: Words | None = None
    volumes: Annotated[
        Strings | None, Meta(description="container: HOST:CONTAINER[:ro|rw|z|Z]")
    ] = None
    ports: Annotated[
        Strings | None, Meta(description="container: [ADDRESS:]HOST:CONTAINER[/tcp|udp|sctp]")
    ] = None
    log_volume: Annotated[str | None, Meta(description="container: one more volume, for logs")] = (
        None
    )
    tty: Annotated[bool | None, Meta(description="container: give it a terminal")] = None
    user: Annotated[AnyScalar | None, Meta(description="container: USER[:GROUP]")] = None
    hostname: Annotated[str | None, Meta(description="container: its own name")] = None
    network: Annotated[
        str | None, Meta(description="container: none, bridge, host or the name of a network")
    ] = None
    dns: Annotated[Strings | None, Meta(description="container: addresses of name servers")] = None
    extra_hosts: Annotated[Strings | None, Meta(description="container: NAME:ADDRESS")] = None
    read_only: Annotated[bool | None, Meta(description="container: its root is read-only")] = None
    tmpfs: Annotated[Strings | None, Meta(description="container: PATH[:OPTIONS]")] = None
    memory: Annotated[Size | None, Meta(description="container: limit of its memory")] = None
    swap: Annotated[Size | None, Meta(description="container: swap beyond its memory")] = None
    shm: Annotated[Size | None, Meta(description="container: size of its /dev/shm")] = None
    cpus: Annotated[float | None, Meta(description="container: how many cores it may use")] = None
    pids: Annotated[int | None, Meta(description="container: how many processes")] = None
    dropped: Annotated[Strings | None, Meta(description="container: capabilities taken away")] = (
        None
    )
    security: Annotated[
        Literal["normal", "strict"] | None, Meta(description="container: how high its wall is")
    ] = None
    access: Annotated[
        HostAccess | None, Meta(description="container: what lowers its wall to the host")
    ] = None
    init: Annotated[bool | None, Meta(description="container: a small init as process 1")] = None
    ttl: Annotated[float | None, Meta(description="container: seconds that it lives")] = None
    idle_timeout: Annotated[
        float | None, Meta(description="container: seconds without use until it ends")
    ] = None
    persist: Annotated[bool | None, Meta(description="container: it outlives its maker")] = None
    project: Annotated[str | None, Meta(description="container: what it belongs to")] = None


class Profile(ContainerFields, frozen=True, kw_only=True):
    """A named set of container options."""


class Entry(ContainerFields, frozen=True, kw_only=True):
    """What one sandbox should be. Which fields it may have depends on its backend."""

    backend: Annotated[
        Kind | None, Meta(description="Without it: container with an image, room with a kernel")
    ] = None
    profile: Annotated[str | None, Meta(description="container: what says the rest")] = None
    runtime: Annotated[
        Literal["docker", "podman"] | None, Meta(description="container: which engine")
    ] = None
    socket: Annotated[SocketName | None, Meta(description="tmux: which server")] = None
    kernel: Annotated[str | None, Meta(description="room: name of a kernelspec")] = None
    env_source: Annotated[str | None, Meta(description="room: where its packages come from")] = None
    isolation: Annotated[
        Literal["none", "container", "container+network"] | None,
        Meta(description="room: what its kernel is shut in"),
    ] = None

    @property
    def kind(self) -> Kind:
        """What this entry describes."""
        if self.backend is not None:
            return self.backend
        if self.image is not None or self.profile is not None:
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


class Server(Section, frozen=True, kw_only=True):
    """How `serve` and `web` answer over HTTP."""

    host: Annotated[str, Meta(description="Address to listen on")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="0 is any free one")] = 8000
    names: Annotated[
        Strings, Meta(description="Names it is reached by, beside localhost and addresses")
    ] = ()
    kernels: Annotated[int, Meta(ge=1, le=1000, description="Kernels that may live at once")] = 32
    idle: Annotated[
        float, Meta(ge=0, description="Seconds after which an idle kernel ends; 0 is never")
    ] = 0.0
    timeout: Annotated[
        float, Meta(ge=1, le=604800, description="Seconds that a cell may run unless it says so")
    ] = 3600.0
    body: Annotated[
        int, Meta(ge=1024, description="Longest request, or message of a WebSocket, in bytes")
    ] = 16_777_216
    upload: Annotated[
        float, Meta(ge=1, le=86400, description="Seconds in which a request must have come whole")
    ] = 60.0
    output: Annotated[
        int, Meta(ge=1024, description="Most output of one run that is answered, in characters")
    ] = 4_000_000


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
    server: Server = field(default_factory=Server)
    ui: Ui = field(default_factory=Ui)


USER_ONLY = (
    ("backends", "tmux", "binary"),
    ("backends", "container", "runtime"),
    ("backends", "container", "hosts"),
    ("backends", "room", "servers"),
    ("policy",),
    ("server",),
)
"""What a project's file may not say: it came with a folder, and must not choose what is executed,
which machine is talked to, who may talk to this one, or what containers are allowed."""


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
