"""How long containers live, who ends them, and what is kept of them."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox_tui.api.containers_async import (
    ProjectNotInitialized,
    create_new_container,
    destroy_container,
    doctor,
    init_project,
    list_containers,
    prune,
    resume_container,
)
from sandbox_tui.api.containers_async.machine import close_machines
from sandbox_tui.model.errors import SandboxError
from tests.integration.face.conftest import IMAGE, Outside, is_there, on_docker, program
from tests.support import Engine, retry_until, retry_until_async

pytestmark = pytest.mark.usefixtures("machines")

MAKE = """
import sys, time
from sandbox_tui.api.containers import create_new_container
box = create_new_container(image={image!r}, name={name!r}, socket_path={url!r})
print(box.run("echo made").stdout, end="", flush=True)
{then}
"""

ONCE = """
import asyncio, time
from sandbox_tui.api.containers_async.machine import machine
from sandbox_tui.backends.containers.engine.engine import Engine
from sandbox_tui.model.actions import RunOnce
from sandbox_tui.model.specs import ContainerSpec

async def main():
    there = await machine({url!r})
    await there.api.perform(RunOnce(spec=ContainerSpec(name={name!r}, image={image!r})))

Engine.begin = lambda *_: (print("made", flush=True), time.sleep(60))
asyncio.run(main())
"""


def making(engine: Engine, name: str, then: str) -> tuple[str, ...]:
    """A program that makes a container and then does something else."""
    code = MAKE.format(image=IMAGE, name=name, url=engine.url, then=then)
    return (sys.executable, "-c", code)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that this process is in."""
    root = init_project(tmp_path / "shop")
    (root / "below").mkdir()
    monkeypatch.chdir(root / "below")
    return root


# --- ends ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("then", ["", "raise SystemExit(3)", "1 / 0"])
@on_docker
def test_nothing_is_left_when_the_interpreter_ends(
    engine: Engine, outside: Outside, then: str
) -> None:
    name = outside.name()
    done = subprocess.run(
        making(engine, name, then), capture_output=True, text=True, timeout=30, check=False
    )

    assert done.stdout == "made\n", done.stderr
    assert outside.state(name) == ""


async def test_what_a_killed_program_left_is_ended_by_the_next_that_looks(
    engine: Engine, outside: Outside
) -> None:
    name = outside.name()
    with program(*making(engine, name, "time.sleep(60)")) as maker:
        assert maker.stdout is not None
        assert maker.stdout.readline() == "made\n"
        await list_containers(socket_path=engine.url)
        assert outside.state(name) == "running"
        maker.kill()
    await retry_until_async(lambda: outside.state(name) == "", timeout=10)


async def test_what_a_killed_program_never_started_is_ended_and_nobody_elses(
    engine: Engine, outside: Outside
) -> None:
    name = outside.name()
    code = ONCE.format(image=IMAGE, name=name, url=engine.url)
    with program(sys.executable, "-c", code) as maker:
        assert maker.stdout is not None
        assert maker.stdout.readline() == "made\n"
        labels = outside.client.inspect_container(name)["Config"]["Labels"]
        other = outside.make("true", Labels=labels)
        await list_containers(socket_path=engine.url)
        assert outside.state(name) == "created"
        maker.kill()
    await retry_until_async(lambda: outside.state(name) == "", timeout=10)
    assert outside.state(other) == "created"


async def test_a_ttl_ends_it_from_outside_and_from_within(engine: Engine, outside: Outside) -> None:
    box = await create_new_container(
        image=IMAGE, name=outside.name(), ttl=1, persist=True, socket_path=engine.url
    )
    await close_machines()  # nobody watches
    retry_until(lambda: outside.state(box.name) == "exited", timeout=10)

    await list_containers(socket_path=engine.url)
    await retry_until_async(lambda: outside.state(box.name) == "", timeout=10)


@on_docker
async def test_one_that_is_idle_is_ended_and_one_that_is_used_is_not(
    engine: Engine, outside: Outside
) -> None:
    wishes = {"image": IMAGE, "idle_timeout": 1, "socket_path": engine.url}
    idle = await create_new_container(name=outside.name(), **wishes)
    used = await create_new_container(name=outside.name(), **wishes)
    asleep = await used.run("sleep 2.5", detach=True)

    await retry_until_async(lambda: outside.state(idle.name) == "", timeout=10)

    assert (await asleep.wait(10)).exit_code == 0
    assert (await used.run("echo on")).stdout == "on\n"
    await retry_until_async(lambda: outside.state(used.name) == "", timeout=10)


@on_docker
async def test_use_by_another_program_counts(engine: Engine, outside: Outside) -> None:
    box = await create_new_container(
        image=IMAGE, name=outside.name(), idle_timeout=1, socket_path=engine.url
    )
    code = f"""
import time
from sandbox_tui.api.containers import resume_container
box = resume_container({box.name!r}, socket_path={engine.url!r})
print(box.run("sleep 2.5").exit_code)
"""
    with program(sys.executable, "-c", code) as user:
        assert user.stdout is not None
        assert await asyncio.to_thread(user.stdout.read) == "0\n"
    await retry_until_async(lambda: outside.state(box.name) == "", timeout=10)


@on_docker
async def test_labels_of_somebody_elses_container_end_nothing(
    engine: Engine, outside: Outside
) -> None:
    labels = {"sandbox-tui.managed": "1", "sandbox-tui.name": "other", "sandbox-tui.ttl": "0.1"}
    name = outside.run("sleep", "1000", Labels={**labels, "sandbox-tui.owner": "1.1.x"})
    box = await create_new_container(
        image=IMAGE, name=outside.name(), ttl=1, socket_path=engine.url
    )
    await retry_until_async(lambda: outside.state(box.name) == "", timeout=10)

    assert outside.state(name) == "running"
    assert await prune(socket_path=engine.url, project="nobody") == 0


