"""What the actions do in rooms and with the kernels that stand ready: one function per action."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sandbox_tui.backends.base import Notebooks, Pooled
from sandbox_tui.backends.sharing import Completes, Saves
from sandbox_tui.hub.hub import Hub
from sandbox_tui.model.actions import (
    Action,
    AddCell,
    AppendSource,
    CellChange,
    ClearOutputs,
    Complete,
    EditCell,
    FlushPool,
    MoveCell,
    OpenRoom,
    PoolStatus,
    RemoveCell,
    RunAll,
    RunCell,
    SaveAs,
    SetMetadata,
)
from sandbox_tui.model.cells import CellKind
from sandbox_tui.model.limits import check
from sandbox_tui.model.pools import PoolState
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.room import Completion
from sandbox_tui.model.specs import RoomSpec
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.runtime.streams import closing


async def open_room(hub: Hub, action: OpenRoom) -> Ref:
    """Have a room, new or not, or one with what a file holds."""
    spec = RoomSpec(
        name=action.ref.name,
        working_dir=action.working_dir,
        notebook=action.notebook or "",
    )
    check(spec)
    ref = await hub.able(action.ref, Notebooks, "be opened").open_room(spec)
    await hub.refresh(ref.place)
    return ref


async def edit(hub: Hub, action: CellChange) -> str:
    """Change the document of a room."""
    return await hub.having(action.ref, Notebooks, "hold cells").edit(action)


async def save_as(hub: Hub, action: SaveAs) -> str:
    """Write a room as a notebook file."""
    return await hub.having(action.ref, Saves, "be saved as a file").save_as(
        action.ref, action.path
    )


async def complete(hub: Hub, action: Complete) -> Completion:
    """Ask the kernel how the code may go on."""
    able = hub.having(action.ref, Completes, "complete code")
    return await able.complete(action.ref, action.code, action.cursor)


async def pool_status(hub: Hub, action: PoolStatus) -> tuple[PoolState, ...]:
    """Of every backend that keeps kernels ready."""
    del action
    states = [await backend.pools() for backend in _pooled(hub)]
    return tuple(state for some in states for state in some)


async def flush_pool(hub: Hub, action: FlushPool) -> None:
    """The same backends."""
    del action
    for backend in _pooled(hub):
        await backend.flush_pool()


async def run_cell(hub: Hub, action: RunCell) -> Execution:
    """Queue one cell."""
    able = hub.having(action.ref, Notebooks, "run cells")
    [execution] = await able.run_cells(action.ref, [action.cell_id], timeout=action.timeout)
    return execution


async def run_all(hub: Hub, action: RunAll) -> list[Execution]:
    """Queue cells in order: those that are named, else every code cell."""
    able = hub.having(action.ref, Notebooks, "run cells")
    cell_ids = action.cell_ids
    if cell_ids is None:
        async with closing(able.notebooks(action.ref)) as notebooks:
            notebook = await anext(notebooks)
        code = (entry.cell for entry in notebook.cells if entry.cell.kind is CellKind.CODE)
        cell_ids = tuple(cell.id for cell in code)
    return await able.run_cells(action.ref, cell_ids, timeout=action.timeout)


HANDLERS: Mapping[type[Action], Callable[[Hub, Any], Awaitable[object]]] = {
    OpenRoom: open_room,
    **dict.fromkeys(
        (AddCell, EditCell, AppendSource, MoveCell, RemoveCell, ClearOutputs, SetMetadata), edit
    ),
    SaveAs: save_as,
    Complete: complete,
    PoolStatus: pool_status,
    FlushPool: flush_pool,
    RunCell: run_cell,
    RunAll: run_all,
}


def _pooled(hub: Hub) -> list[Pooled]:
    backends = (hub.backend(place) for place in hub.places)
    return [backend for backend in backends if isinstance(backend, Pooled)]
