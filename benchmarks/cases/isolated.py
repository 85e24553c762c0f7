"""A room whose kernel is shut in: one that stands ready, against a container started for it."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from benchmarks.figures import Figure, compared
from sandbox_tui.backends.containers.cages import EngineCages
from sandbox_tui.backends.kernels.host import KernelHost
from sandbox_tui.backends.kernels.launch import KernelRequest
from sandbox_tui.model.errors import BackendUnavailableError, ImageNotFoundError
from sandbox_tui.model.refs import Ref

IMAGE = "sandbox-tui-test/kernel"
ROUNDS = 7
REQUEST = KernelRequest(owner=Ref("room:bench"), isolation="container")


class Nobody:
    """Listens to nothing."""

    def heard(self, execution: object, event: object) -> None: ...

    def changed(self) -> None: ...


def run() -> Iterator[Figure]:
    """The figure; none without an engine and the image."""
    with suppress(BackendUnavailableError, ImageNotFoundError):
        ready, cold = asyncio.run(_measured())
        what = "isolated room from the pool"
        yield compared(what, ready, cold, peer="cold isolated start", limit=1 / 15)


async def _measured() -> tuple[list[float], list[float]]:
    with tempfile.TemporaryDirectory(prefix="st-") as folder:
        cold = await _starts(Path(folder, "cold"), pool=0)
        return await _starts(Path(folder, "ready"), pool=1), cold


async def _starts(folder: Path, *, pool: int) -> list[float]:
    """Seconds from the wish to a kernel that answers; every one ends before the next."""
    cages = EngineCages("", image=IMAGE, memory=2**29)
    host = KernelHost(folder / "run", folder / "state", pool=pool, cages=cages)
    times: list[float] = []
    try:
        for _ in range(ROUNDS + 1):
            while pool and times and not host.pools[0].available:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            began = time.perf_counter()
            kernel = await host.start(REQUEST, Nobody())
            times.append(time.perf_counter() - began)
            await host.end(kernel)
    finally:
        await host.aclose()
    return times[1:]
