"""Real kernels, each test with folders of its own; nothing runs on when a test is over."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sandbox_tui.backends.kernels.host import KernelHost
from sandbox_tui.backends.kernels.process import lives
from sandbox_tui.backends.kernels.records import KernelRecord, Records
from sandbox_tui.hub.rooms import RoomsBackend
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.specs import RoomSpec
from tests.integration.kernels.listener import Ears

LAB = Ref("room:lab")


@pytest.fixture
def state(home: Path) -> Path:
    """What outlives a daemon."""
    return home / "state"


@pytest.fixture(autouse=True)
def _reap(state: Path) -> Iterator[None]:
    """End whatever kernel a test left running, by its record."""
    yield
    for folder in (state, state / "kernels"):
        for record in Records(folder).read():
            _kill(record)


def _kill(record: KernelRecord) -> None:
    if lives(record.pid, record.started):
        with suppress(ProcessLookupError):
            os.killpg(record.pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(record.pid, 0)


@pytest.fixture
async def host(home: Path, state: Path) -> AsyncIterator[KernelHost]:
    host = KernelHost(home / "run", state)
    yield host
    await host.aclose()


@pytest.fixture
def ears() -> Ears:
    return Ears()


Reopen = Callable[[], Awaitable[RoomsBackend]]


@pytest.fixture
async def reopen(home: Path, state: Path) -> AsyncIterator[Reopen]:
    """Open the rooms, closing those that were open as a daemon that ends does."""
    opened: list[RoomsBackend] = []

    async def reopen() -> RoomsBackend:
        for backend in opened:
            await backend.aclose()
        opened[:] = [await RoomsBackend.open(state, home / "run")]
        return opened[0]

    yield reopen
    for backend in opened:
        for box in await backend.poll():
            await backend.stop(box.ref)
        await backend.aclose()


@pytest.fixture
async def rooms(reopen: Reopen) -> RoomsBackend:
    return await reopen()


@pytest.fixture
async def lab(rooms: RoomsBackend) -> Ref:
    """A started room."""
    return await rooms.start(RoomSpec(name="lab"))
