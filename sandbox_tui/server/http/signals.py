"""Ending well when the system asks for it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Generator

ENDS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def on_signal(stop: Callable[[], object]) -> Generator[None]:
    """Call `stop` at every SIGINT and SIGTERM while the block lasts."""
    loop = asyncio.get_running_loop()
    for number in ENDS:
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in ENDS:
            loop.remove_signal_handler(number)
