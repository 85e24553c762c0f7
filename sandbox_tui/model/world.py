"""What is there: an immutable picture of every sandbox, and the difference of two pictures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

import msgspec

from sandbox_tui.model.refs import Kind, Place, Ref


class State(StrEnum):
    """What a sandbox is doing; the same ten words on every surface."""

    DEFINED = "defined"
    STARTING = "starting"
    RUNNING = "running"
    IDLE = "idle"
    BUSY = "busy"
    PAUSED = "paused"
    STOPPED = "stopped"
    EXITED = "exited"
    FAILED = "failed"
    UNKNOWN = "unknown"

    @property
    def is_live(self) -> bool:
        """Whether something is there that runs, or waits to run, code."""
        return self in _LIVE

    @property
    def sentence(self) -> str:
        """The rest of a sentence about a sandbox: `is running`, `has exited`."""
        return f"{'has' if self in (State.EXITED, State.FAILED) else 'is'} {self}"


_LIVE = frozenset({State.STARTING, State.RUNNING, State.IDLE, State.BUSY, State.PAUSED})


class TmuxFacts(msgspec.Struct, frozen=True, tag="tmux"):
    """What only tmux sessions have."""

    session_id: str = ""
    """tmux's own id, as `$3`; empty when nothing runs."""
    pane_id: str = ""
    """The active pane, as `%7`."""
    windows: int = 0
    attached: int = 0
    """How many clients look at it, this program's own not counted."""
    command: str = ""
    """The program in the active pane, as tmux names it."""
    path: str = ""
    exit_code: int | None = None
    dead_signal: int | None = None


class ContainerFacts(msgspec.Struct, frozen=True, tag="container"):
    """What only containers have."""

    container_id: str = ""
    image: str = ""
    runtime: str = ""
    """`docker` or `podman`."""
    command: str = ""
    ports: tuple[str, ...] = ()
    """As `127.0.0.1:8081->8080/tcp`."""
    exit_code: int | None = None
    health: str = ""
    """`healthy`, `unhealthy`, `starting`, or empty when the image has no check."""
    restarting: bool = False


class RoomFacts(msgspec.Struct, frozen=True, tag="room"):
    """What only kernel rooms have."""

    kernel: str = ""
    """Name of the kernelspec."""
    cells: int = 0
    queued: int = 0
    execution_count: int = 0
    busy_since: float | None = None
    waits_for_input: bool = False
    foreign: bool = False
    """Started by another program: joined, never owned."""
    connection_file: str = ""
    server: str = ""
    """Address of the Jupyter server that another program's kernel is spoken with through."""
    notebook: str = ""
    """Path of the notebook that this server has open with it."""
    exit_code: int | None = None
    env_source: str = ""
    peers: int = 0


Facts = TmuxFacts | ContainerFacts | RoomFacts


class Sandbox(msgspec.Struct, frozen=True, kw_only=True):
    """A named place where code runs. Times are seconds since the epoch."""

    ref: Ref
    state: State
    facts: Facts
    title: str = ""
    created_at: float | None = None
    pid: int | None = None
    labels: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
    managed: bool = False
    """Whether this program made it."""
    made_from: str = ""
    """Fingerprint of the spec that it was made from; see `specs.fingerprint`."""
    defined: bool = False
    """Whether the configuration has an entry of that name."""
    detail: str = ""
    """Why it is in that state, when the engine says: `OOM killed`, `signal 9`."""
    stale_since: float | None = None
    """Since when its backend has not confirmed it; `None` while it does."""

    @property
    def exit_code(self) -> int | None:
        """The code its main process ended with, when it has ended."""
        return self.facts.exit_code


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """Whether one backend answers. Latency is left out: it would make every poll a change."""

    place: str
    """`kind`, or `kind@where`; see `refs.Place`."""
    ok: bool
    detail: str = ""
    hint: str = ""
    impaired: bool = False
    """Whether it answers, but a person should know what `detail` says: nothing is saved, say."""
    since: float = 0.0
    """When it became so (seconds since the epoch)."""
    retry_at: float | None = None
    """When it is asked again, while it is not ok."""

    @property
    def is_sound(self) -> bool:
        """Whether it answers, and does all that it should."""
        return self.ok and not self.impaired

    @property
    def kind(self) -> Kind:
        """The kind whose backend this is."""
        return Kind(self.place.partition("@")[0])


class World(msgspec.Struct, frozen=True):
    """Everything that any surface shows, at one revision."""

    revision: int = 0
    sandboxes: tuple[Sandbox, ...] = ()
    health: tuple[Health, ...] = ()

    def get(self, ref: str) -> Sandbox | None:
        """The sandbox of that full name."""
        return next((box for box in self.sandboxes if box.ref == ref), None)

    def of(self, kind: Kind) -> tuple[Sandbox, ...]:
        """The sandboxes of one kind, in order."""
        return tuple(box for box in self.sandboxes if box.ref.kind is kind)

    def health_of(self, place: Place) -> Health | None:
        """The health of one backend."""
        return next((entry for entry in self.health if entry.place == str(place)), None)


class Change(msgspec.Struct, frozen=True):
    """One sandbox that came (`before` is None), went (`after` is None) or became another."""

    ref: Ref
    before: Sandbox | None
    after: Sandbox | None


def diff(before: Iterable[Sandbox], after: Iterable[Sandbox]) -> tuple[Change, ...]:
    """What happened between two pictures, by identity: first what went, then the rest in order."""
    old = {box.ref: box for box in before}
    new = {box.ref: box for box in after}
    gone = [Change(ref, box, None) for ref, box in old.items() if ref not in new]
    rest = [Change(ref, old.get(ref), box) for ref, box in new.items() if old.get(ref) != box]
    return (*gone, *rest)
