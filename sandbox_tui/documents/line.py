"""A client's way into one room, whether the room is in this process or behind a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Protocol

import msgspec

from sandbox_tui.model.actions import Action, Run, RunCell
from sandbox_tui.model.cells import CellRun
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.room import Peer, RoomEvent
from sandbox_tui.runtime.execution import Execution


class Known(msgspec.Struct, frozen=True):
    """What a client that comes (back) has of the document already."""

    epoch: str = ""
    state: bytes = b""


class RoomNews(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is new in a room for one client; the first news bring it up to date."""

    you: str = ""
    """The client's own id among the peers; set in the first news, like the next two."""
    epoch: str = ""
    state: bytes = b""
    """What the room has of the document, so that the client can send what it lacks."""
    updates: tuple[bytes, ...] = ()
    """Changes of the document, without the client's own."""
    runs: Mapping[str, CellRun | None] = {}
    """The latest runs that changed, by cell id; `None` where there is none any more."""
    peers: tuple[Peer, ...] | None = None
    events: tuple[RoomEvent, ...] = ()


class Merge(msgspec.Struct, frozen=True, tag=True):
    """The client changed its replica."""

    epoch: str
    update: bytes


class Announce(msgspec.Struct, frozen=True, tag=True):
    """Who the client is and where."""

    name: str
    cell_id: str | None = None
    cursor: int | None = None


class Reply(msgspec.Struct, frozen=True, tag=True):
    """A line for the code that waits for one."""

    execution_id: str
    text: str


class AnswersInput(msgspec.Struct, frozen=True, tag=True):
    """Whether the client answers when code asks for input."""

    answers: bool


Word = Merge | Announce | Reply | AnswersInput
"""What a client says without waiting for an answer."""


class Line(Protocol):
    """What one client can do in one room. All errors are `SandboxError`s."""

    @property
    def ref(self) -> Ref:
        """The room."""
        ...

    def news(self, known: Known) -> AsyncIterator[RoomNews]:
        """Take a seat, and keep it for as long as this is read; a slow reader gets less news."""
        ...

    def say(self, word: Word) -> None:
        """Say it at once: before all that is said, asked or begun later."""
        ...

    async def reply(self, execution_id: str, text: str) -> None:
        """Give the code that asked one line of input. Raises `ConflictError`."""
        ...

    async def leave(self, *, stop_kernel_if_last: bool = False) -> None:
        """Give the seat up when all that was said is heard; the kernel may go with the last."""
        ...

    async def begin(self, action: Run | RunCell) -> Execution:
        """Queue code."""
        ...

    async def recall(self, execution_id: str) -> Execution:
        """A run of this room, whoever began it and whenever. Raises `NotFoundError`."""
        ...

    async def perform(self, action: Action) -> object:
        """See `Api.perform`."""
        ...
