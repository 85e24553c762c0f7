"""What every kind of the memory backend has: a listing, a life, a log."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import msgspec

from sandbox_tui.backends.memory.journal import Journal
from sandbox_tui.model.codec import to_builtins
from sandbox_tui.model.errors import (
    AlreadyExistsError,
    BackendUnavailableError,
    ConflictError,
    NotFoundError,
    NotRunningError,
)
from sandbox_tui.model.outputs import Output, Vitals
from sandbox_tui.model.refs import Place, Ref
from sandbox_tui.model.specs import Spec
from sandbox_tui.model.world import Facts, Health, Sandbox, State


class MemoryBackend:
    """The duty of a backend, with sandboxes that are only values.

    `down` (a reason) makes every call fail as a dead engine would; `hangs` makes it never answer.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self.down = ""
        self.hangs = False
        self._boxes: dict[Ref, Sandbox] = {}
        self._journals: dict[Ref, Journal] = {}
        self._listing: list[Sandbox] | None = None
        self._pids = itertools.count(4000)
        self._wake: Callable[[], None] = _nobody

    async def probe(self) -> Health:
        """Answers unless it is told to be down."""
        if self.down:
            return Health(place=str(self.place), ok=False, detail=self.down)
        return Health(place=str(self.place), ok=True, detail="in memory")

    async def poll(self) -> Sequence[Sandbox]:
        """Everything here; the same list while nothing changed."""
        await self._answer()
        if self._listing is None:
            self._listing = list(self._boxes.values())
        return self._listing

    async def start(self, spec: Spec) -> Ref:
        """Make a running sandbox of it."""
        await self._answer()
        old = self._boxes.get(spec.ref)
        if old is not None and old.state.is_live:
            raise AlreadyExistsError(spec.ref)
        self._journals[spec.ref] = Journal()
        self.put(
            Sandbox(
                ref=spec.ref,
                state=State.RUNNING,
                facts=self._facts(spec),
                created_at=time.time(),
                pid=next(self._pids),
                labels=spec.labels,
                managed=True,
            )
        )
        return spec.ref

    async def stop(self, ref: Ref, *, grace: float = 10.0) -> None:
        """End it at once: nothing here needs grace."""
        del grace
        await self._answer()
        self.change(ref, state=State.EXITED, pid=None)
        self.journal(ref).end()

    async def remove(self, ref: Ref) -> None:
        """Forget an ended one."""
        await self._answer()
        if self.box(ref).state.is_live:
            raise ConflictError(f"{ref} is running", hint=f"Stop it first, or: rm {ref} --force")
        self.drop(ref)

    async def restart(self, ref: Ref, *, grace: float = 10.0) -> None:
        """Run it again with a new process id and an empty log."""
        del grace
        await self._answer()
        self.journal(ref).end()
        self._journals[ref] = Journal()
        self.change(ref, state=State.RUNNING, pid=next(self._pids), created_at=time.time())

    async def interrupt(self, ref: Ref) -> None:
        """Note that it was interrupted."""
        await self._answer()
        self.live(ref)
        self.journal(ref).say("^C")

    def follow(
        self, ref: Ref, *, tail: int = 200, live: bool = True, since: float | None = None
    ) -> AsyncIterator[Output]:
        """What it said."""
        self.box(ref)
        return self.journal(ref).follow(tail, live, since)

    async def vitals(self, refs: Sequence[Ref]) -> dict[Ref, Vitals]:
        """Made-up numbers that move and differ from sandbox to sandbox."""
        await self._answer()
        live = (ref for ref in refs if ref in self._boxes and self._boxes[ref].state.is_live)
        return {ref: _invented(ref) for ref in live}

    async def inspect(self, ref: Ref) -> dict[str, object]:
        """Its own fields."""
        await self._answer()
        plain: dict[str, object] = to_builtins(self.box(ref))
        return plain

    async def aclose(self) -> None:
        """Nothing is held."""

    def listen(self, wake: Callable[[], None]) -> None:
        """Wake the poll at every change."""
        self._wake = wake

    def put(self, box: Sandbox) -> None:
        """Let `box` be there, new or instead of its former self."""
        self._boxes[box.ref] = box
        self._changed()

    def drop(self, ref: Ref) -> None:
        """Let it be gone."""
        self.box(ref)
        del self._boxes[ref]
        self._journals.pop(ref, Journal()).end()
        self._changed()

    def change(self, ref: Ref, **fields: Any) -> None:
        """Let it have other values for these fields of `Sandbox`."""
        self.put(msgspec.structs.replace(self.box(ref), **fields))

    @property
    def everything(self) -> tuple[Sandbox, ...]:
        """All that is here."""
        return tuple(self._boxes.values())

    def has(self, ref: Ref) -> bool:
        """Whether something of that name is here."""
        return ref in self._boxes

    def box(self, ref: Ref) -> Sandbox:
        """The sandbox of that name. Raises `NotFoundError`."""
        found = self._boxes.get(ref)
        if found is None:
            raise NotFoundError(ref, tuple(self._boxes))
        return found

    def live(self, ref: Ref) -> Sandbox:
        """The sandbox of that name, which must be running."""
        box = self.box(ref)
        if not box.state.is_live:
            raise NotRunningError(ref, box.state)
        return box

    def journal(self, ref: Ref) -> Journal:
        """What it has said so far."""
        return self._journals.setdefault(ref, Journal())

    def _facts(self, spec: Spec) -> Facts:
        raise NotImplementedError

    def _changed(self) -> None:
        self._listing = None
        self._wake()

    async def _answer(self) -> None:
        if self.hangs:
            await asyncio.get_running_loop().create_future()
        if self.down:
            raise BackendUnavailableError(str(self.place), self.down)


def _nobody() -> None:
    """Nobody listens yet."""


def _invented(ref: Ref) -> Vitals:
    now = time.time()
    phase = (now / 9 + sum(map(ord, ref)) * 0.37) % 2
    wave = abs(phase - 1)
    return Vitals(
        at=now,
        cpu=round(wave * 0.9, 3),
        cpu_limit=1.0,
        memory=int((80 + 300 * wave) * 2**20),
        memory_limit=2**30,
        received=1200.0 * wave,
        sent=300.0 * wave,
        pids=3,
        activity=20.0 * wave,
    )
