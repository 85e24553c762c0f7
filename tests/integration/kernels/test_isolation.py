"""Kernels that are shut in: real containers, and what cannot get out of them."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import Any

import msgspec
import pytest

from sandbox_tui.api.provisioner import ContainerProvisioner
from sandbox_tui.backends.containers.cages import EngineCages
from sandbox_tui.backends.kernels.caged import cage_name
from sandbox_tui.backends.kernels.records import Records
from sandbox_tui.hub.rooms import RoomsBackend
from sandbox_tui.model.errors import BackendUnavailableError, ImageNotFoundError, InvalidSpecError
from sandbox_tui.model.outputs import Outcome, Result
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.specs import RoomSpec
from sandbox_tui.model.world import Sandbox, State
from tests.support import require_engine, retry_until, retry_until_async

IMAGE = "sandbox-tui-test/kernel"
MEMORY = 512 * 2**20
LAB = Ref("room:lab")
NOBODYS = "0123456789ab"


def docker(*arguments: str) -> str:
    done = subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, timeout=30, check=False
    )
    return done.stdout.strip()


def containers(state: Path) -> dict[str, str]:
    """Every container of this test's kernels, and the state it is in."""
    known = {cage_name(log.stem) for log in (state / "kernels").glob("*.log")}
    lines = docker("ps", "-a", "--format", "{{.Names}} {{.State}}").splitlines()
    return dict(line.split() for line in lines if line.split()[0] in known)


@pytest.fixture(autouse=True)
def _engine(state: Path) -> Iterator[None]:
    require_engine("docker")
    yield
    for record in Records(state / "kernels").read():
        docker("rm", "-f", cage_name(record.id))


def cages(image: str = IMAGE) -> EngineCages:
    return EngineCages("docker", image=image, memory=MEMORY, hint="Build it.")


async def opened(home: Path, state: Path, *, pool: int = 0, image: str = IMAGE) -> RoomsBackend:
    return await RoomsBackend.open(
        state, home / "run", pool=pool, isolation="container", cages=cages(image)
    )


@pytest.fixture
async def rooms(home: Path, state: Path) -> AsyncIterator[RoomsBackend]:
    """Rooms that are isolated unless they say otherwise."""
    backend = await opened(home, state)
    yield backend
    for box in await backend.poll():
        await backend.stop(box.ref)
    await backend.aclose()
    assert not containers(state)


@pytest.fixture
async def lab(rooms: RoomsBackend) -> Ref:
    return await rooms.start(RoomSpec(name="lab"))


async def run(rooms: RoomsBackend, code: str) -> Result:
    async with asyncio.timeout(30):
        return await (await rooms.execute(LAB, code))


async def box(rooms: RoomsBackend) -> Sandbox:
    [box] = await rooms.poll()
    return box


async def test_an_isolated_room_runs_code_restarts_and_ends(
    rooms: RoomsBackend, lab: Ref, state: Path
) -> None:
    result = await run(rooms, "x = 6\nprint('né')\nx * 7")
    assert result.stdout == "né\n"
    assert result.display[0].data["text/plain"] == "42"

    await rooms.restart(lab)
    result = await run(rooms, "x")
    assert result.error is not None
    assert result.error.name == "NameError"
    assert len(containers(state)) == 1

    began = time.monotonic()
    await rooms.stop(lab)
    assert time.monotonic() - began < 3
    assert not containers(state)


@pytest.mark.parametrize(
    "endless",
    [
        "while True: pass",
        "import time; time.sleep(60)",
        "import subprocess; subprocess.run(['sleep', '60'])",
        "import asyncio; await asyncio.sleep(60)",
    ],
)
async def test_interrupt_keeps_the_kernel(rooms: RoomsBackend, lab: Ref, endless: str) -> None:
    await run(rooms, "x = 1")
    running = await rooms.execute(lab, endless)
    await retry_until_async(lambda: running.started_at is not None)
    await rooms.interrupt(lab)
    async with asyncio.timeout(5):
        assert (await running).outcome is Outcome.CANCELLED
    assert (await run(rooms, "x")).ok


