"""A daemon of its own for every test, and nothing left of it afterwards."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sandbox_tui.api import daemon
from sandbox_tui.api.remote import RemoteApi
from tests.support import retry_until


def processes(home: Path) -> dict[int, str]:
    """Every process that was started in this test's environment, with its command line."""
    mark = f"XDG_RUNTIME_DIR={home / 'run'}".encode()
    found: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and mark in (entry / "environ").read_bytes().split(b"\0"):
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                found[int(entry.name)] = command
    return {pid: command for pid, command in found.items() if command and pid != os.getpid()}


@pytest.fixture(autouse=True)
def _nothing_left(home: Path) -> Iterator[None]:
    yield
    left = processes(home)
    for pid in left:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    retry_until(lambda: not processes(home), timeout=10)
    assert not left


@pytest.fixture
async def api() -> AsyncIterator[RemoteApi]:
    """A client of a real daemon, which is started for it and stopped after it."""
    api = await RemoteApi.connect(start=True)
    yield api
    await api.aclose()
    await daemon.stop()
