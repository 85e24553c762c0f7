"""A client of one room: its cells, its kernel, and who else is there.

Cells are edited in a replica of the document and are there at once; what is run is read from the
document, so that every client runs what all of them see.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from sandbox_tui.api.rooms.connection import Connection
from sandbox_tui.api.rooms.errors import RoomError, room_errors, spoken
from sandbox_tui.api.rooms.executions import AsyncExecution
from sandbox_tui.api.rooms.results import Cell, ExecutionResult, cell_of, result_of
from sandbox_tui.model.cells import CellKind
from sandbox_tui.model.errors import AlreadyExistsError, InvalidSpecError, NotRunningError
from sandbox_tui.model.outputs import Outcome
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.model.room import Completion, Peer, RoomEvent

TIMEOUT = 60.0
"""Longest wait for a run, in seconds, when nothing else is said."""


class AsyncSession:
    """One client of the room `notebook_id`; everybody with that id shares its cells and kernel.

    Constructing connects to nothing. Every error is a `RoomError`; code that fails is a result.
    """

    def __init__(self, notebook_id: str | None = None, *, name: str = "") -> None:
        """Without an id it is a room of its own; `name` is what the others see of this client."""
        with room_errors():
            self._ref = Ref.make(Kind.ROOM, notebook_id or f"agent-session-{uuid.uuid4().hex}")
        self._connection = Connection(self._ref, name)
        self._ran: dict[str, tuple[str, ExecutionResult]] = {}

    # --- being there --------------------------------------------------------------------------

    @property
    def notebook_id(self) -> str:
        """The room's name."""
        return self._ref.name

    async def is_connected(self) -> bool:
        """Whether the room is open here."""
        return self._connection.alive

    async def kernel_started(self) -> bool:
        """Whether the room has a kernel, whoever started it."""
        return self._has_kernel

    async def env_source(self) -> str | None:
        """Where the kernel's environment comes from, as `uv:prewarmed`; `None` without one."""
        return (self._connection.facts.env_source or None) if self._has_kernel else None

    @classmethod
    async def open(cls, path: str, notebook_id: str | None = None, *, name: str = "") -> Self:
        """The room that holds the notebook file at `path`, connected; `save` writes that file.

        Without an id it has the name of the file. A room that was opened from it before is joined
        with the cells that it has now. Nothing runs until it is asked for.
        """
        session = cls(notebook_id or Path(path).stem, name=name)
        await session.connect(path)
        return session

    @spoken
    async def connect(self, notebook_path: str | None = None) -> None:
        """Open the room; starts the daemon when none runs. Again, when it was lost.

        `notebook_path` is a notebook file: a room without cells begins with those.
        """
        await self._connection.open(await _absolute(notebook_path))

    @spoken
    async def close(self) -> None:
        """Leave the room; when nobody else is in it its kernel ends. The cells stay."""
        await self._connection.close(stop_kernel_if_last=True)

    async def abandon(self) -> None:
        """Hang up without a word about the kernel, which goes on."""
        await self._connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    # --- the kernel ---------------------------------------------------------------------------

    @spoken
    async def start_kernel(
        self,
        kernel_type: str = "python",
        env_source: str = "uv:prewarmed",
        notebook_path: str | None = None,
    ) -> None:
        """Have a kernel: the one that runs, else a new one. Connects when it is not connected.

        `notebook_path` is a notebook file: a new room begins with its cells, and `save` writes it.
        """
        room = await self._connection.open()
        try:
            await room.start(kernel_type, env_source, await _absolute(notebook_path))
        except AlreadyExistsError:
            return  # it has one

    @spoken
    async def interrupt(self) -> None:
        """End what runs and drop what waits; the kernel keeps its memory."""
        await self._connection.room.interrupt()

    @spoken
    async def restart_kernel(self) -> None:
        """A new kernel for the same cells."""
        await self._connection.room.restart()

    @spoken
    async def shutdown_kernel(self) -> None:
        """End the kernel, for everybody; the cells stay."""
        try:
            await self._connection.room.stop()
        except NotRunningError:
            return  # there is none

    # --- cells --------------------------------------------------------------------------------

    @spoken
    async def create_cell(
        self, source: str = "", cell_type: str = "code", index: int | None = None
    ) -> str:
        """Add a cell at the end or at `index`; answers with its id."""
        return self._connection.room.document.add(source, _kind(cell_type), index)

    @spoken
    async def set_source(self, cell_id: str, source: str) -> None:
        """Give a cell another source; only the difference is changed."""
        self._connection.room.document.edit(cell_id, source)

    @spoken
    async def append_source(self, cell_id: str, text: str) -> None:
        """Put text at the end of a cell's source."""
        self._connection.room.document.append(cell_id, text)

    @spoken
    async def move_cell(self, cell_id: str, index: int) -> None:
        """Put a cell at another place, counted from 0."""
        self._connection.room.document.move(cell_id, index)

    @spoken
    async def delete_cell(self, cell_id: str) -> None:
        """Take a cell out."""
        self._connection.room.document.remove(cell_id)

    @spoken
    async def get_cell(self, cell_id: str) -> Cell:
        """One cell with what its latest run said."""
        room = self._connection.room
        room.document.get(cell_id)
        return next(cell for cell in self._cells() if cell.id == cell_id)

    @spoken
    async def get_cells(self) -> list[Cell]:
        """Every cell, in order."""
        return self._cells()

    @spoken
    async def clear_outputs(self, cell_id: str | None = None) -> None:
        """Forget what a cell's ended run said; every cell's by default."""
        room = self._connection.room
        for forgotten in list(self._ran) if cell_id is None else [cell_id]:
            self._ran.pop(forgotten, None)
        await room.clear_outputs(cell_id)

    @spoken
    async def set_metadata(self, key: str, value: object) -> None:
        """Give a key of the notebook's metadata a value that JSON has; `None` takes it out."""
        self._connection.room.document.set_metadata(key, value)

    @spoken
    async def get_metadata(self, key: str) -> object:
        """The value of a key of the notebook's metadata; `None` when it has none."""
        return self._connection.room.document.metadata().get(key)

    # --- running ------------------------------------------------------------------------------

    @spoken
    async def execute_cell(self, cell_id: str, timeout_secs: float = TIMEOUT) -> ExecutionResult:
        """Run a cell with the source it has now, and wait for its end.

        A room without a kernel is given one first. Raises `RoomError` when the cell has not ended
        in time (it is ended then) or when the kernel died.
        """
        return await self._finished(await self._queue(cell_id), timeout_secs)

    @spoken
    async def queue_cell(self, cell_id: str) -> AsyncExecution:
        """Have a cell run when its turn comes, and do not wait for that."""
        return await self._queue(cell_id)

    async def run(self, code: str, timeout_secs: float = TIMEOUT) -> ExecutionResult:
        """Add a cell with this code and execute it."""
        return await self.execute_cell(await self.create_cell(code), timeout_secs)

    @spoken
    async def run_all(self, timeout_secs: float = TIMEOUT) -> list[ExecutionResult]:
        """Run every code cell in order; an error drops the rest, whose results say so."""
        room = self._connection.room
        cell_ids = [cell.id for cell in room.document.cells() if cell.kind is CellKind.CODE]
        executions = await room.run_all(cell_ids)
        runs = [AsyncExecution(*pair) for pair in zip(cell_ids, executions, strict=True)]
        return [await self._finished(run, timeout_secs) for run in runs]

    @spoken
    async def execution(self, execution_id: str) -> AsyncExecution:
        """A run of this room, whoever began it and whenever."""
        room = self._connection.room
        runs = {entry.run.execution_id: entry.cell.id for entry in room.notebook.cells if entry.run}
        return AsyncExecution(runs.get(execution_id, ""), await room.execution(execution_id))

    @spoken
    async def complete(self, code: str, cursor: int | None = None) -> Completion:
        """What may stand at `cursor` (characters from 0, by default the end) in `code`."""
        return await self._connection.room.complete(code, len(code) if cursor is None else cursor)

    # --- files --------------------------------------------------------------------------------

    @spoken
    async def save(self) -> None:
        """Write the notebook file that the room was opened from."""
        await self._connection.room.save_as()

    @spoken
    async def save_as(self, path: str) -> None:
        """Write the room as a notebook file."""
        await self._connection.room.save_as(await _absolute(path) or path)

    # --- the others ---------------------------------------------------------------------------

    async def peers(self) -> Sequence[Peer]:
        """Every client that has the room open, this one among them."""
        with room_errors():
            return self._connection.room.peers

    @spoken
    async def announce(self, name: str, cell_id: str | None = None) -> None:
        """Tell the others who this is and in which cell."""
        await self._connection.room.announce(name, cell_id)

    async def events(self) -> AsyncIterator[RoomEvent]:
        """What happens in the room from now on, until it is left."""
        with room_errors():
            async for event in self._connection.room.events():
                yield event

    # --- inside -------------------------------------------------------------------------------

    @property
    def _has_kernel(self) -> bool:
        box = self._connection.box
        return self._connection.alive and box is not None and box.state.is_live

    async def _queue(self, cell_id: str) -> AsyncExecution:
        room = self._connection.room
        if room.document.get(cell_id).kind is not CellKind.CODE:
            raise RoomError(f"Cannot execute non-code cell: {cell_id}")
        return AsyncExecution(cell_id, await room.run_cell(cell_id))

    async def _finished(self, run: AsyncExecution, seconds: float) -> ExecutionResult:
        try:
            async with asyncio.timeout(seconds):
                result = await run.ended()
        except TimeoutError:
            await run.cancel()
            hint = "Give timeout_secs, or queue the cell and wait for it."
            raise RoomError(f"Execution timed out after {seconds:g} s", hint=hint) from None
        if result.outcome is Outcome.DIED:
            await self._connection.without_kernel()
            raise RoomError(result.detail or "the kernel died", hint="Call start_kernel() again.")
        told = result_of(run.cell_id, run.execution_id, result)
        self._ran[run.cell_id] = (self._seen(run.cell_id), told)
        return told

    def _cells(self) -> list[Cell]:
        notebook = self._connection.room.notebook
        return [cell_of(entry, self._newer(entry.cell.id)) for entry in notebook.cells]

    def _newer(self, cell_id: str) -> ExecutionResult | None:
        """A run that ended here and that the room's news have not told of yet."""
        seen, result = self._ran.get(cell_id, ("", None))
        if result is not None and self._seen(cell_id) != seen:
            del self._ran[cell_id]
            return None
        return result

    def _seen(self, cell_id: str) -> str:
        """Which run of a cell the room's news told of last, and how far it had come."""
        run = self._connection.room.run_of(cell_id)
        return f"{run.execution_id} {run.status}" if run is not None else ""


async def _absolute(path: str | None) -> str | None:
    """As this program means it: the daemon runs in a folder of its own."""
    return path and await asyncio.to_thread(lambda: str(Path(path).expanduser().absolute()))


def _kind(cell_type: str) -> CellKind:
    if cell_type not in set(CellKind):
        known = ", ".join(kind.value for kind in CellKind)
        raise InvalidSpecError("cell_type", f"{cell_type!r} is none of {known}")
    return CellKind(cell_type)
