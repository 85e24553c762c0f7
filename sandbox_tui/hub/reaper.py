"""Ends containers whose time is over: too old, too long unused, or left behind by their program.

What a container is due for is written in its own labels, so no program has to be there all the
time. Every program with a Hub acts on what it sees; what nobody watched is ended by the next one
that looks. Only what this program made, on this machine, is ever ended.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sandbox_tui.backends.base import Measures
from sandbox_tui.hub.hub import Hub
from sandbox_tui.hub.terms import Terms, container_id, terms_of
from sandbox_tui.model.errors import SandboxError
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.model.world import Sandbox, State
from sandbox_tui.runtime.identity import is_gone

OWNERS = 5.0
"""Seconds between two looks whether the programs that made containers still run."""

LONGEST = 3600.0
"""Seconds after which it looks again in any case."""

CLOSING = 3.0
"""How long a closing program waits for endings that have begun, in seconds."""

WORKING = 0.02
"""Share of a core from which on a container is at work, whoever gave it the work."""

MEASURING = 0.5
"""Seconds over which that is measured."""


WHOLE_SECONDS = 1.0
"""Engines tell the time of making without its fraction; nothing ends too early for that."""


class Due(NamedTuple):
    """One container and when it is to be ended (seconds since the epoch)."""

    ref: Ref
    id: str
    at: float
    is_idle: bool = False


class Reaper:
    """Watches one Hub's worlds; `run` owns every task, cancel it to stop."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._uses = hub.uses
        self._seen = -1
        self._looked = self._hub.world.revision
        self._ending: dict[str, asyncio.Task[None]] = {}
        self._tidy = False

    async def run(self) -> None:
        """Look whenever the world has changed or something may be due; never raises."""
        try:
            while True:
                pause = await self._look()
                await self._news(pause)
        finally:
            await self._finish()

    async def _finish(self) -> None:
        """A program that is gone at once has looked too; what has begun to be ended is ended."""
        if self._looked != self._hub.world.revision:
            await self._look()
        await asyncio.to_thread(self._uses.write)
        ending = list(self._ending.values())
        if ending:
            await asyncio.wait(ending, timeout=CLOSING)
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)

    async def _news(self, pause: float) -> None:
        try:
            async with asyncio.timeout(pause):
                async for world in self._hub.worlds(self._seen):
                    self._seen = world.revision
                    return
        except TimeoutError:
            return

    async def _look(self) -> float:
        """End what is due; the seconds until something else may be."""
        world = self._hub.world
        boxes = [box for box in world.of(Kind.CONTAINER) if _is_ours(box)]
        terms = {container_id(box): terms_of(box) for box in boxes}
        dues = await asyncio.to_thread(self._dues, boxes, terms)
        now = time.time()
        for due in dues:
            if due.at <= now:
                self._end(due)
        self._looked = world.revision
        return self._pause(terms, [due.at - now for due in dues if due.at > now])

    def _dues(self, boxes: Sequence[Sandbox], terms: dict[str, Terms]) -> list[Due]:
        """What is, or will be, to be ended. Reads and writes files."""
        self._uses.write()
        if boxes and not self._tidy:
            self._tidy = True
            self._uses.forget({container_id(box) for box in boxes})
        found = [self._due(box, terms[container_id(box)]) for box in boxes]
        return [due for due in found if due is not None]

    def _due(self, box: Sandbox, terms: Terms) -> Due | None:
        began, key = (box.created_at or time.time()) + WHOLE_SECONDS, container_id(box)
        if any(is_gone(each) for each in _needed_by(box, terms)):
            return Due(box.ref, key, 0.0)
        ends: list[Due] = []
        if terms.ttl is not None:
            ends.append(Due(box.ref, key, began + terms.ttl))
        known = terms.known_by == self._uses.identity
        if terms.idle_timeout is not None and known and not self._uses.is_held(key):
            last = max(began, self._uses.last(key) or 0.0)
            ends.append(Due(box.ref, key, last + terms.idle_timeout, is_idle=True))
        return min(ends, key=lambda due: due.at, default=None)

    @staticmethod
    def _pause(terms: dict[str, Terms], due_in: list[float]) -> float:
        """Renew what is used four times within its idle timeout, and be there when one is due."""
        idle = [each.idle_timeout / 4 for each in terms.values() if each.idle_timeout is not None]
        owned = [OWNERS] if any(each.owner or each.starter for each in terms.values()) else []
        return max(0.05, min([LONGEST, *due_in, *idle, *owned]))

    def _end(self, due: Due) -> None:
        if due.id not in self._ending:
            task = asyncio.create_task(self._take_away(due), name=f"end {due.ref}")
            self._ending[due.id] = task
            task.add_done_callback(lambda _: self._ending.pop(due.id, None))

    async def _take_away(self, due: Due) -> None:
        """End and remove it, if it still is due; what fails is tried at the next look."""
        try:
            backend = self._hub.backend(due.ref.place)
            if due.is_idle and await self._is_at_work(due):
                self._uses.note(due.id)
                return
            if await asyncio.to_thread(self._is_still, due):
                await backend.stop(due.ref, grace=0)
                await backend.remove(due.ref)
        except SandboxError:
            return

    def _is_still(self, due: Due) -> bool:
        """Whether it is the same one, and nobody has begun to use it. Reads files."""
        box = self._hub.world.get(due.ref)
        now = self._due(box, terms_of(box)) if box is not None else None
        return now is not None and now.id == due.id and now.at <= time.time()

    async def _is_at_work(self, due: Due) -> bool:
        backend = self._hub.backend(due.ref.place)
        if not isinstance(backend, Measures):
            return False
        await backend.vitals([due.ref])
        await asyncio.sleep(MEASURING)
        measured = (await backend.vitals([due.ref])).get(due.ref)
        return measured is not None and (measured.cpu or 0.0) > WORKING


def _needed_by(box: Sandbox, terms: Terms) -> Iterator[str]:
    """The processes without which it is of no use: who ends it, and who was about to start it."""
    if terms.owner:
        yield terms.owner
    if terms.starter and box.state is State.STOPPED:
        yield terms.starter


def _is_ours(box: Sandbox) -> bool:
    return box.managed and box.stale_since is None and bool(container_id(box))
