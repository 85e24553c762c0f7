"""How soon a kernel is there, and completes: from the pool, forked, eight at once, and cold.

Ours is measured from `Session()` to the end of `start_kernel`, the daemon being up; the peer's
kernel counts as started when its client says so. Both run in the same Python environment.
"""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.clocks import alternate
from benchmarks.figures import Figure, compared
from sandbox_tui.api import daemon
from sandbox_tui.api.rooms import AsyncSession, DaemonClient, Session

ROUNDS, CROWDS = 5, 2
CROWD = 8
READY = 2
HERE = ""
"""The environment of this program, as the peer's."""
PEER = "jupyter_client"
CALM = 20.0


def run() -> Iterator[Figure]:
    """The figures."""
    try:
        with Session("first") as session:
            session.connect()
            yield from _one_at_a_time()
            yield _many()
            yield _first_completion()
    finally:
        asyncio.run(daemon.stop())


def _one_at_a_time() -> Iterator[Figure]:
    samples = alternate(ROUNDS, {"ready": _ready, "forked": _forked, "cold": _cold})
    yield compared(
        "start_kernel, one stands ready", samples["ready"], samples["cold"], peer=PEER, limit=1 / 30
    )
    yield compared(
        "start_kernel, the pool is empty",
        samples["forked"],
        samples["cold"],
        peer=PEER,
        limit=1 / 4,
    )


def _many() -> Figure:
    samples = alternate(CROWDS, {"ours": _crowd, "peer": _cold_crowd}, warm=False)
    what = f"{CROWD} rooms at once"
    return compared(what, samples["ours"], samples["peer"], peer=PEER, limit=0.5)


def _first_completion() -> Figure:
    samples = alternate(ROUNDS, {"ours": _completed, "peer": _completed_there})
    what = "first completion in a ready kernel"
    return compared(what, samples["ours"], samples["peer"], peer=PEER, limit=None)


def _ready() -> float:
    _filled()
    return _started()


def _forked() -> float:
    _filled()
    DaemonClient().flush_pool()
    return _started()


def _started() -> float:
    began = time.perf_counter()
    with Session() as session:
        session.start_kernel(env_source=HERE)
        return time.perf_counter() - began


def _cold() -> float:
    """The pool is full: nothing else is started meanwhile."""
    _filled()
    return _cold_start()


def _cold_start() -> float:
    from jupyter_client.manager import start_new_kernel

    manager: Any
    began = time.perf_counter()
    manager, client = start_new_kernel(kernel_name="python3", stderr=subprocess.DEVNULL)
    seconds = time.perf_counter() - began
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    return seconds


def _completed() -> float:
    _filled()
    with Session() as session:
        session.start_kernel(env_source=HERE)
        began = time.perf_counter()
        found = session.complete("pri").matches
        seconds = time.perf_counter() - began
    return _meant(found, seconds)


def _completed_there() -> float:
    from jupyter_client.manager import start_new_kernel

    _filled()
    manager: Any
    client: Any
    manager, client = start_new_kernel(kernel_name="python3", stderr=subprocess.DEVNULL)
    began = time.perf_counter()
    found = client.complete("pri", reply=True, timeout=CALM)["content"]["matches"]
    seconds = time.perf_counter() - began
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    return _meant(found, seconds)


def _meant(found: Sequence[str], seconds: float) -> float:
    if "print" not in found:
        raise RuntimeError(f"`pri` was completed to {found}")
    return seconds


def _crowd() -> float:
    _filled()
    return asyncio.run(_together())


async def _together() -> float:
    sessions = [AsyncSession() for _ in range(CROWD)]
    began = time.perf_counter()
    await asyncio.gather(*(session.start_kernel(env_source=HERE) for session in sessions))
    seconds = time.perf_counter() - began
    await asyncio.gather(*(session.close() for session in sessions))
    return seconds


def _cold_crowd() -> float:
    """Until the last of them is up."""
    _filled()
    with ThreadPoolExecutor(CROWD) as threads:
        return max(threads.map(lambda _: _cold_start(), range(CROWD)))


def _filled() -> None:
    """Return when as many kernels stand ready as do by default."""
    client, until = DaemonClient(), time.monotonic() + CALM
    while client.status()["uv_available"] < READY:
        if time.monotonic() > until:
            raise RuntimeError("no kernels stand ready")
        time.sleep(0.05)
