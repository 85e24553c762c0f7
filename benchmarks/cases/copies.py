"""A file of 100 MB copied into a container and out of it, against `docker cp`.

Each of ours is a call in a running program, each of theirs a process; both move the same bytes
through the same engine. The memory is this process's own, at its highest while a copy runs.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.clocks import alternate
from benchmarks.containers import containers
from benchmarks.figures import Figure, compared
from sandbox_tui.backends.containers.backend import ContainerBackend
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.runtime.transfer import Transfer

SIZE = 100 * 2**20
ROUNDS = 5
PEER = "docker cp"


def run() -> Iterator[Figure]:
    """The figures."""
    with (
        tempfile.TemporaryDirectory() as folder,
        containers(1) as made,
        asyncio.Runner() as runner,
    ):
        copies = Copies(Path(folder), next(iter(made.ids)), runner)
        try:
            pushed = alternate(ROUNDS, {"ours": copies.push, "peer": copies.peer_push})
            pulled = alternate(ROUNDS, {"ours": copies.pull, "peer": copies.peer_pull})
        finally:
            copies.close()
    for what, samples in (("push", pushed), ("pull", pulled)):
        yield compared(
            f"{what} of 100 MB, wall time",
            samples["ours"],
            samples["peer"],
            peer=PEER,
            limit=1.2,
        )
    yield Figure(
        what="memory of these copies, beyond that before them",
        ours="this process, at its highest",
        value=copies.highest / 2**20,
        limit=20.0,
        unit="MiB",
    )


class Copies:
    """The competitors; each answers with seconds of one copy."""

    def __init__(self, folder: Path, container: str, runner: asyncio.Runner) -> None:
        self._folder = folder
        self._container = container
        self._ref = Ref.make(Kind.CONTAINER, container)
        self._runner = runner
        self._backend = ContainerBackend()
        self._source = folder / "source"
        self._before: int | None = None
        self.highest = 0
        with self._source.open("wb") as file:
            for _ in range(SIZE // 2**20):
                file.write(os.urandom(2**20))

    def close(self) -> None:
        """Let go of the engine."""
        self._runner.run(self._backend.aclose())

    def push(self) -> float:
        """The backend's."""
        return self._runner.run(self._timed(pulling=False))

    def pull(self) -> float:
        """The backend's."""
        return self._runner.run(self._timed(pulling=True))

    def peer_push(self) -> float:
        """The command line's."""
        return _seconds_of("docker", "cp", "-q", str(self._source), f"{self._container}:/theirs")

    def peer_pull(self) -> float:
        """The command line's."""
        target = str(self._folder / "theirs")
        return _seconds_of("docker", "cp", "-q", f"{self._container}:/theirs", target)

    async def _timed(self, *, pulling: bool) -> float:
        began = time.perf_counter()
        if pulling:
            transfer = await self._backend.pull(self._ref, "/ours", self._folder / "ours")
        else:
            transfer = await self._backend.push(self._ref, self._source, "/ours")
        await self._watched(transfer)
        return time.perf_counter() - began

    async def _watched(self, transfer: Transfer) -> None:
        """Wait for it, and note the most memory; the first copy only loads what is needed."""
        async for _ in transfer:
            if self._before is not None:
                self.highest = max(self.highest, _memory() - self._before)
        await transfer
        self._before = self._before or _memory()


def _seconds_of(*command: str) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def _memory() -> int:
    """Resident bytes of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
