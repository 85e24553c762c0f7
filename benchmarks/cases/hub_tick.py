"""A tick of the hub with 1 000 sandboxes against one with 100, ten of which changed each time.

From the poll that an event asks for to the new world, over the memory backend: what is left is
what the hub itself costs, and it must not grow with what has not changed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

from benchmarks.clocks import alternate
from benchmarks.figures import Figure, compared
from sandbox_tui.backends.memory.kinds import MemoryContainers
from sandbox_tui.hub.hub import Hub
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.model.world import ContainerFacts, Sandbox, State

ROUNDS = 25
TICKS = 4
CHANGED = 10
FEW, MANY = 100, 1000


def run() -> Iterator[Figure]:
    """The figure."""
    with asyncio.Runner() as runner:
        crowds = {count: Crowd(count) for count in (MANY, FEW)}
        tasks = [runner.run(crowd.begin()) for crowd in crowds.values()]
        samples = alternate(
            ROUNDS,
            {
                str(count): lambda crowd=crowd: runner.run(crowd.ticks())
                for count, crowd in crowds.items()
            },
        )
        runner.run(_end(tasks))
    yield compared(
        "hub tick, 1 000 sandboxes, 10 changed, CPU",
        samples[str(MANY)],
        samples[str(FEW)],
        peer="100 sandboxes, 10 changed",
        limit=4.0,
    )


class Crowd:
    """A hub over that many sandboxes."""

    def __init__(self, count: int) -> None:
        self._backend = MemoryContainers()
        self._hub = Hub([self._backend], intervals={Kind.CONTAINER: 3600.0})
        self._refs = [Ref(f"container:box-{number}") for number in range(count)]
        self._next = 0
        for ref in self._refs:
            self._backend.put(Sandbox(ref=ref, state=State.RUNNING, facts=ContainerFacts()))

    async def begin(self) -> asyncio.Task[None]:
        """Poll, until the task is cancelled."""
        task = asyncio.create_task(self._hub.run())
        await self._hub.settled()
        return task

    async def ticks(self) -> float:
        """Seconds of processor time of one tick."""
        return sum([await self._tick() for _ in range(TICKS)]) / TICKS

    async def _tick(self) -> float:
        revision = self._hub.world.revision
        self._change()
        began = time.process_time()
        await self._hub.refresh(self._backend.place)
        spent = time.process_time() - began
        if self._hub.world.revision == revision:
            raise RuntimeError("ten sandboxes changed, and the world did not")
        return spent

    def _change(self) -> None:
        for step in range(CHANGED):
            ref = self._refs[(self._next + step * 7) % len(self._refs)]
            self._backend.change(ref, pid=self._next + step)
        self._next += 1


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
