"""What a held container can do, on both engines."""

from __future__ import annotations

import asyncio
import itertools
import signal
import statistics
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sandbox_tui.api.containers_async import (
    AsyncContainer,
    ContainerGone,
    ContainerNotFound,
    ContainerNotRunning,
    ImageNotFound,
    create_new_container,
    destroy_container,
    list_containers,
    prune,
    resume_container,
    stop_container,
)
from sandbox_tui.api.containers_async.errors import WaitTimeoutError
from sandbox_tui.model.errors import InvalidSpecError, StartFailedError
from tests.integration.face.conftest import IMAGE, Outside, on_docker
from tests.support import Engine, retry_until_async

pytestmark = pytest.mark.usefixtures("machines")


async def test_a_command_and_its_result(box: AsyncContainer) -> None:
    result = await box.run("echo out; echo err >&2; exit 3")

    assert (result.exit_code, result.stdout, result.stderr) == (3, "out\n", "err\n")
    assert not result.ok
    assert not result.timed_out
    assert not result.truncated
    assert 0 < result.duration_ms < 5000
    assert (await box.run("printf '\\303\\251'")).stdout_bytes == "é".encode()


async def test_code_of_a_language_is_an_argument_and_never_quoted(box: AsyncContainer) -> None:
    code = "echo \"it's $0\" '$(x)'"

    assert (await box.run(code, lang="sh")).stdout == "it's sh $(x)\n"
    assert (await box.run("x", lang="node")).exit_code != 0
    with pytest.raises(InvalidSpecError, match="python"):
        await box.run("x", lang="cobol")


async def test_a_timeout_ends_the_tree_and_keeps_what_was_said(box: AsyncContainer) -> None:
    result = await box.run("echo begun; sleep 98 & sleep 99", timeout=0.3)

    assert (result.timed_out, result.exit_code, result.stdout) == (True, -1, "begun\n")
    assert "sleep 9" not in (await box.run("ps")).stdout


async def test_more_output_than_wanted_is_its_beginning(box: AsyncContainer) -> None:
    result = await box.run(
        "i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done", max_output=100
    )

    assert result.truncated
    assert result.exit_code == 0
    assert len(result.stdout) == 100
    assert result.stdout.startswith("line 0\nline 1\n")


async def test_a_stream_gives_all_in_order_and_then_a_result(box: AsyncContainer) -> None:
    stream = await box.run("echo a; echo b >&2; sleep 0.1; echo c; exit 4", stream=True)
    with pytest.raises(RuntimeError):
        _ = stream.result

    chunks = [chunk async for chunk in stream]

    said = {
        name: "".join(c.data for c in chunks if c.stream == name) for name in ("stdout", "stderr")
    }
    assert said == {"stdout": "a\nc\n", "stderr": "b\n"}
    assert stream.result.exit_code == 4


async def test_leaving_a_stream_early_ends_the_command(box: AsyncContainer) -> None:
    stream = await box.run("echo begun; sleep 97", stream=True)
    async for _ in stream:
        break
    await stream.close()

    assert "sleep 97" not in (await box.run("ps")).stdout


async def test_a_process_in_the_background(box: AsyncContainer) -> None:
    process = await box.run("echo one; echo two >&2; sleep 96 & wait; exit 143", detach=True)
    await retry_until_async(lambda: process.buffer_size == 8)

    assert await process.is_running()
    assert process.peek() == process.read()
    assert process.buffer_size == 0
    assert process.read().stdout == ""
    with pytest.raises(TimeoutError) as raised:
        await process.wait(timeout=0.05)
    assert isinstance(raised.value, WaitTimeoutError)
    await process.kill()
    result = await process.wait(timeout=5)
    assert result.exit_code == 128 + signal.SIGTERM
    assert result.stdout == "one\n"
    assert not await process.is_running()
    assert "sleep 96" not in (await box.run("ps")).stdout


async def test_cancelling_leaves_nothing_running(box: AsyncContainer) -> None:
    task = asyncio.create_task(box.run("sleep 95"))
    await retry_until_async(lambda: _shows(box, "sleep 95"))

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert "sleep 95" not in (await box.run("ps")).stdout


async def _shows(box: AsyncContainer, text: str) -> bool:
    return text in (await box.run("ps")).stdout


