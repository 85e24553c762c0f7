"""What a backend may do besides whose rooms several clients have open at once; see `base`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from sandbox_tui.model.refs import Ref
from sandbox_tui.model.room import Completion
from sandbox_tui.runtime.execution import Execution

if TYPE_CHECKING:  # documents that are shared take long to load, and most programs look at none
    from sandbox_tui.documents.line import Line
    from sandbox_tui.documents.seats import Seats


@runtime_checkable
class Completes(Protocol):
    """Knows what code may go on with."""

    async def complete(self, ref: Ref, code: str, cursor: int) -> Completion:
        """What may stand at `cursor`, in characters from 0. Raises `NotRunningError`."""
        ...


@runtime_checkable
class Saves(Protocol):
    """Writes its documents as files."""

    async def save_as(self, ref: Ref, path: str) -> str:
        """Write the notebook; answers with the file's path. Raises `OperationFailedError`."""
        ...


@runtime_checkable
class Shares(Protocol):
    """Has documents that several clients change at once."""

    def seats(self, ref: Ref) -> Seats:
        """The document of a room and who has it open. Raises `NotFoundError`."""
        ...

    async def recall(self, ref: Ref, execution_id: str) -> Execution:
        """A run of that room, whoever began it and whenever. Raises `NotFoundError`."""
        ...

    def reply(self, ref: Ref, execution_id: str, text: str) -> None:
        """Give the code that asked one line of input."""
        ...


@runtime_checkable
class Leads(Protocol):
    """Knows the way into rooms that are elsewhere."""

    async def line(self, ref: Ref) -> Line:
        """The way into one. Raises `NotFoundError`."""
        ...

    async def line_again(self, ref: Ref) -> Line | None:
        """Another one, should there be one already: nothing is started to have it."""
        ...
