"""A daemon of its own for every test, and nothing left of it afterwards."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sandbox_tui.api.rooms import AsyncSession, DaemonClient, Session
from tests.integration.daemon.conftest import processes
from tests.support import retry_until


@pytest.fixture(autouse=True)
def _nothing_left(home: Path) -> Iterator[None]:
    yield
    DaemonClient().shutdown()
    retry_until(lambda: not processes(home), timeout=10)
    for pid in processes(home):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture(autouse=True)
def _elsewhere(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in the checkout: that is where the kernels of new rooms run."""
    monkeypatch.syspath_prepend(str(Path.cwd()))
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    monkeypatch.chdir(home / "home")


@pytest.fixture
def session() -> Iterator[Session]:
    """A client of the room `lab`, with a kernel."""
    with Session("lab") as session:
        session.start_kernel(env_source="")
        yield session


@pytest.fixture
async def room() -> AsyncIterator[AsyncSession]:
    """The same, asynchronous."""
    async with AsyncSession("lab") as session:
        await session.start_kernel(env_source="")
        yield session
