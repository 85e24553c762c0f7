"""Kernels that another program started, as a backend: listed, joined, run in, never owned.

One backend serves one source: the connection files of this machine, or a Jupyter server. Listing
does not touch a kernel. It is joined when something is first run in it, interrupted, or
its log read; from then on it is known whether it is busy, and what everybody's code says.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import TYPE_CHECKING, NoReturn

import msgspec

from sandbox_tui.backends.base import only_text
from sandbox_tui.backends.kernels.foreign.source import FoundKernel, Source
from sandbox_tui.model.actions import Attachment
from sandbox_tui.model.errors import (
    BackendUnavailableError,
    NotFoundError,
    SandboxError,
    UnsupportedError,
)
from sandbox_tui.model.outputs import OUTPUT_CAP, Keep, Outcome, Output
from sandbox_tui.model.refs import Kind, Place, Ref
from sandbox_tui.model.specs import Command, Inside, Spec
from sandbox_tui.model.world import Health, Sandbox, State
from sandbox_tui.runtime.console import console
from sandbox_tui.runtime.execution import Execution

if TYPE_CHECKING:
    from sandbox_tui.backends.kernels.client import KernelClient
    from sandbox_tui.backends.kernels.foreign.joined import Joined

LEFT = "nobody listens any more; the kernel goes on"

STILL_QUEUED = "not waited for any more; it still is in the kernel's queue"

JOIN_TIMEOUT = 0.5
"""Seconds after which a kernel that does not answer counts as busy."""


class ForeignKernels:
    """Every living kernel of one source; see `backends.base.Backend`."""

    def __init__(self, source: Source) -> None:
        self.place = Place(Kind.ROOM, source.where)
        self._source = source
        self._found: dict[Ref, FoundKernel] = {}
        self._joined: dict[Ref, Joined] = {}
        self._joining = asyncio.Lock()
        self._tasks: set[asyncio.Task[object]] = set()
        self._wake: Callable[[], None] = lambda: None

    # --- the duty -----------------------------------------------------------------------------

    async def probe(self) -> Health:
        """Whether its source answers; right after a poll that is known without asking again."""
        try:
            await self._source.living()
        except BackendUnavailableError as error:
            place = str(self.place)
            return Health(place=place, ok=False, detail=error.reason, hint=error.hint)
        return Health(place=str(self.place), ok=True, detail=self._source.about)

    async def poll(self) -> list[Sandbox]:
        """Every kernel that lives."""
        living = await self._source.living()
        where = self.place.where
        self._found = {Ref.make(Kind.ROOM, found.name, where): found for found in living}
        for ref in [ref for ref in self._joined if ref not in self._found]:
            await self._part(ref, Outcome.DIED, "the kernel is gone")
        return [self._sandbox(ref, found) for ref, found in self._found.items()]

    async def start(self, spec: Spec) -> Ref:
        """Never: a kernel that is started here is a room. Raises `UnsupportedError`."""
        raise UnsupportedError(spec.ref, "be started as another program's kernel")

    async def stop(self, ref: Ref, *, grace: float = 10.0) -> None:
        """Never. Raises `UnsupportedError`."""
        del grace
        self._refuse(ref, "be stopped")

    async def remove(self, ref: Ref) -> None:
        """Never. Raises `UnsupportedError`."""
        self._refuse(ref, "be removed")

    async def attachment(self, ref: Ref) -> Attachment:
        """A console that joins it."""
        self._must_live(ref)
        return console(ref)

    async def aclose(self) -> None:
        """Leave every kernel that was joined; all go on."""
        for ref in list(self._joined):
            await self._part(ref, Outcome.CANCELLED, LEFT)
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._source.aclose()

    # --- abilities ----------------------------------------------------------------------------

    def listen(self, wake: Callable[[], None]) -> None:
        """Call `wake` when a kernel that was joined becomes busy or idle."""
        self._wake = wake

    async def execute(
        self,
        ref: Ref,
        code: Command,
        *,
        timeout: float | None = None,
        cap: int = OUTPUT_CAP,
        keep: Keep = "tail",
        inside: Inside | None = None,
    ) -> Execution:
        """Run code in the kernel's own queue, behind what its owner runs."""
        text = only_text(ref, code, inside)
        client = await self._join(ref)

        async def cancel() -> None:
            if execution.started_at is None:  # interrupting now would hit another's code
                execution.finish(Outcome.CANCELLED, detail=STILL_QUEUED)
            else:
                await client.interrupt()

        execution = Execution(ref, text, cap=cap, keep=keep, on_cancel=cancel)
        self._own(_run(client, execution, timeout), f"run in {ref}")
        return execution

    async def interrupt(self, ref: Ref) -> None:
        """Ask the kernel to interrupt itself, whoever's code it runs."""
        client = await self._join(ref)
        await client.interrupt()

    async def follow(
        self, ref: Ref, *, tail: int = 200, live: bool = True, since: float | None = None
    ) -> AsyncIterator[Output]:
        """What everybody ran and what that said, as text, since the kernel was joined."""
        joined = await self._joined_to(ref)
        async for text in joined.journal.follow(tail, live=live, since=since):
            yield text

    # --- inside -------------------------------------------------------------------------------

    def _changed(self) -> None:
        self._wake()

    async def _join(self, ref: Ref) -> KernelClient:
        return (await self._joined_to(ref)).client

    async def _joined_to(self, ref: Ref) -> Joined:
        from sandbox_tui.backends.kernels.foreign.joined import Joined

        found = self._must_live(ref)
        async with self._joining:
            joined = self._joined.get(ref)
            if joined is None:

                def lost(why: str) -> None:
                    self._own(self._part(ref, Outcome.DIED, why), f"part from {ref}")

                channels = await self._source.reach(found.name, lost)
                joined = self._joined[ref] = Joined(channels, self._changed)
                await joined.client.ready(JOIN_TIMEOUT)
            return joined

    async def _part(self, ref: Ref, outcome: Outcome, why: str) -> None:
        joined = self._joined.pop(ref, None)
        if joined is not None:
            await joined.part(outcome, why)
            self._wake()

    def _own(self, work: Coroutine[object, object, object], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _must_live(self, ref: Ref) -> FoundKernel:
        found = self._found.get(ref)
        if found is None:
            raise NotFoundError(ref, tuple(self._found))
        return found

    def _refuse(self, ref: Ref, verb: str) -> NoReturn:
        self._must_live(ref)
        hint = "End it in the program that started it."
        raise UnsupportedError(ref, f"{verb}: started by another program", hint=hint)

    def _sandbox(self, ref: Ref, found: FoundKernel) -> Sandbox:
        joined = self._joined.get(ref)
        state, facts = found.state, found.facts
        if joined is not None:
            client = joined.client
            state = State.BUSY if client.busy else State.IDLE
            facts = msgspec.structs.replace(
                facts, execution_count=client.execution_count, busy_since=client.busy_since
            )
        title = facts.notebook
        return Sandbox(ref=ref, state=state, facts=facts, title=title, created_at=found.born_at)


async def _run(client: KernelClient, execution: Execution, timeout: float | None) -> None:
    """Run it to its end, also when what runs out of time cannot be interrupted."""
    try:
        await client.run(execution, timeout=timeout)
    except SandboxError as error:
        execution.finish(Outcome.TIMED_OUT, detail=f"still running: {error.message}")
