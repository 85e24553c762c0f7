"""deno's kernel, from the wheel: another language, over TCP, and a signal would kill it."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from pathlib import Path

import pytest

from sandbox_tui.backends.kernels.connection import read_connection
from sandbox_tui.backends.kernels.host import KernelHost
from sandbox_tui.backends.kernels.kernel import Kernel, KernelStatus
from sandbox_tui.backends.kernels.launch import KernelRequest
from sandbox_tui.model.outputs import Outcome, Result
from sandbox_tui.model.refs import Ref
from sandbox_tui.runtime.execution import Execution
from tests.integration.kernels.listener import Ears
from tests.support import retry_until_async
from tests.system import in_session

LAB = Ref("room:lab")


@pytest.fixture
async def deno(host: KernelHost, ears: Ears, home: Path) -> Kernel:
    """Started by the kernelspec that deno itself installs."""
    program = Path(sys.executable).with_name("deno")
    found = str(program) if program.exists() else shutil.which("deno")
    if found is None:
        pytest.skip("no deno: pip install deno")
    installer = await asyncio.create_subprocess_exec(
        found, "jupyter", "--install", stdout=asyncio.subprocess.DEVNULL
    )
    assert await installer.wait() == 0
    spec = json.loads((home / "data/jupyter/kernels/deno/kernel.json").read_text())
    assert spec.get("interrupt_mode") is None
    return await host.start(KernelRequest(owner=LAB, kernel="deno"), ears)


async def run(kernel: Kernel, code: str) -> Result:
    async with asyncio.timeout(30):
        return await kernel.run(Execution(LAB, code))


async def test_it_runs(deno: Kernel, host: KernelHost) -> None:
    connection = await asyncio.to_thread(read_connection, Path(deno.record.connection_file))
    assert connection.transport == "tcp"
    assert (await run(deno, "const x: number = 6; console.log('é')")).stdout == "é\n"
    result = await run(deno, "x * 7")
    assert result.execution_count == 2
    assert "42" in str(result.outputs)
    failed = await run(deno, "throw new Error('no')")
    assert failed.error is not None
    assert "no" in str(failed.error)
    await host.end(deno)
    assert in_session(deno.pid) == []


async def test_an_interrupt_does_not_kill_it(deno: Kernel, host: KernelHost) -> None:
    running = asyncio.create_task(run(deno, "while (true) {}"))
    await retry_until_async(lambda: deno.status is KernelStatus.BUSY)
    await deno.interrupt()
    assert (await running).outcome is Outcome.CANCELLED
    assert (await run(deno, "1 + 1")).ok
    await host.end(deno)
