"""Kernels by number, each of them a room, and the cells of such a room by number.

Nothing is kept here. The kernel's number is in the room's name and a cell's number in the cell's
id, so both outlive this process, and whoever else opens the room sees and edits the same cells.
"""

from __future__ import annotations

import contextlib
import secrets
from collections import Counter
from collections.abc import Generator
from typing import cast

from sandbox_tui.api.base import Api
from sandbox_tui.model.actions import (
    AddCell,
    ClearOutputs,
    EditCell,
    RemoveCell,
    RunCell,
    Start,
)
from sandbox_tui.model.cells import CellKind, NotebookCell
from sandbox_tui.model.outputs import Result
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.runtime.streams import closing

PREFIX = "http-"
_CELL = "number-"
_BITS = 53
"""A number that JavaScript, too, can hold."""


class NumberedKernels:
    """What programs know by numbers. `timeout` is that of a cell, in seconds."""

    def __init__(self, api: Api, timeout: float) -> None:
        self._api = api
        self._timeout = timeout
        self._used = Counter[Ref]()

    async def start(self) -> int:
        """A new room with a kernel that is ready. Raises `LimitReachedError`."""
        number = (1 << (_BITS - 1)) | secrets.randbits(_BITS - 1)
        await self._api.perform(Start(name=room_of(number), kind=Kind.ROOM))
        return number

    def has(self, kernel: int) -> bool:
        """Whether there is such a room, with a kernel or without."""
        return self._api.world.get(room_of(kernel)) is not None

    def is_used(self, room: Ref) -> bool:
        """Whether something runs in it that was asked for here."""
        return self._used[room] > 0

    async def add(self, kernel: int, cell: int, code: str) -> None:
        """Add a cell, in the order of numbers. Raises `ConflictError`."""
        before = [number for number in await self.cells(kernel) if number < cell]
        index = await self._place_after(kernel, before[-1]) if before else 0
        action = AddCell(ref=room_of(kernel), source=code, index=index, cell_id=_cell_id(cell))
        await self._api.perform(action)

    async def edit(self, kernel: int, cell: int, code: str) -> None:
        """Give a cell another source, and no outputs. Raises `CellNotFoundError`."""
        room, cell_id = room_of(kernel), _cell_id(cell)
        await self._api.perform(EditCell(ref=room, cell_id=cell_id, source=code))
        await self._api.perform(ClearOutputs(ref=room, cell_id=cell_id))

    async def delete(self, kernel: int, cell: int) -> None:
        """Take a cell away; what runs of it goes on. Raises `CellNotFoundError`."""
        await self._api.perform(RemoveCell(ref=room_of(kernel), cell_id=_cell_id(cell)))

    async def run(self, kernel: int, cell: int, timeout: float | None = None) -> Result:
        """Run a cell and wait for its end. Raises `CellNotFoundError`."""
        with self._using(room_of(kernel)):
            return await (await self._begin(kernel, cell, timeout))

    async def run_all(self, kernel: int, timeout: float | None = None) -> dict[int, Result]:
        """Run every cell in the order of numbers, the rest also when one fails."""
        with self._using(room_of(kernel)):
            numbers = await self.cells(kernel)
            runs = [await self._begin(kernel, number, timeout) for number in numbers]
            return {number: await run for number, run in zip(numbers, runs, strict=True)}

    async def cells(self, kernel: int) -> dict[int, NotebookCell]:
        """The cells that have a number, in the order of numbers."""
        found = ((_number(entry), entry) for entry in await self._entries(kernel))
        return dict(sorted((number, entry) for number, entry in found if number is not None))

    async def _begin(self, kernel: int, cell: int, timeout: float | None) -> Execution:
        seconds = self._timeout if timeout is None else timeout
        action = RunCell(ref=room_of(kernel), cell_id=_cell_id(cell), timeout=seconds)
        return cast(Execution, await self._api.perform(action))

    async def _entries(self, kernel: int) -> tuple[NotebookCell, ...]:
        async with closing(self._api.notebooks(room_of(kernel))) as notebooks:
            return (await anext(notebooks)).cells

    async def _place_after(self, kernel: int, cell: int) -> int:
        ids = [entry.cell.id for entry in await self._entries(kernel)]
        return ids.index(_cell_id(cell)) + 1

    @contextlib.contextmanager
    def _using(self, room: Ref) -> Generator[None]:
        self._used[room] += 1
        try:
            yield
        finally:
            self._used[room] -= 1


def room_of(kernel: int) -> Ref:
    """The room that a program knows as this number."""
    return Ref.make(Kind.ROOM, f"{PREFIX}{kernel}")


def _cell_id(number: int) -> str:
    return f"{_CELL}{number}"


def _number(entry: NotebookCell) -> int | None:
    text = entry.cell.id.removeprefix(_CELL)
    is_number = entry.cell.id.startswith(_CELL) and text.removeprefix("-").isdecimal()
    return int(text) if is_number and entry.cell.kind is CellKind.CODE else None
