"""Kernels that a provisioner launches: one of a stranger's, and the one of this project."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest
from jupyter_client.provisioning.factory import KernelProvisionerFactory

from sandbox_tui.backends.kernels.connection import read_connection
from sandbox_tui.backends.kernels.host import KernelHost
from sandbox_tui.backends.kernels.kernel import Kernel, KernelStatus
from sandbox_tui.backends.kernels.launch import KernelRequest
from sandbox_tui.hub.rooms import RoomsBackend
from sandbox_tui.model.errors import StartFailedError
from sandbox_tui.model.outputs import Outcome, Result
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.specs import RoomSpec
from sandbox_tui.runtime.execution import Execution
from tests.integration.kernels.listener import Ears
from tests.integration.kernels.test_isolation import SPEC, docker
from tests.support import retry_until_async
from tests.system import in_session

LAB = Ref("room:lab")

FAR = '''
"""A provisioner that tells nobody its process, as one of another machine does."""
import asyncio, os, signal, subprocess
from jupyter_client.provisioning import KernelProvisionerBase


class Far(KernelProvisionerBase):
    pid = 0

    @property
    def has_process(self):
        return bool(self.pid)

    async def pre_launch(self, **kwargs):
        kwargs = await super().pre_launch(**kwargs)
        self.parent.write_connection_file()
        self.connection_info = self.parent.get_connection_info()
        return {**kwargs, "cmd": self.parent.format_kernel_cmd()}

    async def launch_kernel(self, cmd, **kwargs):
        if kwargs["env"].get("FAIL"):
            raise RuntimeError("the far end is away")
        ways = {name: kwargs[name] for name in ("env", "cwd", "stdout", "stderr")}
        process = subprocess.Popen(cmd, **ways, start_new_session=True)
        self.pid, process.returncode = process.pid, 0  # nobody waits for it here
        return self.connection_info

    async def poll(self):
        try:
            with open(f"/proc/{self.pid}/stat") as stat:
                return 3 if stat.read().rpartition(")")[2].split()[0] == "Z" else None
        except (FileNotFoundError, ProcessLookupError):
            return 3

    async def wait(self):
        while (code := await self.poll()) is None:
            await asyncio.sleep(0.01)
        return code

    async def send_signal(self, signum):
        os.kill(self.pid, signum)

    async def kill(self, restart=False):
        os.killpg(self.pid, signal.SIGKILL)

    async def terminate(self, restart=False):
        os.killpg(self.pid, signal.SIGTERM)

    async def cleanup(self, restart=False):
        pass

    async def get_provisioner_info(self):
        return {**await super().get_provisioner_info(), "pid": self.pid}

    async def load_provisioner_info(self, info):
        await super().load_provisioner_info(info)
        self.pid = info["pid"]
'''


def install(home: Path, name: str, spec: object) -> None:
    folder = home / "data/jupyter/kernels" / name
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(json.dumps(spec))


@pytest.fixture
def far(home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A kernelspec whose provisioner is installed as any package installs one."""
    site = home / "site"
    about = site / "far-1.dist-info"
    about.mkdir(parents=True)
    (site / "far_provisioner.py").write_text(FAR)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: far\nVersion: 1\n")
    points = "[jupyter_client.kernel_provisioners]\nfar = far_provisioner:Far\n"
    (about / "entry_points.txt").write_text(points)
    monkeypatch.syspath_prepend(str(site))
    KernelProvisionerFactory.clear_instance()  # it looks once at what is installed
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    told = {"kernel_provisioner": {"provisioner_name": "far"}}
    install(home, "far", {"argv": argv, "display_name": "Far", "language": "python",
                          "metadata": told})  # fmt: skip
    return "far"


async def run(kernel: Kernel, code: str) -> Result:
    async with asyncio.timeout(30):
        return await kernel.run(Execution(LAB, code))


async def test_a_strangers_provisioner_launches_interrupts_and_ends(
    host: KernelHost, ears: Ears, far: str, home: Path
) -> None:
    request = KernelRequest(owner=LAB, kernel=far, env={"WHO": "né"}, working_dir=str(home))
    kernel = await host.start(request, ears)
    connection = await asyncio.to_thread(read_connection, Path(kernel.record.connection_file))
    assert connection.transport == "tcp"
    assert kernel.pid == 0
    said = await run(kernel, "import os; print(os.environ['WHO'], os.getcwd(), os.getpid())")
    who, where, pid = said.stdout.split()
    assert (who, where) == ("né", str(home))

    running = asyncio.create_task(run(kernel, "import time; time.sleep(60)"))
    await retry_until_async(lambda: kernel.status is KernelStatus.BUSY)
    await kernel.interrupt()
    assert (await running).outcome is Outcome.CANCELLED
    await host.end(kernel)
    assert in_session(int(pid)) == []


async def test_its_death_is_noticed(host: KernelHost, ears: Ears, far: str) -> None:
    kernel = await host.start(KernelRequest(owner=LAB, kernel=far), ears)
    result = await run(kernel, "import os; os._exit(3)")
    assert (result.outcome, result.exit_code) == (Outcome.DIED, 3)
    await host.end(kernel)


async def test_why_it_was_not_launched(host: KernelHost, ears: Ears, far: str) -> None:
    with pytest.raises(StartFailedError, match="the far end is away"):
        await host.start(KernelRequest(owner=LAB, kernel=far, env={"FAIL": "1"}), ears)


async def test_the_next_daemon_takes_it_up(
    host: KernelHost, ears: Ears, far: str, home: Path, state: Path
) -> None:
    kernel = await host.start(KernelRequest(owner=LAB, kernel=far), ears)
    [pid] = (await run(kernel, "x = 41; import os; print(os.getpid())")).stdout.split()
    await host.aclose()
    heir = KernelHost(home / "run", state)
    [found], dead = await heir.adopt(lambda _: ears)
    assert dead == []
    assert (await run(found, "print(x + 1)")).stdout == "42\n"
    await heir.end(found)
    assert in_session(int(pid)) == []
    await heir.aclose()


async def test_one_that_died_in_between_is_reported(
    host: KernelHost, ears: Ears, far: str, home: Path, state: Path
) -> None:
    kernel = await host.start(KernelRequest(owner=LAB, kernel=far), ears)
    [pid] = (await run(kernel, "import os; print(os.getpid())")).stdout.split()
    await host.aclose()
    os.kill(int(pid), signal.SIGKILL)
    await retry_until_async(lambda: not in_session(int(pid)))
    heir = KernelHost(home / "run", state)
    living, [dead] = await heir.adopt(lambda _: ears)
    assert (living, dead.id) == ([], kernel.record.id)
    await heir.aclose()


async def test_a_room_whose_kernelspec_shuts_it_in(home: Path, state: Path) -> None:
    install(home, "caged", SPEC)
    rooms = await RoomsBackend.open(state, home / "run")
    ref = await rooms.start(RoomSpec(name="lab", kernel="caged"))
    code = "import os; print(os.getuid() != 0, os.environ['WHO'], os.uname().nodename)"
    result = await (await rooms.execute(ref, code))
    nobody, who, name = result.stdout.split()
    assert (nobody, who) == ("True", "né")
    assert docker("ps", "--quiet", "--no-trunc").count(name) == 1
    await rooms.aclose()

    rooms = await RoomsBackend.open(state, home / "run")
    result = await (await rooms.execute(ref, "print(os.getuid() != 0)"))
    assert result.stdout == "True\n"
    await rooms.stop(ref)
    await rooms.aclose()
    assert docker("ps", "--all", "--quiet", "--no-trunc").count(name) == 0
