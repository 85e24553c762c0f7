"""A cell of a room against a bare Jupyter client: from the call to the result, kernels alike.

Ours goes through the facade, a socket, the daemon's queue and back; the peer is the library's own
blocking client, in the process of the caller.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.clocks import alternate
from benchmarks.figures import Figure, compared
from sandbox_tui.api import daemon
from sandbox_tui.api.rooms import AsyncSession, Session

ROUNDS = 150
CODE = "1"
PEER = "BlockingKernelClient"


def run() -> Iterator[Figure]:
    """The figures."""
    with bare_kernel() as peer, Session("bench") as session:
        session.start_kernel()
        cell_id = session.create_cell(CODE)
        session.execute_cell(cell_id)
        peer()
        samples = alternate(
            ROUNDS,
            {
                "ours": lambda: timed(lambda: session.execute_cell(cell_id)),
                "peer": lambda: timed(peer),
                "create": lambda: timed(lambda: session.run(CODE)),
            },
        )
        yield compared("execute_cell, sync", samples["ours"], samples["peer"], peer=PEER, limit=1.0)
        what = "create_cell and execute_cell, sync"
        yield compared(what, samples["create"], samples["peer"], peer=PEER, limit=None)
        ours = asyncio.run(_asynchronous(cell_id))
        yield compared("execute_cell, async", ours, samples["peer"], peer=PEER, limit=1.1)
    asyncio.run(daemon.stop())


async def _asynchronous(cell_id: str) -> list[float]:
    loop = asyncio.get_running_loop()
    times: list[float] = []
    async with AsyncSession("bench") as session:
        await session.connect()
        for _ in range(ROUNDS):
            began = loop.time()
            await session.execute_cell(cell_id)
            times.append(loop.time() - began)
    return times


def timed(call: Callable[[], object]) -> float:
    """Seconds that it takes: waiting is what is measured here."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


@contextmanager
def bare_kernel() -> Generator[Callable[[], object]]:
    """How to run the code in a kernel of its own with the library alone."""
    from jupyter_client.manager import start_new_kernel

    manager: Any
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        yield lambda: client.execute_interactive(CODE, output_hook=lambda _: None)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