WALLS = """
import os, pathlib, socket
said = {"uid": os.getuid()}
for name, path in {"root": "/x", "etc": "/etc/x"}.items():
    try:
        pathlib.Path(path).write_text("x")
    except OSError as error:
        said[name] = error.strerror
for place in (pathlib.Path.home(), pathlib.Path("/tmp")):
    (place / "x").write_text("x")
try:
    socket.create_connection(("192.0.2.1", 80), timeout=5)
except OSError as error:
    said["network"] = error.strerror
said["links"] = sorted(name for _, name in socket.if_nameindex())
status = pathlib.Path("/proc/self/status").read_text()
said["capabilities"] = int(status.partition("CapBnd:")[2].split()[0], 16)
said["new privileges"] = status.partition("NoNewPrivs:")[2].split()[0]
print(__import__("json").dumps(said))
"""


async def test_nothing_gets_out(rooms: RoomsBackend, lab: Ref) -> None:
    said = json.loads((await run(rooms, WALLS)).stdout)
    assert said.pop("uid") != 0
    assert "lo" in said.pop("links")
    assert said == {
        "root": "Read-only file system",
        "etc": "Read-only file system",
        "network": "Network is unreachable",
        "capabilities": 0,
        "new privileges": "1",
    }


async def test_it_has_a_network_when_it_is_asked_for(rooms: RoomsBackend) -> None:
    await rooms.start(RoomSpec(name="lab", isolation="container+network"))
    names = await run(rooms, "import socket; print([name for _, name in socket.if_nameindex()])")
    assert "eth0" in names.stdout


async def test_a_memory_hog_ends_the_room_and_not_the_host(rooms: RoomsBackend, lab: Ref) -> None:
    result = await run(rooms, "hog = bytearray(10**9)")
    assert result.outcome is Outcome.DIED
    assert "OOM" in result.detail

    ended = await box(rooms)
    assert ended.state is State.FAILED
    assert "OOM" in ended.detail
    await rooms.start(RoomSpec(name="lab"))
    assert (await run(rooms, "1")).ok


BOMB = """
import os, signal
children = []
try:
    while len(children) < 5000:
        child = os.fork()
        if not child:
            signal.pause()
        children.append(child)
except OSError as error:
    print(type(error).__name__, len(children) < 256)
for child in children:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
"""


async def test_a_fork_bomb_meets_the_limit(rooms: RoomsBackend, lab: Ref) -> None:
    assert (await run(rooms, BOMB)).stdout == "BlockingIOError True\n"
    assert (await run(rooms, "1")).ok


async def test_death_is_told_with_the_exit_code(rooms: RoomsBackend, lab: Ref) -> None:
    result = await run(rooms, "import os; os._exit(3)")
    assert result.outcome is Outcome.DIED
    assert result.exit_code == 3
    assert (await box(rooms)).detail == "kernel died: exit code 3"


@pytest.mark.parametrize("env_source", ["", "uv:prewarmed"])
async def test_ready_ones_stand_frozen_until_they_are_wanted(
    home: Path, state: Path, env_source: str
) -> None:
    rooms = await opened(home, state, pool=1)
    try:
        await retry_until_async(lambda: "paused" in containers(state).values(), timeout=20)
        ready = set(containers(state))
        await rooms.start(RoomSpec(name="lab", env={"WHO": "né"}, env_source=env_source))
        assert containers(state)[ready.pop()] == "running"
        assert (await run(rooms, "import os; print(os.environ['WHO'])")).stdout == "né\n"
        assert (await run(rooms, "1")).execution_count == 2
    finally:
        await rooms.stop(LAB)
        await rooms.aclose()
    assert not containers(state)


