"""The sync face of a room: the same calls, waiting for their results.

The replica lives on the portal's loop, as everything of its kind does, so every look at it and
every change of it is done there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from sandbox_tui.api.blocking_execution import BlockingExecution
from sandbox_tui.api.room import Room
from sandbox_tui.model.cells import Cell, CellKind, Notebook
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.room import Peer, RoomEvent
from sandbox_tui.runtime.portal import Blocking, blocking

T = TypeVar("T")


class BlockingRoom(Blocking[Room]):
    """See `Room`; the methods of its document are here."""

    start = blocking(Room.start)
    stop = blocking(Room.stop)
    restart = blocking(Room.restart)
    interrupt = blocking(Room.interrupt)
    complete = blocking(Room.complete)
    clear_outputs = blocking(Room.clear_outputs)
    save_as = blocking(Room.save_as)
    announce = blocking(Room.announce)
    answer_input = blocking(Room.answer_input)
    answer = blocking(Room.answer)
    leave = blocking(Room.leave)
    close = blocking(Room.aclose)

    @property
    def ref(self) -> Ref:
        """The room."""
        return self.twin.ref

    @property
    def notebook(self) -> Notebook:
        """Its cells, each with what its latest run said so far."""
        return self._do(lambda: self.twin.notebook)

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Its cells, in order."""
        return self._do(self.twin.document.cells)

    @property
    def metadata(self) -> dict[str, object]:
        """The notebook's own metadata."""
        return self._do(self.twin.document.metadata)

    @property
    def peers(self) -> tuple[Peer, ...]:
        """Every client that has the room open, this one among them."""
        return self.twin.peers

    def add(
        self,
        source: str,
        kind: CellKind = CellKind.CODE,
        index: int | None = None,
        cell_id: str = "",
    ) -> str:
        """See `Document.add`."""
        return self._do(lambda: self.twin.document.add(source, kind, index, cell_id))

    def edit(self, cell_id: str, source: str, base: str | None = None) -> None:
        """See `Document.edit`."""
        self._do(lambda: self.twin.document.edit(cell_id, source, base))

    def append(self, cell_id: str, text: str) -> None:
        """See `Document.append`."""
        self._do(lambda: self.twin.document.append(cell_id, text))

    def move(self, cell_id: str, index: int) -> None:
        """See `Document.move`."""
        self._do(lambda: self.twin.document.move(cell_id, index))

    def remove(self, cell_id: str) -> None:
        """See `Document.remove`."""
        self._do(lambda: self.twin.document.remove(cell_id))

    def set_metadata(self, key: str, value: object) -> None:
        """Give a key of the notebook's metadata a JSON value; `None` takes it out."""
        self._do(lambda: self.twin.document.set_metadata(key, value))

    def run_cell(self, cell_id: str, *, timeout: float | None = None) -> BlockingExecution:
        """See `Room.run_cell`."""
        execution = self.portal.call(self.twin.run_cell(cell_id, timeout=timeout))
        return BlockingExecution(execution, self.portal)

    def run_all(
        self, cell_ids: Iterable[str] | None = None, *, timeout: float | None = None
    ) -> list[BlockingExecution]:
        """See `Room.run_all`."""
        executions = self.portal.call(self.twin.run_all(cell_ids, timeout=timeout))
        return [BlockingExecution(execution, self.portal) for execution in executions]

    def execute(self, code: str, *, timeout: float | None = None) -> BlockingExecution:
        """See `Room.execute`."""
        execution = self.portal.call(self.twin.execute(code, timeout=timeout))
        return BlockingExecution(execution, self.portal)

    def execution(self, execution_id: str) -> BlockingExecution:
        """See `Room.execution`."""
        return BlockingExecution(self.portal.call(self.twin.execution(execution_id)), self.portal)

    def notebooks(self) -> Iterator[Notebook]:
        """See `Room.notebooks`."""
        return self.portal.iterate(self.twin.notebooks())

    def events(self) -> Iterator[RoomEvent]:
        """See `Room.events`."""
        return self.portal.iterate(self.twin.events())

    def _do(self, work: Callable[[], T]) -> T:
        async def there() -> T:
            return work()

        return self.portal.call(there())
