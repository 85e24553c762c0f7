"""Who else is in a room, and what happens there."""

from __future__ import annotations

import msgspec

from sandbox_tui.model.outputs import Outcome


class Peer(msgspec.Struct, frozen=True, kw_only=True):
    """A client that has the room open."""

    id: str
    name: str = ""
    cell_id: str | None = None
    """Where it is, if it says so."""
    cursor: int | None = None
    """Where in that cell, in characters from 0."""


class Completion(msgspec.Struct, frozen=True, kw_only=True):
    """What may stand in place of the characters from `start` to `end` of some code."""

    matches: tuple[str, ...] = ()
    start: int = 0
    end: int = 0


class KernelChanged(msgspec.Struct, frozen=True, kw_only=True, tag="kernel"):
    """The kernel does something else now; `state` is that of the room, as in a listing."""

    state: str
    detail: str = ""


class CellsChanged(msgspec.Struct, frozen=True, kw_only=True, tag="cells"):
    """Cells came, went, moved, or have another source."""


class PeersChanged(msgspec.Struct, frozen=True, kw_only=True, tag="peers"):
    """Somebody came, went, or is elsewhere."""

    peers: tuple[Peer, ...]


class ExecutionBegan(msgspec.Struct, frozen=True, kw_only=True, tag="began"):
    """Code runs now; `cell_id` is `None` for code that is no cell."""

    execution_id: str
    cell_id: str | None = None


class ExecutionEnded(msgspec.Struct, frozen=True, kw_only=True, tag="ended"):
    """Code ended, or will not run any more."""

    execution_id: str
    cell_id: str | None = None
    outcome: Outcome = Outcome.OK
    execution_count: int | None = None


class InputAsked(msgspec.Struct, frozen=True, kw_only=True, tag="input"):
    """Code waits for a line; any client that has said so may answer."""

    execution_id: str
    prompt: str = ""
    secret: bool = False
    """Whether what is typed must not be shown."""


class ConnectionChanged(msgspec.Struct, frozen=True, kw_only=True, tag="connection"):
    """The daemon was lost (`reason` says why), or is there again."""

    reason: str = ""


RoomEvent = (
    KernelChanged
    | CellsChanged
    | PeersChanged
    | ExecutionBegan
    | ExecutionEnded
    | InputAsked
    | ConnectionChanged
)
