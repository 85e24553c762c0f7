"""Real kernels over the daemon: what outlives a client, and what outlives the daemon."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import cast

import pytest

from sandbox_tui.api import daemon
from sandbox_tui.api.remote import RemoteApi
from sandbox_tui.model.actions import AddCell, EditCell, Interrupt, Remove, RunAll, RunCell, Start
from sandbox_tui.model.errors import InvalidSpecError, SandboxError
from sandbox_tui.model.outputs import Outcome
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.model.world import State
from sandbox_tui.runtime.execution import Execution
from tests.integration.daemon.conftest import processes
from tests.support import retry_until_async

LAB = Ref("room:lab")


async def lab(api: RemoteApi) -> int:
    """A room with a running kernel, and the process id of that."""
    await api.perform(Start(name="lab", kind=Kind.ROOM))
    box = api.world.get(LAB)
    assert box is not None
    assert box.pid is not None
    return box.pid


async def run(api: RemoteApi, code: str) -> str:
    result = await (await api.execute(LAB, code))
    assert result.ok, result
    return result.stdout


async def kill_daemon(home: Path) -> None:
    """Kill it once the room is on disk: changes are gathered for a tenth of a second."""
    file = home / "app" / "rooms" / "lab.ipynb"
    await retry_until_async(lambda: asyncio.to_thread(file.exists))
    status = await daemon.status()
    assert status.pid is not None
    os.kill(status.pid, signal.SIGKILL)
    await retry_until_async(lambda: status.pid not in processes(home))


async def test_a_cell_runs_with_the_source_of_the_document(api: RemoteApi) -> None:
    await lab(api)
    cell = cast(str, await api.perform(AddCell(ref=LAB, source="print('old')")))
    await api.perform(EditCell(ref=LAB, cell_id=cell, source="print('né')\n6 * 7"))
    execution = cast(Execution, await api.perform(RunCell(ref=LAB, cell_id=cell)))
    result = await execution

    assert result.stdout == "né\n"
    assert result.display[0].data["text/plain"] == "42"
    assert result.execution_count == 1
    notebook = await anext(api.notebooks(LAB))
    assert notebook.cells[0].run is not None
    assert notebook.cells[0].run.execution_id == execution.id


async def test_run_all_stops_at_an_error(api: RemoteApi) -> None:
    await lab(api)
    for source in ("print(1)", "1 / 0", "print(3)"):
        await api.perform(AddCell(ref=LAB, source=source))
    executions = cast(list[Execution], await api.perform(RunAll(ref=LAB)))

    results = [await execution for execution in executions]
    assert [result.outcome for result in results] == [
        Outcome.OK,
        Outcome.ERROR,
        Outcome.CANCELLED,
    ]
    assert results[1].error is not None
    assert results[1].error.name == "ZeroDivisionError"


async def test_cancel_and_interrupt_end_the_code_itself(api: RemoteApi) -> None:
    await lab(api)
    for end in ("cancel", "interrupt"):
        execution = await api.execute(LAB, "import time; print('in', flush=True); time.sleep(60)")
        await anext(aiter(execution))
        async with asyncio.timeout(10):
            if end == "cancel":
                await execution.cancel()
            else:
                await api.perform(Interrupt(ref=LAB))
            assert (await execution).outcome is not Outcome.OK
    assert await run(api, "print('alive')") == "alive\n"


async def test_what_is_given_up_before_its_handle_came_does_not_run_on(api: RemoteApi) -> None:
    await lab(api)
    asking = asyncio.ensure_future(api.execute(LAB, "import time; time.sleep(60)"))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    async with asyncio.timeout(10):
        assert await run(api, "print('free')") == "free\n"


async def test_two_clients_share_one_room(api: RemoteApi) -> None:
    await lab(api)
    await run(api, "x = 41")
    other = await RemoteApi.connect()

    assert await run(other, "print(x + 1)") == "42\n"
    cell = cast(str, await other.perform(AddCell(ref=LAB, source="y = 1")))
    notebook = await anext(api.notebooks(LAB))
    assert notebook.cells[0].cell.id == cell
    await other.aclose()


async def test_a_run_goes_on_when_its_client_leaves(api: RemoteApi) -> None:
    await lab(api)
    other = await RemoteApi.connect()
    begun = await other.execute(LAB, "import time; time.sleep(0.3); x = 7")
    await other.aclose()

    assert (await begun).outcome is Outcome.DIED
    assert await run(api, "print(x)") == "7\n"


async def test_a_kernel_that_dies_is_told(api: RemoteApi) -> None:
    pid = await lab(api)
    execution = await api.execute(LAB, "import time; time.sleep(60)")
    await retry_until_async(lambda: execution.status == "running")
    os.kill(pid, signal.SIGKILL)

    async with asyncio.timeout(5):
        assert (await execution).outcome is Outcome.DIED
    await retry_until_async(lambda: (box := api.world.get(LAB)) and box.state is State.FAILED)


async def test_a_kernel_that_is_not_installed_is_told(api: RemoteApi) -> None:
    with pytest.raises(InvalidSpecError, match="fortran"):
        await api.perform(Start(name="lab", kind=Kind.ROOM, kernel="fortran"))
    await retry_until_async(lambda: api.world.get(LAB) is None)


async def test_a_killed_daemon_leaves_kernels_to_the_next(home: Path) -> None:
    api = await RemoteApi.connect(start=True)
    pid = await lab(api)
    await run(api, "secret = 'kept'")
    await kill_daemon(home)
    await retry_until_async(lambda: api.lost is not None)
    with pytest.raises(SandboxError):
        await api.perform(Interrupt(ref=LAB))
    await api.aclose()
    assert pid in processes(home)

    api = await RemoteApi.connect(start=True)
    box = (await api.settled()).get(LAB)
    assert box is not None
    assert box.pid == pid
    assert await run(api, "print(secret)") == "kept\n"
    await api.aclose()
    await daemon.stop()


async def test_a_run_that_loses_its_daemon_ends_as_died(home: Path) -> None:
    api = await RemoteApi.connect(start=True)
    await lab(api)
    execution = await api.execute(LAB, "import time; print('in', flush=True); time.sleep(1); z = 3")
    await anext(aiter(execution))
    await kill_daemon(home)

    async with asyncio.timeout(5):
        result = await execution
    assert result.outcome is Outcome.DIED
    assert result.stdout == "in\n"
    assert "daemon" in result.detail
    await api.aclose()

    api = await RemoteApi.connect(start=True)
    assert await run(api, "print(z)") == "3\n"
    await api.aclose()
    await daemon.stop()


async def test_stopping_keeps_cells_and_ends_kernels(home: Path) -> None:
    api = await RemoteApi.connect(start=True)
    await lab(api)
    await api.perform(AddCell(ref=LAB, source="x = 1"))
    await api.aclose()
    await daemon.stop()
    assert not processes(home)

    api = await RemoteApi.connect(start=True)
    box = (await api.settled()).get(LAB)
    assert box is not None
    assert box.state is State.STOPPED
    notebook = await anext(api.notebooks(LAB))
    assert [entry.cell.source for entry in notebook.cells] == ["x = 1"]
    await api.perform(Remove(ref=LAB))
    assert api.world.get(LAB) is None
    await api.aclose()
    await daemon.stop()
