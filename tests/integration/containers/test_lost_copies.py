"""Copies whose engine dies or freezes in the middle, and big ones beside other work."""

# ruff: noqa: ASYNC240 - folders of this machine are looked at between two awaits

from __future__ import annotations

import asyncio
import signal
import statistics
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from sandbox_tui.backends.containers.backend import ContainerBackend
from sandbox_tui.model.errors import BackendUnavailableError
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.model.specs import ContainerSpec
from sandbox_tui.runtime.transfer import Transfer
from tests.integration.containers.conftest import IMAGE, Outside, on_docker
from tests.service import Service
from tests.support import require_engine

MB = 2**20
SLEEP = ("sleep", "1000")


@pytest.fixture
def service(home: Path) -> Iterator[Service]:
    require_engine("podman")
    service = Service(home)
    service.start()
    yield service
    service.close()


@pytest.fixture
async def lonely(service: Service) -> AsyncIterator[ContainerBackend]:
    """A backend on an engine of this test's own."""
    backend = ContainerBackend(service.url, patience=3)
    yield backend
    await backend.aclose()


@pytest.fixture
async def box(lonely: ContainerBackend, service: Service) -> AsyncIterator[Ref]:
    name = f"st-test-{uuid.uuid4().hex[:8]}"
    box = await lonely.start(ContainerSpec(name=name, image=IMAGE, command=SLEEP))
    yield box
    await lonely.stop(box, grace=0)
    await lonely.remove(box)


def sparse(path: Path, size: int) -> Path:
    with path.open("wb") as file:
        file.truncate(size)
    return path


async def begin(backend: ContainerBackend, box: Ref, folder: Path, *, pulling: bool) -> Transfer:
    """A copy that is under way and far from its end."""
    if pulling:
        made = await (await backend.execute(box, "dd if=/dev/zero of=/big bs=1M count=200"))
        assert made.ok
        transfer = await backend.pull(box, "/big", folder / "copy")
    else:
        transfer = await backend.push(box, sparse(folder / "big", 1024 * MB), "/new/")
    async for progress in transfer:
        if progress.done > MB:
            return transfer
    pytest.fail(f"it was over too soon: {transfer.progress}")


@pytest.mark.parametrize("pulling", [False, True], ids=["push", "pull"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
async def test_a_lost_engine_ends_a_copy(
    lonely: ContainerBackend,
    service: Service,
    box: Ref,
    tmp_path: Path,
    number: signal.Signals,
    *,
    pulling: bool,
) -> None:
    before = {path.name for path in tmp_path.iterdir()}
    transfer = await begin(lonely, box, tmp_path, pulling=pulling)
    began = time.monotonic()
    service.signal(number)
    try:
        with pytest.raises(BackendUnavailableError) as lost:
            await transfer
        assert time.monotonic() - began < (1 if number is signal.SIGKILL else 15)
    finally:
        if number is signal.SIGKILL:
            service.stop()
            service.start()
        else:
            service.signal(signal.SIGCONT)

    assert lost.value.hint
    assert {path.name for path in tmp_path.iterdir()} - before <= {"big"}
    await lonely.write(box, "/after", b"it works again")
    assert await lonely.read(box, "/after") == b"it works again"


@on_docker
async def test_a_big_copy_disturbs_nobody_and_takes_no_memory(
    backend: ContainerBackend, outside: Outside, tmp_path: Path
) -> None:
    box, other = ref(outside.run(*SLEEP)), ref(outside.run(*SLEEP))
    session = await backend.session(other)

    async def command() -> float:
        began = time.monotonic()
        assert (await (await session.run("echo on"))).stdout == "on\n"
        return time.monotonic() - began

    alone = [await command() for _ in range(50)]
    await (await backend.push(box, sparse(tmp_path / "small", MB), "/warm/"))
    memory = _memory()
    copies = [
        lambda: backend.push(box, sparse(tmp_path / "big", 300 * MB), "/big"),
        lambda: backend.pull(box, "/big", tmp_path / "back"),
    ]
    for copy in copies:
        transfer = await copy()
        beside, highest = list[float](), 0
        while not transfer.is_done:
            beside.append(await command())
            highest = max(highest, _memory())
            await asyncio.sleep(0)
        await transfer

        assert len(beside) > 10
        assert statistics.median(beside) - statistics.median(alone) < 0.05
        assert highest - memory < 20 * MB
    assert (tmp_path / "back").stat().st_size == 300 * MB
    await session.aclose()


def ref(name: str) -> Ref:
    return Ref.make(Kind.CONTAINER, name)


def _memory() -> int:
    """Resident bytes of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
