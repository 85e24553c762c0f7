"""The same client of a room, for code that is not asynchronous."""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Self
from weakref import WeakSet

from sandbox_tui.api.rooms.executions import Execution
from sandbox_tui.api.rooms.session_async import AsyncSession
from sandbox_tui.model.room import RoomEvent
from sandbox_tui.runtime.portal import Blocking, Portal, blocking


class Session(Blocking[AsyncSession]):
    """See `AsyncSession`: the same methods, waiting; the state is properties."""

    def __init__(self, notebook_id: str | None = None, *, name: str = "") -> None:
        super().__init__(AsyncSession(notebook_id, name=name), portal())
        _unclosed.add(self)

    @classmethod
    def open(cls, path: str, notebook_id: str | None = None, *, name: str = "") -> Self:
        """See `AsyncSession.open`."""
        session = cls(notebook_id or Path(path).stem, name=name)
        session.connect(path)
        return session

    connect = blocking(AsyncSession.connect)
    close = blocking(AsyncSession.close)
    abandon = blocking(AsyncSession.abandon)
    start_kernel = blocking(AsyncSession.start_kernel)
    interrupt = blocking(AsyncSession.interrupt)
    restart_kernel = blocking(AsyncSession.restart_kernel)
    shutdown_kernel = blocking(AsyncSession.shutdown_kernel)
    create_cell = blocking(AsyncSession.create_cell)
    set_source = blocking(AsyncSession.set_source)
    append_source = blocking(AsyncSession.append_source)
    move_cell = blocking(AsyncSession.move_cell)
    delete_cell = blocking(AsyncSession.delete_cell)
    get_cell = blocking(AsyncSession.get_cell)
    get_cells = blocking(AsyncSession.get_cells)
    clear_outputs = blocking(AsyncSession.clear_outputs)
    set_metadata = blocking(AsyncSession.set_metadata)
    get_metadata = blocking(AsyncSession.get_metadata)
    execute_cell = blocking(AsyncSession.execute_cell)
    run = blocking(AsyncSession.run)
    run_all = blocking(AsyncSession.run_all)
    complete = blocking(AsyncSession.complete)
    save = blocking(AsyncSession.save)
    save_as = blocking(AsyncSession.save_as)
    peers = blocking(AsyncSession.peers)
    announce = blocking(AsyncSession.announce)

    @property
    def notebook_id(self) -> str:
        """The room's name."""
        return self.twin.notebook_id

    @property
    def is_connected(self) -> bool:
        """Whether the room is open here."""
        return self.portal.call(self.twin.is_connected())

    @property
    def kernel_started(self) -> bool:
        """Whether the room has a kernel, whoever started it."""
        return self.portal.call(self.twin.kernel_started())

    @property
    def env_source(self) -> str | None:
        """Where the kernel's environment comes from; `None` without one."""
        return self.portal.call(self.twin.env_source())

    def queue_cell(self, cell_id: str) -> Execution:
        """Have a cell run when its turn comes, and do not wait for that."""
        return Execution(self.portal.call(self.twin.queue_cell(cell_id)), self.portal)

    def execution(self, execution_id: str) -> Execution:
        """A run of this room, whoever began it and whenever."""
        return Execution(self.portal.call(self.twin.execution(execution_id)), self.portal)

    def events(self) -> Iterator[RoomEvent]:
        """What happens in the room from now on, until it is left."""
        return self.portal.iterate(self.twin.events())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def portal() -> Portal:
    """The loop that all of this process's clients share; after a fork it is another one."""
    return _portal_of(os.getpid())


_unclosed: WeakSet[Session] = WeakSet()


@atexit.register
def _let_go() -> None:
    """Hang up where a program ends without closing; kernels go on, as it did not say otherwise."""
    for session in list(_unclosed):
        if session.is_connected:
            session.abandon()


@lru_cache(maxsize=1)
def _portal_of(_: int) -> Portal:
    return Portal()