async def test_files(box: AsyncContainer, tmp_path: Path) -> None:
    await box.write_file("/tmp/a/b.txt", "é\n")
    assert await box.read_file("/tmp/a/b.txt") == "é\n".encode()
    assert await box.list_files("/tmp/a") == ["b.txt"]
    (tmp_path / "x y").write_text("pushed")
    await box.push(str(tmp_path / "x y"), "/tmp/")
    await box.pull("/tmp/x y", str(tmp_path / "back"))
    assert (tmp_path / "back").read_text() == "pushed"


async def test_a_session(box: AsyncContainer) -> None:
    async with await box.session() as session:
        heard: list[str] = []
        session.on_output(heard.append)
        await session.send("cd /tmp")
        result = await session.send_and_wait("pwd; exit_code() { return 5; }; exit_code")
        assert (result.stdout, result.exit_code) == ("/tmp\n", 5)
        await retry_until_async(lambda: "".join(heard) == "/tmp\n")
        assert session.read() == "/tmp\n"
        assert (await session.send_and_wait("sleep 94", timeout=0.2)).timed_out
        assert (await session.send_and_wait("pwd")).stdout == "/tmp\n"


async def test_how_it_is(box: AsyncContainer, engine: Engine) -> None:
    busy = await box.run("while :; do :; done", detach=True)

    async def at_work() -> bool:
        return (await box.info()).cpu_percent > 30

    await retry_until_async(at_work, timeout=10)
    info = await box.info()

    assert (info.id, info.name, info.status) == (box.container_id, box.name, "running")
    assert IMAGE in info.image
    assert info.started_at is not None
    assert info.uptime is not None
    assert abs((datetime.now(UTC) - info.created_at).total_seconds()) < 30
    assert 0 <= info.uptime.total_seconds() < 30
    assert info.memory_usage.endswith(("KB", "MB"))
    assert 30 < info.cpu_percent < 130
    commands = [process["COMMAND"] for process in info.processes]
    assert any("while :" in command or "sh" in command for command in commands)
    assert not any("sandbox-tui" in command for command in commands)
    assert info.network
    assert info.ip_address
    await busy.kill(signal.SIGKILL)
    assert box.socket_path == str(engine.socket)


def processor_by_engine(outside: Outside, name: str) -> float:
    """Percent of a core, from some seconds of what `docker stats` shows."""
    said = outside.client.stats(name, stream=True, decode=True)
    first, *_, last = (each["cpu_stats"] for each in itertools.islice(said, 4))
    used = last["cpu_usage"]["total_usage"] - first["cpu_usage"]["total_usage"]
    system = last["system_cpu_usage"] - first["system_cpu_usage"]
    return used / system * last["online_cpus"] * 100


@on_docker
async def test_processor_and_memory_are_what_the_engine_says(
    box: AsyncContainer, outside: Outside
) -> None:
    cached = "head -c 60000000 /dev/zero >/tmp/x; cat /tmp/x >/dev/null"
    await box.run(cached)
    busy = await box.run("while :; do :; done", detach=True)
    looking = asyncio.create_task(asyncio.to_thread(processor_by_engine, outside, box.name))
    infos = [await box.info()]
    while not looking.done():
        infos.append(await box.info())
    ours = statistics.fmean(info.cpu_percent for info in infos)

    assert ours == pytest.approx(await looking, abs=8)
    usage = infos[-1].memory_usage
    assert usage.endswith("KB") or float(usage.split()[0]) < 20
    await busy.kill(signal.SIGKILL)


async def test_paused_and_resumed(engine: Engine, outside: Outside) -> None:
    project = outside.name()
    async with await create_new_container(
        image=IMAGE, name=outside.name(), project=project, socket_path=engine.url
    ) as box:
        await box.pause()
        assert (await box.info()).status == "paused"
        assert await prune(socket_path=engine.url, project=project) == 0
        await box.resume()
        assert (await box.run("echo on")).stdout == "on\n"


async def test_shutdown_takes_under_a_second_and_can_be_repeated(
    engine: Engine, outside: Outside
) -> None:
    box = await create_new_container(image=IMAGE, name=outside.name(), socket_path=engine.url)
    await box.run("sleep 93", detach=True)
    began = time.monotonic()
    await box.shutdown()

    assert time.monotonic() - began < 1.0
    assert outside.state(box.name) == ""
    await box.shutdown()
    with pytest.raises(ContainerGone):
        await box.run("echo")


