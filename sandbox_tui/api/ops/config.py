"""What a session should be, and how one is: plain values, as kstlib.ops has them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from sandbox_tui.api.ops.exceptions import SessionConfigError
from sandbox_tui.model.codec import convert
from sandbox_tui.model.refs import Kind
from sandbox_tui.model.specs import SPEC_OF, Command, Spec
from sandbox_tui.model.world import ContainerFacts, Sandbox, State, TmuxFacts
from sandbox_tui.settings.definitions import port


class BackendType(StrEnum):
    """Where a session runs."""

    TMUX = "tmux"
    CONTAINER = "container"

    @property
    def kind(self) -> Kind:
        """The kind of sandbox that it is."""
        return Kind(self.value)


class SessionState(StrEnum):
    """How a session is, in five words; `SessionStatus.detail` has the finer one."""

    RUNNING = "running"
    STOPPED = "stopped"
    EXITED = "exited"
    DEFINED = "defined"
    UNKNOWN = "unknown"


_STATES = {
    State.DEFINED: SessionState.DEFINED,
    State.STARTING: SessionState.RUNNING,
    State.RUNNING: SessionState.RUNNING,
    State.IDLE: SessionState.RUNNING,
    State.BUSY: SessionState.RUNNING,
    State.PAUSED: SessionState.STOPPED,
    State.STOPPED: SessionState.STOPPED,
    State.EXITED: SessionState.EXITED,
    State.FAILED: SessionState.EXITED,
    State.UNKNOWN: SessionState.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """A session as somebody describes it. Raises `SessionConfigError` for what none can be."""

    name: str
    backend: BackendType = BackendType.TMUX
    command: Command | None = None
    """A string runs through a shell, a tuple of words without one."""
    working_dir: str | None = None
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    image: str | None = None
    volumes: list[str] = field(default_factory=list[str])
    ports: list[str] = field(default_factory=list[str])
    runtime: str | None = None
    log_volume: str | None = None
    socket_name: str | None = None
    """tmux: name of the server's socket."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "backend", backend_type(self.backend))

    @property
    def spec(self) -> Spec:
        """The same as the Hub's spec, without what its backend has no use for."""
        wanted = SPEC_OF[self.backend.kind]
        values = {
            "name": self.name,
            "command": self.command,
            "working_dir": self.working_dir,
            "env": {key: str(value) for key, value in self.env.items()},
            "image": self.image or "",
            "volumes": self.volumes,
            "ports": [port(str(text)) for text in self.ports],
            "runtime": self.runtime or "",
            "log_volume": self.log_volume,
            "socket": self.socket_name or "",
        }
        known = {key: values[key] for key in values if key in wanted.__struct_fields__}
        try:
            return convert({"type": self.backend.value, **known}, wanted)
        except msgspec.ValidationError as error:
            raise SessionConfigError(f"{self.name}: {error}") from None


@dataclass(frozen=True)
class DefinedSession(SessionConfig):
    """A session of a configuration file, with all that only the file can say of it."""

    definition: Spec = field(kw_only=True, repr=False)

    @property
    def spec(self) -> Spec:
        """The definition, with the values of this session over its own."""
        said = super().spec
        if type(said) is not type(self.definition):
            return said
        mine = {key: getattr(said, key) for key in said.__struct_fields__ if key in _SAID}
        return msgspec.structs.replace(self.definition, **mine)


@dataclass(slots=True)
class SessionStatus:
    """How a session is now."""

    name: str
    state: SessionState
    backend: BackendType
    pid: int | None = None
    created_at: str | None = None
    """Seconds since the epoch, as text."""
    window_count: int = 0
    socket_name: str | None = None
    image: str | None = None
    exit_code: int | None = None
    detail: str = ""
    """The finer state when `state` is coarser than that, or why it is so: `paused`, `signal 9`."""


def backend_type(text: str) -> BackendType:
    """The backend of that name. Raises `SessionConfigError`."""
    try:
        return BackendType(text)
    except ValueError:
        known = " or ".join(backend.value for backend in BackendType)
        raise SessionConfigError(f"there is no backend {text!r}", hint=f"Use {known}.") from None


def status_of(box: Sandbox) -> SessionStatus:
    """A row of the world in this face's words."""
    state, facts = _STATES[box.state], box.facts
    terminal = facts if isinstance(facts, TmuxFacts) else None
    return SessionStatus(
        name=box.ref.name,
        state=state,
        backend=BackendType(box.ref.kind.value),
        pid=box.pid,
        created_at=f"{box.created_at:.0f}" if box.created_at is not None else None,
        window_count=terminal.windows if terminal is not None else 0,
        socket_name=(box.ref.place.where or None) if terminal is not None else None,
        image=facts.image if isinstance(facts, ContainerFacts) else None,
        exit_code=box.exit_code,
        detail=box.detail or (box.state.value if box.state.value != state.value else ""),
    )


def defined_status(config: SessionConfig) -> SessionStatus:
    """A session that is described in a configuration file and not there yet."""
    return SessionStatus(
        name=config.name,
        state=SessionState.DEFINED,
        backend=config.backend,
        socket_name=config.socket_name,
        image=config.image,
    )


_SAID = {one.name for one in dataclasses.fields(SessionConfig)} | {"socket"}
"""Fields of a spec that a `SessionConfig` says."""


def config_of(spec: Spec) -> DefinedSession:
    """A definition of the configuration as this face has it."""
    said = {key: getattr(spec, key) for key in spec.__struct_fields__ if key in _SAID - {"socket"}}
    for row in ("volumes", "ports"):
        if row in said:
            said[row] = list(said[row])
    said["socket_name"] = getattr(spec, "socket", "") or None
    return DefinedSession(backend=BackendType(spec.ref.kind.value), definition=spec, **said)
