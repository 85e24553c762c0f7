"""A listing of 50 containers against the docker library's own `containers.list()`.

Once as polls are nearly always, with nothing changed, and once with a container renamed before
each listing.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator

from benchmarks.clocks import alternate, metered
from benchmarks.containers import Containers, containers
from benchmarks.figures import Figure, compared
from sandbox_tui.backends.containers.backend import ContainerBackend

COUNT = 50
ROUNDS = 15
PEER = "docker.containers.list()"


def run() -> Iterator[Figure]:
    """The figures."""
    with containers(COUNT) as made, asyncio.Runner() as runner:
        listing = Listing(made, runner)
        try:
            steady = alternate(ROUNDS, {"ours": listing.ours, "peer": listing.peer})
            listing.moving = True
            moving = alternate(ROUNDS, {"ours": listing.ours, "peer": listing.peer})
        finally:
            listing.close()
    for what, samples in (("unchanged", steady), ("one renamed", moving)):
        yield compared(
            f"listing of 50 containers, {what}, CPU",
            samples["ours"],
            samples["peer"],
            peer=PEER,
            limit=1 / 5,
        )


class Listing:
    """The competitors; each answers with seconds of CPU of one listing."""

    def __init__(self, made: Containers, runner: asyncio.Runner) -> None:
        self._made = made
        self._runner = runner
        self._backend = ContainerBackend()
        self._wanted = set(made.ids.values())
        self._numbers = itertools.count()
        self.moving = False

    def close(self) -> None:
        """Let go of the engine."""
        self._runner.run(self._backend.aclose())

    def ours(self) -> float:
        """The backend of the dashboard."""
        self._move()
        with metered() as meter:
            boxes = self._runner.run(self._poll())
        self._check({getattr(box.facts, "container_id", "") for box in boxes})
        return meter.cpu

    def peer(self) -> float:
        """The library's high-level call."""
        self._move()
        with metered() as meter:
            listed = self._made.client.containers.list()
        self._check({str(one.id) for one in listed})
        return meter.cpu

    async def _poll(self):
        return await self._backend.poll()

    def _check(self, ids: set[str]) -> None:
        if not self._wanted <= ids:
            raise RuntimeError(f"{len(self._wanted - ids)} containers are missing")

    def _move(self) -> None:
        if self.moving:
            container = next(iter(self._wanted))
            name = f"b{self._made.mark}-moved-{next(self._numbers)}"
            self._made.client.api.rename(container, name)
