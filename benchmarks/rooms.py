"""Rooms of the benchmark's own daemon, which lives where the benchmark's home is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from sandbox_tui.api import daemon
from sandbox_tui.api.client import blocking
from sandbox_tui.model.actions import Start
from sandbox_tui.model.refs import Kind


@contextmanager
def rooms(count: int) -> Iterator[int]:
    """That many rooms with a live kernel each; gives the daemon's process id."""
    try:
        with blocking(kinds=[Kind.ROOM]) as api:
            for number in range(count):
                api.perform(Start(name=f"room-{number}", kind=Kind.ROOM))
        pid = asyncio.run(daemon.status()).pid
        if pid is None:
            raise RuntimeError("the rooms' daemon is not running")
        yield pid
    finally:
        asyncio.run(daemon.stop())