async def test_the_next_daemon_takes_it_over_and_ends_what_is_nobodys(
    home: Path, state: Path
) -> None:
    """The first one is only forgotten, as if it had been killed: nothing of it is asked to end."""
    rooms = await opened(home, state)
    await rooms.start(RoomSpec(name="lab"))
    await run(rooms, "x = 41")
    await rooms.aclose()
    [record] = await asyncio.to_thread(Records(state / "kernels").read)
    log = Path(record.log).with_stem(NOBODYS)
    orphan = msgspec.structs.replace(
        record, id=NOBODYS, pid=0, ready=True, log=str(log), connection_file=f"{home}/{NOBODYS}/c"
    )
    await asyncio.to_thread(log.touch)
    await asyncio.to_thread(Records(state / "kernels").write, orphan)
    docker("run", "-d", "--name", cage_name(orphan.id), IMAGE, "sleep", "100")

    rooms = await opened(home, state)
    try:
        assert list(containers(state)) == [cage_name(record.id)]
        assert (await run(rooms, "print(x + 1)")).stdout == "42\n"
        docker("kill", cage_name(record.id))
        await retry_until_async(lambda: _failed(rooms))
        assert (await box(rooms)).detail == "kernel died: exit code 137"
    finally:
        await rooms.stop(LAB)
        await rooms.aclose()


SPEC = {
    "argv": ["not used"],
    "display_name": "Isolated",
    "language": "python",
    "interrupt_mode": "message",
    "env": {"WHO": "né"},
    "metadata": {
        "kernel_provisioner": {
            "provisioner_name": "sandbox-tui-container",
            "config": {"image": IMAGE},
        }
    },
}


def interrupted(manager: Any, client: Any) -> dict[str, Any]:
    """How the present code ends; under load the kernel itself may catch the first interrupt."""
    for _ in range(3):
        manager.interrupt_kernel()
        with suppress(Empty):
            return client.get_shell_msg(timeout=10)["content"]
    pytest.fail("it was interrupted in vain")


def test_plain_jupyter_client_launches_isolated_kernels(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jupyter_client.manager import start_new_kernel

    folder = home / "jupyter" / "kernels" / "isolated"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(json.dumps(SPEC))
    monkeypatch.setenv("JUPYTER_PATH", str(home / "jupyter"))
    manager, client = start_new_kernel(startup_timeout=30, kernel_name="isolated")
    assert isinstance(manager.provisioner, ContainerProvisioner)
    said: list[str] = []

    def run(code: str) -> str:
        said.clear()
        client.execute_interactive(code, timeout=30, output_hook=hear)
        return "".join(said)

    def hear(message: dict[str, Any]) -> None:
        said.append(str(message["content"].get("text", "")))

    try:
        assert run("import os; x = 1; print(os.getuid() != 0, os.environ['WHO'])") == "True né\n"
        manager.restart_kernel(now=True)
        client.wait_for_ready(timeout=30)
        assert run("print('x' in globals())") == "False\n"
        assert manager.is_alive()
        client.execute("print('begun', flush=True); import time; time.sleep(60)")
        while client.get_iopub_msg(timeout=30)["msg_type"] != "stream":
            pass
        assert interrupted(manager, client)["ename"] == "KeyboardInterrupt"
        # What comes just after an error is dropped with what waited.
        retry_until(lambda: run("print('goes on')") == "goes on\n")
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert not manager.is_alive()


async def _failed(rooms: RoomsBackend) -> bool:
    return (await box(rooms)).state is State.FAILED


async def test_what_cannot_be_is_said(home: Path, state: Path, rooms: RoomsBackend) -> None:
    with pytest.raises(InvalidSpecError, match="isolation"):
        await rooms.start(RoomSpec(name="lab", kernel="python3"))
    with pytest.raises(InvalidSpecError, match="none of none, container"):
        await rooms.start(RoomSpec(name="lab", isolation="jail"))

    other = await opened(home, home / "other", image="sandbox-tui-test/no-such")
    with pytest.raises(ImageNotFoundError) as caught:
        await other.start(RoomSpec(name="lab"))
    assert caught.value.hint == "Build it."
    await other.aclose()

    away = EngineCages(f"unix://{home}/none.sock", image=IMAGE, memory=MEMORY)
    other = await RoomsBackend.open(home / "away", home / "run", cages=away)
    with pytest.raises(BackendUnavailableError):
        await other.start(RoomSpec(name="lab", isolation="container"))
    await other.aclose()
    assert not list((home / "away" / "kernels").glob("*"))


async def test_an_image_without_ipykernel_says_why(home: Path, state: Path) -> None:
    rooms = await opened(home, state, image="sandbox-tui-test/python")
    with pytest.raises(Exception, match="No module named"):
        await rooms.start(RoomSpec(name="lab"))
    await rooms.aclose()
    assert not containers(state)
