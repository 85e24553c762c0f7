"""The demo's story: a small, lively machine that needs nobody's tmux, engine or kernel."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Iterable

from sandbox_tui.backends.memory.base import MemoryBackend
from sandbox_tui.backends.memory.kinds import MemoryContainers, MemoryTerminals
from sandbox_tui.backends.memory.rooms import MemoryRooms
from sandbox_tui.model.actions import AddCell
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.specs import ContainerSpec, RoomSpec, TmuxSpec
from sandbox_tui.model.world import ContainerFacts, State

BEAT = 0.7
"""Seconds between two things that happen."""

TERMINALS = {
    "api-fix": "claude",
    "docs": "vim architecture.md",
    "build": "make watch",
    "train": "python train.py",
}
CONTAINERS = {
    "agent-api-1": "agent:2.1",
    "agent-web-2": "agent:2.1",
    "postgres": "postgres:16",
    "cache": "redis:7",
}
ROOMS = {
    "analysis": ("echo rows 18 204\nsleep 1\necho median 4.2", "show <Figure 640x480>"),
    "scratch": ("echo hello",),
}
LINES = (
    "\x1b[32mINFO\x1b[0m  step {n} tool=write_file path=src/api.py",
    "\x1b[32mINFO\x1b[0m  step {n} tests 214 passed",
    "\x1b[33mWARN\x1b[0m  slow query 812 ms (step {n})",
    '{{"level": "info", "step": {n}, "message": "checkpoint written"}}',
    "\x1b[36mDEBUG\x1b[0m cache hit ratio 0.9{n}",
    "\x1b[31mERROR\x1b[0m retry {n}: connection reset by peer",
)


class Story:
    """Fills three memory backends and keeps them moving; the same seed tells the same story."""

    def __init__(self, seed: int = 7) -> None:
        self.terminals = MemoryTerminals()
        self.containers = MemoryContainers()
        self.rooms = MemoryRooms()
        self._chance = random.Random(seed)
        self._steps = itertools.count(1)

    @property
    def backends(self) -> tuple[MemoryBackend, ...]:
        """One of each kind."""
        return (self.terminals, self.containers, self.rooms)

    async def begin(self) -> None:
        """Set the scene."""
        for name, command in TERMINALS.items():
            await self.terminals.start(TmuxSpec(name=name, command=command))
        for name, image in CONTAINERS.items():
            await self.containers.start(ContainerSpec(name=name, image=image))
        for name, sources in ROOMS.items():
            await self._open(name, sources)
        self._age((*TERMINALS, *CONTAINERS, *ROOMS))
        self._kill(Ref("container:agent-web-2"))

    async def tell(self) -> None:
        """Go on for ever, one beat after the other."""
        while True:
            await self.beat()
            await asyncio.sleep(BEAT)

    async def beat(self) -> None:
        """Let somebody say something; now and then let something happen."""
        step = next(self._steps)
        for backend in (self.terminals, self.containers):
            for box in await backend.poll():
                if box.state.is_live and self._chance.random() < 0.5:
                    backend.journal(box.ref).say(self._chance.choice(LINES).format(n=step))
        if step % 9 == 0:
            await self._run_a_cell()
        if step % 23 == 0:
            await self._turn_the_cache()

    async def _open(self, name: str, sources: Iterable[str]) -> None:
        ref = await self.rooms.start(RoomSpec(name=name))
        for source in sources:
            await self.rooms.edit(AddCell(ref=ref, source=source))

    def _age(self, names: Iterable[str]) -> None:
        """Let the sandboxes be older than the program."""
        for backend in self.backends:
            for box in list(backend.everything):
                if box.ref.name in set(names):
                    age = self._chance.uniform(60, 60 * 60 * 30)
                    backend.change(box.ref, created_at=time.time() - age)

    def _kill(self, ref: Ref) -> None:
        box = self.containers.box(ref)
        facts = ContainerFacts(image="agent:2.1", runtime="memory", exit_code=137)
        self.containers.journal(ref).say("\x1b[31mfatal\x1b[0m out of memory: 1.0G of 1.0G used")
        self.containers.journal(ref).end()
        self.containers.change(
            box.ref, state=State.FAILED, facts=facts, pid=None, detail="OOM killed"
        )

    async def _run_a_cell(self) -> None:
        ref = Ref("room:analysis")
        if self.rooms.has(ref) and self.rooms.box(ref).state.is_live:
            notebook = await anext(self.rooms.notebooks(ref))
            if notebook.cells:
                cell = self._chance.choice(notebook.cells).cell
                await self.rooms.run_cells(ref, [cell.id])

    async def _turn_the_cache(self) -> None:
        ref = Ref("container:cache")
        if self.containers.has(ref):
            paused = self.containers.box(ref).state is State.PAUSED
            if paused:
                await self.containers.resume(ref)
            elif self.containers.box(ref).state.is_live:
                await self.containers.pause(ref)
