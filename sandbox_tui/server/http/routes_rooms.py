"""Rooms over HTTP: their cells, their kernel, and what waits to run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import msgspec
from fastapi import APIRouter, Request, Response

from sandbox_tui.api.base import Api
from sandbox_tui.model import actions
from sandbox_tui.model.actions import Action
from sandbox_tui.model.cells import CellKind, Notebook, NotebookCell
from sandbox_tui.model.errors import CellNotFoundError
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.model.world import Sandbox
from sandbox_tui.runtime.streams import closing
from sandbox_tui.server.http.reading import as_json, found, read, room
from sandbox_tui.server.http.runs import Run, Runs
from sandbox_tui.server.http.schemas import DONE, gives
from sandbox_tui.server.http.ways import Way, routes


class NewRoom(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A room to open, or to start again when it is there."""

    name: str
    kernel: str | None = None
    working_dir: str | None = None


class NewCell(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A cell to add, at the end or at `index`."""

    source: str = ""
    kind: CellKind = CellKind.CODE
    index: int | None = None


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to stand in a cell."""

    source: str


class Timeout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Seconds that a cell may run; `null` is without end."""

    timeout: float | None = None


class RoomRoutes:
    """`/v1/rooms`: each route is one action."""

    def __init__(self, api: Api, runs: Runs) -> None:
        self._api = api
        self._runs = runs

    def router(self) -> APIRouter:
        """Them, for the app."""
        ways = (*self._of_rooms(), *self._of_cells(), *self._of_kernel())
        return routes("/v1/rooms", "rooms", ways)

    def _of_rooms(self) -> Iterable[Way]:
        made = gives("The room, with a kernel that is ready.", Sandbox, 201)
        yield Way("GET", "", self.rooms, gives("Every room.", tuple[Sandbox, ...]))
        yield Way("POST", "", self.open, made, NewRoom)
        yield Way("GET", "/{name}", self.notebook, gives("Its cells.", Notebook))
        yield Way("DELETE", "/{name}", self.remove, DONE)

    def _of_cells(self) -> Iterable[Way]:
        one, cell = "/{name}/cells/{cell_id}", gives("The cell with its outputs.", NotebookCell)
        added = gives("The cell.", NotebookCell, 201)
        queued = gives("It is queued: see /v1/executions.", Run, 202)
        yield Way("POST", "/{name}/cells", self.add_cell, added, NewCell)
        yield Way("GET", one, self.cell, cell)
        yield Way("PUT", one, self.edit_cell, cell, Source)
        yield Way("DELETE", one, self.remove_cell, DONE)
        yield Way("POST", f"{one}/run", self.run_cell, queued, Timeout)

    def _of_kernel(self) -> Iterable[Way]:
        queued = gives("They are queued, in order.", tuple[Run, ...], 202)
        waiting = gives("The cells that run or wait, from the top.", tuple[NotebookCell, ...])
        yield Way("POST", "/{name}/run-all", self.run_all, queued)
        yield Way("GET", "/{name}/kernel", self.kernel, gives("How it is.", Sandbox))
        yield Way("POST", "/{name}/kernel/interrupt", self.interrupt, DONE)
        yield Way("POST", "/{name}/kernel/restart", self.restart, DONE)
        yield Way("POST", "/{name}/kernel/stop", self.stop, DONE)
        yield Way("GET", "/{name}/queue", self.queue, waiting)
        yield Way("DELETE", "/{name}/queue", self.interrupt, DONE)

    async def rooms(self) -> Response:
        """Every room there is."""
        return as_json(self._api.world.of(Kind.ROOM))

    async def open(self, request: Request) -> Response:
        """Make a room, or start a kernel for one that has none."""
        asked = await read(request, NewRoom)
        action = actions.Start(
            name=asked.name, kind=Kind.ROOM, kernel=asked.kernel, working_dir=asked.working_dir
        )
        ref = cast(Ref, await self._api.perform(action))
        return as_json(found(self._api.world, ref), 201)

    async def notebook(self, name: str) -> Response:
        """Its cells with what their last runs said."""
        return as_json(await self._notebook(name))

    async def remove(self, name: str) -> Response:
        """End its kernel and take the room and its cells away."""
        return await self._do(actions.Remove(ref=self._room(name), force=True))

    async def add_cell(self, name: str, request: Request) -> Response:
        """Add a cell."""
        new = await read(request, NewCell)
        action = actions.AddCell(
            ref=self._room(name), source=new.source, kind=new.kind, index=new.index
        )
        cell_id = cast(str, await self._api.perform(action))
        return as_json(await self._cell(name, cell_id), 201)

    async def cell(self, name: str, cell_id: str) -> Response:
        """One cell."""
        return as_json(await self._cell(name, cell_id))

    async def edit_cell(self, name: str, cell_id: str, request: Request) -> Response:
        """Give a cell another source."""
        source = (await read(request, Source)).source
        action = actions.EditCell(ref=self._room(name), cell_id=cell_id, source=source)
        await self._api.perform(action)
        return as_json(await self._cell(name, cell_id))

    async def remove_cell(self, name: str, cell_id: str) -> Response:
        """Take a cell away."""
        return await self._do(actions.RemoveCell(ref=self._room(name), cell_id=cell_id))

    async def run_cell(self, name: str, cell_id: str, request: Request) -> Response:
        """Queue a cell with the source that it has when its turn comes."""
        seconds = (await read(request, Timeout)).timeout
        action = actions.RunCell(ref=self._room(name), cell_id=cell_id, timeout=seconds)
        return as_json(await self._runs.plain(await self._api.perform(action)), 202)

    async def run_all(self, name: str) -> Response:
        """Queue every code cell; a failure drops the rest."""
        action = actions.RunAll(ref=self._room(name))
        return as_json(await self._runs.plain(await self._api.perform(action)), 202)

    async def kernel(self, name: str) -> Response:
        """The room as the world shows it: its kernel's state, count, process."""
        return as_json(found(self._api.world, name, Kind.ROOM))

    async def interrupt(self, name: str) -> Response:
        """End what runs and drop what waits."""
        return await self._do(actions.Interrupt(ref=self._room(name)))

    async def restart(self, name: str) -> Response:
        """A new kernel for the same cells."""
        return await self._do(actions.Restart(ref=self._room(name)))

    async def stop(self, name: str) -> Response:
        """End the kernel, keep the cells."""
        return await self._do(actions.Stop(ref=self._room(name)))

    async def queue(self, name: str) -> Response:
        """What runs and what waits."""
        cells = (await self._notebook(name)).cells
        return as_json([entry for entry in cells if entry.run and entry.run.status != "done"])

    def _room(self, name: str) -> Ref:
        return room(self._api.world, name)

    async def _do(self, action: Action) -> Response:
        await self._api.perform(action)
        return Response(status_code=204)

    async def _notebook(self, name: str) -> Notebook:
        async with closing(self._api.notebooks(self._room(name))) as notebooks:
            return await anext(notebooks)

    async def _cell(self, name: str, cell_id: str) -> NotebookCell:
        cells = (await self._notebook(name)).cells
        found_cell = next((entry for entry in cells if entry.cell.id == cell_id), None)
        if found_cell is None:
            raise CellNotFoundError(cell_id)
        return found_cell
