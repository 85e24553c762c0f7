"""An engine that dies or freezes in the middle of something, under the face's calls."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from sandbox_tui.api.containers_async import (
    AsyncContainer,
    AsyncExecStream,
    ExecResult,
    SocketError,
    create_new_container,
    list_containers,
)
from sandbox_tui.model.errors import DeadlineError, SandboxError
from tests.integration.face.conftest import IMAGE
from tests.service import Service
from tests.support import require_program, retry_until_async

pytestmark = [pytest.mark.usefixtures("machines"), pytest.mark.timeout(120)]


@pytest.fixture
def service(home: Path, podman_engine: object) -> Iterator[Service]:
    """An engine of this test's own, which may be killed and frozen."""
    require_program("podman")
    service = Service(home)
    service.start()
    yield service
    service.close()


@pytest.fixture
async def box(service: Service, machines: None) -> AsyncIterator[AsyncContainer]:
    """A container of that engine."""
    made = await create_new_container(image=IMAGE, socket_path=service.url)
    await made.run("true")
    yield made
    await retry_until_async(lambda: _ends(made), timeout=30)


async def _ends(box: AsyncContainer) -> bool:
    """Whether it is taken away: an engine that froze needs a moment to be found again."""
    try:
        await box.shutdown(force=True)
    except SandboxError:
        return False
    return True


async def read_all(stream: AsyncExecStream) -> ExecResult:
    async for _ in stream:
        pass
    return stream.result


async def test_an_engine_that_is_killed_ends_what_waits_for_it_with_an_error(
    box: AsyncContainer, service: Service
) -> None:
    shell = await box.session()
    process = await box.run("sleep 60", detach=True)
    waiting = {
        "run": asyncio.create_task(box.run("sleep 61", timeout=60)),
        "stream": asyncio.create_task(read_all(await box.run("sleep 62", stream=True, timeout=60))),
        "session": asyncio.create_task(shell.send_and_wait("sleep 63", timeout=60)),
        "process": asyncio.create_task(process.wait()),
    }
    await retry_until_async(lambda: _all_run(box, 4))

    service.stop()
    began = time.monotonic()
    ended = await asyncio.gather(*waiting.values(), return_exceptions=True)

    assert time.monotonic() - began < 1
    for what, error in zip(waiting, ended, strict=True):
        assert isinstance(error, SandboxError), f"{what}: {error!r}"
    with pytest.raises(SocketError):
        await box.run("true")
    with pytest.raises(SandboxError):
        await box.shutdown()

    service.start()
    await retry_until_async(lambda: _answers(box), timeout=20)
    await box.shutdown(force=True)
    names = {item.name for item in await list_containers(socket_path=service.url)}
    assert box.name not in names


@pytest.mark.parametrize("pulling", [False, True], ids=["push", "pull"])
async def test_an_engine_that_is_killed_ends_a_copy_with_an_error(
    box: AsyncContainer, service: Service, tmp_path: Path, *, pulling: bool
) -> None:
    big, folder = tmp_path / "big", tmp_path / "copies"
    folder.mkdir()
    with big.open("wb") as file:
        file.truncate(2**30)
    if pulling:
        await box.run("dd if=/dev/zero of=/big bs=1M count=200")
        copy = asyncio.create_task(box.pull("/big", str(folder / "copy")))
        await retry_until_async(lambda: any(each.lstat().st_size for each in folder.rglob("*")))
    else:
        copy = asyncio.create_task(box.push(str(big), "/new/"))
        await retry_until_async(lambda: _arrives(box, "/new/big"))

    service.stop()
    began = time.monotonic()
    with pytest.raises(SocketError):
        await copy

    assert time.monotonic() - began < 1
    assert not list(folder.iterdir())
    service.start()
    await retry_until_async(lambda: _answers(box), timeout=20)


async def test_an_engine_that_freezes_costs_a_deadline_and_no_more(
    box: AsyncContainer, service: Service
) -> None:
    service.signal(signal.SIGSTOP)
    began = time.monotonic()
    try:
        with pytest.raises((SocketError, DeadlineError)):
            await box.info()
    finally:
        service.signal(signal.SIGCONT)

    assert time.monotonic() - began < 20
    await retry_until_async(lambda: _answers(box), timeout=20)


async def _all_run(box: AsyncContainer, count: int) -> bool:
    """Whether that many of the commands that this file begins are on their way."""
    return (await box.run("ps | grep -c ' sleep 6[0-9]$'")).stdout == f"{count}\n"


async def _arrives(box: AsyncContainer, path: str) -> bool:
    """Whether some of a file is there."""
    return (await box.run(f"test -s {path}")).ok


async def _answers(box: AsyncContainer) -> bool:
    try:
        return (await box.run("echo on")).stdout == "on\n"
    except SandboxError:
        return False
