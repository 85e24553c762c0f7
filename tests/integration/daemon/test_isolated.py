"""Isolated kernels over a daemon that is killed: taken over, and nothing of nobody's left."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from pathlib import Path
from typing import cast

from sandbox_tui.api import daemon
from sandbox_tui.api.daemon_home import DaemonHome
from sandbox_tui.api.remote import RemoteApi
from sandbox_tui.backends.kernels.caged import cage_name
from sandbox_tui.backends.kernels.records import Records
from sandbox_tui.model.actions import Remove, Start, Stop
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.runtime.execution import Execution
from tests.integration.daemon.conftest import processes
from tests.support import require_engine, retry_until_async

LAB = Ref("room:lab")
CONFIG = """
backends:
  container: {runtime: docker}
  room: {image: sandbox-tui-test/kernel, isolation: container, pool: 1}
"""


def state_of(kernel_id: str) -> str:
    wanted = ("--filter", f"name={cage_name(kernel_id)}", "--format", "{{.State}}")
    return subprocess.check_output(["docker", "ps", "-a", *wanted], text=True).strip()


async def run(api: RemoteApi, code: str) -> str:
    result = await cast(Execution, await api.execute(LAB, code))
    assert result.ok, result
    return result.stdout


async def test_a_killed_daemon_leaves_nothing_but_the_rooms(home: Path) -> None:
    require_engine("docker")
    file = Path(os.environ["XDG_CONFIG_HOME"], "sandbox-tui", "config.yml")
    await asyncio.to_thread(file.parent.mkdir, parents=True, exist_ok=True)
    await asyncio.to_thread(file.write_text, CONFIG)
    records = Records(DaemonHome.at().state / "kernels")
    api = await RemoteApi.connect(start=True)
    await api.perform(Start(name="lab", kind=Kind.ROOM))
    await run(api, "x = 41")

    async def ready() -> list[str]:
        found = await asyncio.to_thread(records.read)
        every = [record.id for record in found if record.ready]
        states = [await asyncio.to_thread(state_of, one) for one in every]
        return every if states == ["paused"] else []

    [standby] = await retry_until_async(ready, timeout=20)
    status = await daemon.status()
    assert status.pid is not None
    os.kill(status.pid, signal.SIGKILL)
    await retry_until_async(lambda: status.pid not in processes(home))
    await api.aclose()

    api = await RemoteApi.connect(start=True)
    assert await run(api, "print(x + 1)") == "42\n"
    assert await asyncio.to_thread(state_of, standby) == ""
    await api.perform(Stop(ref=LAB))
    await api.perform(Remove(ref=LAB))
    await api.aclose()
    await daemon.stop()
    assert not await asyncio.to_thread(records.read)
