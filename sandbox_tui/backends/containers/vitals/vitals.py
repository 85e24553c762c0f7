"""Processor, memory and traffic of the containers that somebody looks at."""

from __future__ import annotations

import time
from collections.abc import Sequence

from sandbox_tui.backends.containers.engine.link import Link
from sandbox_tui.backends.containers.engine.replies import Box
from sandbox_tui.backends.containers.vitals.cgroups import Gauges, find_files
from sandbox_tui.backends.containers.vitals.counters import Counters, vitals_between
from sandbox_tui.backends.containers.vitals.stats import FORGET_SECONDS, StatsStreams
from sandbox_tui.model.outputs import Vitals
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.world import ContainerFacts, Sandbox
from sandbox_tui.runtime.pool import Pool

READ_SECONDS = 2.0
REMEMBER_SECONDS = 60.0
"""Readings older than this are no ground for a rate."""

MOST_KEPT = 64
"""How many containers' files stay open; of more, they are opened for each reading."""

LEAST_SECONDS = 0.1
"""Readings nearer to each other say nothing about a rate: the last vitals are given again."""


class Meter:
    """Measures. Remembers the last reading of each, because a rate needs two."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._streams = StatsStreams(link)
        self._local = LocalGauges()
        self._pool = Pool(f"{link.place} measurements", 1)
        self._last: dict[str, tuple[Counters, Vitals]] = {}

    async def measure(self, boxes: Sequence[Sandbox]) -> dict[Ref, Vitals]:
        """Vitals of those that can be measured now; rates from the second time on."""
        counters: dict[str, Counters] = {}
        if self._is_local:
            counters = await self._pool.run(READ_SECONDS, self._local.read, boxes)
        young = time.time() - REMEMBER_SECONDS
        self._last = {key: last for key, last in self._last.items() if last[0].at > young}
        measured = [(box.ref, self._vitals(box, counters.get(_id(box)))) for box in boxes]
        return {ref: vitals for ref, vitals in measured if vitals is not None}

    async def aclose(self) -> None:
        """Let go of files and streams."""
        self._streams.close()
        await self._pool.run(READ_SECONDS, self._local.close)
        self._pool.close()

    @property
    def _is_local(self) -> bool:
        endpoint = self._link.endpoint
        return endpoint is not None and endpoint.is_local

    def _vitals(self, box: Sandbox, counters: Counters | None) -> Vitals | None:
        now = counters or self._from_engine(box)
        if now is None:
            return None
        before, vitals = self._last.get(_id(box), (None, None))
        if before is None or vitals is None or now.at - before.at >= LEAST_SECONDS:
            vitals = vitals_between(before, now)
            self._last[_id(box)] = now, vitals
        return vitals

    def _from_engine(self, box: Sandbox) -> Counters | None:
        """For another machine's; one of ours whose process is not known yet is known soon."""
        if self._is_local and box.pid is None:
            return None
        return self._streams.latest(Box(box.ref, _id(box), box.state))


class LocalGauges:
    """The kernel's files of local containers. For one thread."""

    def __init__(self) -> None:
        self._gauges: dict[tuple[str, int], Gauges] = {}
        self._asked_at: dict[tuple[str, int], float] = {}

    def read(self, boxes: Sequence[Sandbox]) -> dict[str, Counters]:
        """Counters by container id; what is not of this machine is left out."""
        readings = {_id(box): self._read_one((_id(box), box.pid)) for box in boxes if box.pid}
        idle = time.monotonic() - FORGET_SECONDS
        for key in [key for key, asked_at in self._asked_at.items() if asked_at < idle]:
            self._forget(key)
        return {key: reading for key, reading in readings.items() if reading is not None}

    def close(self) -> None:
        """Close all files."""
        for key in list(self._gauges):
            self._forget(key)

    def _read_one(self, key: tuple[str, int]) -> Counters | None:
        try:
            gauges = self._gauges.get(key) or self._open(key)
            self._asked_at[key] = time.monotonic()
            return gauges.read() if gauges else None
        except OSError:  # it ended just now
            self._forget(key)
            return None

    def _open(self, key: tuple[str, int]) -> Gauges | None:
        container_id, pid = key
        files = find_files(pid, container_id)
        if files:
            self._gauges[key] = Gauges(files, keep=len(self._gauges) < MOST_KEPT)
        return self._gauges.get(key)

    def _forget(self, key: tuple[str, int]) -> None:
        self._asked_at.pop(key, None)
        if gauges := self._gauges.pop(key, None):
            gauges.close()


def _id(box: Sandbox) -> str:
    return box.facts.container_id if isinstance(box.facts, ContainerFacts) else ""