async def test_a_block_ends_it_also_when_something_is_raised(
    engine: Engine, outside: Outside
) -> None:
    name = outside.name()
    with pytest.raises(ZeroDivisionError):
        async with await create_new_container(image=IMAGE, name=name, socket_path=engine.url):
            raise ZeroDivisionError
    assert outside.state(name) == ""


async def test_a_failed_start_leaves_nothing(engine: Engine, outside: Outside) -> None:
    name = outside.name()
    with pytest.raises(ImageNotFound):
        await create_new_container(image="no-such/image", name=name, socket_path=engine.url)
    with pytest.raises((StartFailedError, InvalidSpecError)):
        await create_new_container(
            image=IMAGE, name=name, workdir="/proc/x/y", socket_path=engine.url
        )
    for wrong in ("../etc", "a b", "-x"):
        with pytest.raises(InvalidSpecError):
            await create_new_container(image=IMAGE, name=wrong, socket_path=engine.url)
    assert outside.state(name) == ""


async def test_what_was_wished_is_inside(engine: Engine, outside: Outside, shared: Path) -> None:
    (shared / "file").write_text("here")
    async with await create_new_container(
        image=IMAGE,
        name=outside.name(),
        mem_limit="64m",
        cpu_percent=50,
        volumes={str(shared): "/mnt:ro"},
        env={"WHO": "me"},
        workdir="/mnt",
        user="1000:1000",
        network=False,
        read_only=True,
        security="strict",
        socket_path=engine.url,
    ) as box:
        said = await box.run(
            "echo $WHO; pwd; id -u; cat file; echo; ls /sys/class/net;"
            "grep ^CapEff /proc/self/status; touch /x || echo no"
        )
        info = await box.info()

    assert said.stdout.splitlines() == [
        *("me", "/mnt", "1000", "here", "lo", "CapEff:\t0000000000000000", "no")
    ]
    assert not info.network
    assert info.memory_limit == "64.0 MB"


@on_docker
async def test_only_exact_names_are_found(engine: Engine, outside: Outside) -> None:
    name = outside.run("sleep", "1000")
    for wrong in (name[:-1], f"{name}x", outside.client.inspect_container(name)["Id"], IMAGE):
        with pytest.raises(ContainerNotFound):
            await resume_container(wrong, socket_path=engine.url)
        with pytest.raises(ContainerNotFound):
            await destroy_container(wrong, socket_path=engine.url)
    assert outside.state(name) == "running"


async def test_any_container_can_be_held_by_its_name(engine: Engine, outside: Outside) -> None:
    name = outside.run("sleep", "1000")

    box = await resume_container(name, socket_path=engine.url)

    assert (await box.run("echo there")).stdout == "there\n"
    assert name not in {item.name for item in await list_containers(socket_path=engine.url)}
    await box.shutdown(force=True)
    assert outside.state(name) == "exited"
    with pytest.raises(ContainerNotRunning):
        await box.run("echo")
    again = await resume_container(name, socket_path=engine.url)
    assert (await again.run("echo again")).stdout == "again\n"


async def test_listed_stopped_and_destroyed_by_name(engine: Engine, outside: Outside) -> None:
    project = outside.name()
    box = await create_new_container(
        image=IMAGE, name=outside.name(), project=project, socket_path=engine.url
    )
    [item] = await list_containers(socket_path=engine.url, project=project)

    assert (item.id, item.name, item.status) == (box.container_id, box.name, "running")
    assert (item.persist, item.project) == (False, project)
    await stop_container(box.name, socket_path=engine.url)
    assert outside.state(box.name) == "exited"
    assert await prune(socket_path=engine.url, project="somebody elses") == 0
    assert await prune(socket_path=engine.url, project=project) == 1
    assert outside.state(box.name) == ""
    with pytest.raises(ContainerNotFound):
        await destroy_container(box.name, socket_path=engine.url)


async def test_a_named_endpoint_never_falls_through_to_another(home: Path) -> None:
    from sandbox_tui.api.containers_async import SocketConnectionError

    with pytest.raises(SocketConnectionError):
        await create_new_container(image=IMAGE, socket_path=str(home / "no.sock"))