# --- begins again -------------------------------------------------------------------------------


async def test_a_fresh_one_has_all_that_the_old_one_was_given(
    engine: Engine, outside: Outside, shared: Path
) -> None:
    (shared / "file").write_text("kept")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with await create_new_container(
        image=IMAGE,
        name=outside.name(),
        volumes={str(shared): "/mnt"},
        devices=["/dev/null:/dev/mine"],
        ports={port: 80},
        env={"TOKEN": "x=y"},
        mem_limit="64m",
        socket_path=engine.url,
    ) as box:
        before = await box.info()
        await box.run("touch /gone")

        await box.reboot(fresh=True)

        after = await box.info()
        assert after.id != before.id
        assert after.id == box.container_id
        assert (after.name, after.ports, after.memory_limit) == (box.name, {port: 80}, "64.0 MB")
        said = await box.run(
            "cat /mnt/file; echo $TOKEN; test -c /dev/mine && echo device; ls /gone"
        )
        assert said.stdout == "keptx=y\ndevice\n"
        assert {name for name in outside.names() if box.name in name} == {box.name}

        await box.run("touch /stays")
        await box.reboot()
        assert (await box.run("ls /stays")).ok
        assert box.container_id == after.id


@on_docker
async def test_the_old_one_is_back_when_the_fresh_one_does_not_start(
    engine: Engine, outside: Outside, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    async with await create_new_container(
        image=IMAGE,
        name=outside.name(),
        volumes={str(source): "/mnt"},
        workdir="/mnt",
        socket_path=engine.url,
    ) as box:
        before = box.container_id
        (source / "file").write_text("")
        source.rename(tmp_path / "moved")
        source.write_text("a file where the folder was")
        with pytest.raises(SandboxError):
            await box.reboot(fresh=True)

        assert box.container_id == before
        assert {name for name in outside.names() if box.name in name} == {box.name}
        source.unlink()
        (tmp_path / "moved").rename(source)
        again = await resume_container(box.name, socket_path=engine.url)
        assert (await again.run("ls /mnt")).stdout == "file\n"


# --- projects -----------------------------------------------------------------------------------


async def test_one_that_persists_is_kept_and_resumed_by_name(
    engine: Engine, outside: Outside, project: Path
) -> None:
    box = await create_new_container(
        image=IMAGE, name=outside.name(), persist=True, env={"A": "1"}, socket_path=engine.url
    )
    assert (box.persist, box.project) == (True, "shop")
    assert Path(box.data_path) == project / ".pocketdock/instances" / box.name
    await box.run("echo kept >/tmp/x; echo said")
    await box.shutdown()
    assert outside.state(box.name) == "exited"
    await close_machines()

    again = await resume_container(box.name, socket_path=engine.url)
    assert (again.container_id, again.data_path) == (box.container_id, box.data_path)
    assert (await again.run("cat /tmp/x; echo $A")).stdout == "kept\n1\n"
    history = (Path(again.data_path) / "logs/history.jsonl").read_text().splitlines()
    assert len(history) == 2
    assert '"exit_code":0' in history[0]
    await again.reboot(fresh=True)
    assert (await again.run("echo $A; ls /tmp")).stdout == "1\n"
    report = await doctor(socket_path=engine.url)
    assert (report.healthy, report.orphaned_containers, report.stale_instance_dirs) == (1, (), ())
    await destroy_container(box.name, socket_path=engine.url)
    assert not is_there(again.data_path)


@on_docker
async def test_doctor_tells_what_does_not_belong_together(
    engine: Engine, outside: Outside, project: Path
) -> None:
    box = await create_new_container(
        image=IMAGE, name=outside.name(), persist=True, socket_path=engine.url
    )
    _mix_up(Path(box.data_path))

    report = await doctor(socket_path=engine.url)

    assert report.orphaned_containers == (box.name,)
    assert report.stale_instance_dirs == ("elsewhere",)
    assert report.healthy == 0
    await destroy_container(box.name, socket_path=engine.url)
    assert is_there(Path(box.data_path).with_name("elsewhere"))


def _mix_up(folder: Path) -> None:
    """Leave the container without a folder, and a folder without a container."""
    elsewhere = folder.with_name("elsewhere")
    folder.rename(elsewhere)
    (elsewhere / "instance.toml").unlink()


@on_docker
async def test_no_folder_is_deleted_because_of_a_label_or_a_name(
    engine: Engine, outside: Outside, project: Path
) -> None:
    theirs = project / ".pocketdock/instances/theirs"
    theirs.mkdir(parents=True)
    (theirs / "precious").write_text("")
    name = outside.name()
    labels = {"sandbox-tui.managed": "1", "sandbox-tui.name": name, "sandbox-tui.persist": "1"}
    outside.client.create_container_from_config(
        {"Image": IMAGE, "Labels": {**labels, "sandbox-tui.data-path": str(project)}}, name
    )
    (project / ".pocketdock/instances" / name).symlink_to(theirs)

    await destroy_container(name, socket_path=engine.url)

    assert is_there(theirs / "precious")


@on_docker
async def test_without_a_project(
    engine: Engine, outside: Outside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ProjectNotInitialized):
        await doctor(socket_path=engine.url)
    box = await create_new_container(
        image=IMAGE, name=outside.name(), persist=True, socket_path=engine.url
    )
    assert (box.data_path, box.project) == ("", "")
