"""Kernels that another program started, as a backend: listed, joined, run in, never owned.

Listing does not touch a kernel. It is joined when something is first run in it, interrupted, or
its log read; from then on it is known whether it is busy, and what everybody's code says.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from sandbox_tui.backends.kernels.discovery import Discovery, FoundKernel
from sandbox_tui.model.actions import Attachment
from sandbox_tui.model.errors import NotFoundError, UnsupportedError
from sandbox_tui.model.outputs import Outcome, Output
from sandbox_tui.model.refs import Kind, Place, Ref
from sandbox_tui.model.specs import Spec
from sandbox_tui.model.world import Health, RoomFacts, Sandbox, State
from sandbox_tui.runtime.console import console
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.runtime.pool import Pool

if TYPE_CHECKING:
    from zmq.asyncio import Context

    from sandbox_tui.backends.kernels.client import KernelClient
    from sandbox_tui.backends.kernels.joined import Joined

WHERE = "jupyter"

LEFT = "nobody listens any more; the kernel goes on"

STILL_QUEUED = "not waited for any more; it still is in the kernel's queue"

JOIN_TIMEOUT = 0.5
"""Seconds after which a kernel that does not answer counts as busy."""

_FILES = 5.0
"""Longest wait for a look through the folder, in seconds."""


class ForeignKernels:
    """Every living kernel of Jupyter's runtime folder; see `backends.base.Backend`."""

    def __init__(self, folder: Path | None = None) -> None:
        self.place = Place(Kind.ROOM, WHERE)
        self._discovery = Discovery(folder)
        self._found: dict[Ref, FoundKernel] = {}
        self._joined: dict[Ref, Joined] = {}
        self._joining = asyncio.Lock()
        self._context: Context | None = None
        self._pool = Pool("foreign kernels", 2)
        self._runs: set[asyncio.Task[object]] = set()
        self._wake: Callable[[], None] = lambda: None

    # --- the duty -----------------------------------------------------------------------------

    async def probe(self) -> Health:
        """A folder can always be looked into; one that is not there is empty."""
        return Health(place=str(self.place), ok=True)

    async def poll(self) -> list[Sandbox]:
        """Every kernel that lives."""
        living = await self._pool.run(_FILES, self._discovery.living)
        self._found = {Ref.make(Kind.ROOM, found.path.stem, WHERE): found for found in living}
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
        await asyncio.gather(*self._runs, return_exceptions=True)
        context, self._context = self._context, None
        if context is not None:
            await self._pool.run(_FILES, context.term)
        self._pool.close()

    # --- abilities ----------------------------------------------------------------------------

    def listen(self, wake: Callable[[], None]) -> None:
        """Call `wake` when a kernel that was joined becomes busy or idle."""
        self._wake = wake

    async def execute(self, ref: Ref, code: str, *, timeout: float | None = None) -> Execution:
        """Run code in the kernel's own queue, behind what its owner runs."""
        client = await self._join(ref)

        async def cancel() -> None:
            if execution.started_at is None:  # interrupting now would hit another's code
                execution.finish(Outcome.CANCELLED, detail=STILL_QUEUED)
            else:
                await client.interrupt()

        execution = Execution(ref, code, on_cancel=cancel)
        task = asyncio.create_task(client.run(execution, timeout=timeout), name=f"run in {ref}")
        self._runs.add(task)
        task.add_done_callback(self._runs.discard)
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
        from sandbox_tui.backends.kernels.joined import Joined
        from sandbox_tui.backends.kernels.wire import new_context

        found = self._must_live(ref)
        async with self._joining:
            if ref not in self._joined:
                if self._context is None:
                    self._context = await self._pool.run(_FILES, new_context)
                joined = Joined(self._context, found, self._changed)
                self._joined[ref] = joined
                await joined.client.ready(JOIN_TIMEOUT)
            return self._joined[ref]

    async def _part(self, ref: Ref, outcome: Outcome, why: str) -> None:
        await self._joined.pop(ref).part(outcome, why)

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
        client = joined.client if joined else None
        state = State.RUNNING
        if client is not None:
            state = State.BUSY if client.busy else State.IDLE
        facts = RoomFacts(
            kernel=found.connection.kernel_name,
            execution_count=client.execution_count if client else 0,
            busy_since=client.busy_since if client else None,
            foreign=True,
            connection_file=str(found.path),
        )
        return Sandbox(ref=ref, state=state, facts=facts, created_at=found.written_at)
