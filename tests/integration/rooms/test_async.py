"""The asynchronous face: the same room, with coroutines for its state."""

from __future__ import annotations

import asyncio

from sandbox_tui.api.rooms import AsyncSession
from sandbox_tui.model.room import CellsChanged, ExecutionEnded


async def test_the_state_is_asked_for(room: AsyncSession) -> None:
    assert room.notebook_id == "lab"
    assert await room.is_connected()
    assert await room.kernel_started()
    cell_id = await room.create_cell("print('hello async')")
    result = await room.execute_cell(cell_id)
    assert result.stdout == "hello async\n"
    assert (await room.get_cell(cell_id)).source == "print('hello async')"
    assert [cell.id for cell in await room.get_cells()] == [cell_id]


async def test_a_run_is_awaited_iterated_and_kept(room: AsyncSession) -> None:
    run = await room.queue_cell(await room.create_cell("print(1); print(2)"))
    assert "".join([output.text or "" async for output in run]) == "1\n2\n"
    assert (await run).success
    assert (await (await room.execution(run.execution_id))).stdout == "1\n2\n"


async def test_many_runs_at_once_keep_their_outputs(room: AsyncSession) -> None:
    results = await asyncio.gather(*(room.run(f"print({n})") for n in range(20)))
    assert [result.stdout for result in results] == [f"{n}\n" for n in range(20)]
    assert len({result.execution_count for result in results}) == 20


async def test_events_tell_what_happens(room: AsyncSession) -> None:
    async with AsyncSession("lab") as other:
        await other.connect()
        seen: list[object] = []

        async def listen() -> None:
            async for event in other.events():
                seen.append(event)
                if isinstance(event, ExecutionEnded):
                    return

        async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
            tasks.create_task(listen())
            await asyncio.sleep(0)
            run = await room.queue_cell(await room.create_cell("1"))
        assert any(isinstance(event, CellsChanged) for event in seen)
        assert isinstance(seen[-1], ExecutionEnded)
        assert seen[-1].execution_id == run.execution_id
