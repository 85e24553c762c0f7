"""A room of the daemon against jupyter_client's own client, in one process with its own kernel.

Both wait for the reply *and* for idle. The room's way is longer: a Unix socket, the daemon, its
queue, its log on disk.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from benchmarks.clocks import alternate, cpu_of
from benchmarks.figures import Figure, compared, delays
from benchmarks.rooms import rooms
from sandbox_tui.api.blocking_room import BlockingRoom
from sandbox_tui.api.client import blocking
from sandbox_tui.api.remote import RemoteApi
from sandbox_tui.model.refs import Kind, Ref

if TYPE_CHECKING:
    from jupyter_client.blocking.client import BlockingKernelClient

ROOM = Ref("room:room-0")
ROUNDS, BATCH = 12, 25
FLOODS = 3
FLOOD = "for n in range(10_000): print(n, flush=True)"
CELLS, OPENINGS = 500, 15
ROOMS, WINDOW = 10, 10.0
PEER = "BlockingKernelClient"


def run() -> Iterator[Figure]:
    """The figures."""
    with rooms(1), bare_kernel() as bare, blocking(kinds=[Kind.ROOM]) as api:
        room = api.room(ROOM)
        yield from _executions(room, bare)
        yield _flood(room, bare)
        room.close()
        yield asyncio.run(_openings())
    yield _idle()


def _executions(room: BlockingRoom, bare: BlockingKernelClient) -> Iterator[Figure]:
    cell = room.add("1")
    samples = alternate(
        ROUNDS,
        {
            "sync": lambda: _each(lambda: room.run_cell(cell).wait()),
            "async": lambda: room.portal.call(_one_by_one(room, cell)),
            "peer": lambda: _each(lambda: _bare_run(bare, "1")),
        },
    )
    what = 'execute_cell("1") in a room'
    for way, limit in (("sync", 1.0), ("async", 1.1)):
        yield compared(f"{what}, {way}", samples[way], samples["peer"], peer=PEER, limit=limit)


def _flood(room: BlockingRoom, bare: BlockingKernelClient) -> Figure:
    samples = alternate(
        FLOODS,
        {
            "ours": lambda: _timed(lambda: room.execute(FLOOD).wait()),
            "peer": lambda: _timed(lambda: _bare_run(bare, FLOOD)),
        },
        warm=False,
    )
    what = "10 000 flushed prints in a room"
    return compared(what, samples["ours"], samples["peer"], peer=PEER, limit=1.1)


async def _openings() -> Figure:
    """From nothing but a connection to the whole document and what its cells said."""
    api = await RemoteApi.connect()
    try:
        room = await api.room(ROOM)
        for number in range(CELLS):
            room.document.add(f"print({number})\nvalue = {number} * 2  # é\n")
        await room.aclose()
        seconds: list[float] = []
        for _ in range(OPENINGS):
            began = time.perf_counter()
            room = await api.room(ROOM)
            there = len(room.notebook.cells)
            seconds.append(time.perf_counter() - began)
            await room.aclose()
            if there < CELLS:
                raise RuntimeError(f"only {there} of {CELLS} cells were there")
    finally:
        await api.aclose()
    return delays(f"opening a room of {CELLS} cells", seconds, limit=50.0)


def _idle() -> Figure:
    """What the daemon spends on rooms in which nothing happens."""
    with rooms(ROOMS) as daemon:
        time.sleep(3.0)
        began = cpu_of(daemon)
        time.sleep(WINDOW)
        share = (cpu_of(daemon) - began) / WINDOW * 100
    return Figure(
        what=f"idle daemon with {ROOMS} rooms, CPU of one core",
        ours=f"{WINDOW:g} s",
        value=share,
        limit=0.5,
        unit="%",
    )


@contextmanager
def bare_kernel() -> Iterator[BlockingKernelClient]:
    """A default kernel with jupyter_client's own blocking client."""
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="python3")
    try:
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _bare_run(client: BlockingKernelClient, code: str) -> None:
    reply = client.execute_interactive(code, output_hook=_nothing, timeout=60)
    if reply["content"]["status"] != "ok":
        raise RuntimeError(f"the bare kernel answered {reply['content']}")


def _nothing(message: object) -> None:
    """What the code says is not looked at."""


def _each(work: Callable[[], object]) -> float:
    return _timed(lambda: [work() for _ in range(BATCH)]) / BATCH


async def _one_by_one(room: BlockingRoom, cell: str) -> float:
    began = time.perf_counter()
    for _ in range(BATCH):
        await (await room.twin.run_cell(cell))
    return (time.perf_counter() - began) / BATCH


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
