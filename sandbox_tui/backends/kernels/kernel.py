"""A kernel that this program launched: its process, its conversation, and how it ends."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Coroutine
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox_tui.backends.kernels import records
from sandbox_tui.backends.kernels.client import TAKE_UP, KernelClient, Listener
from sandbox_tui.backends.kernels.connection import Connection
from sandbox_tui.backends.kernels.process import GRACE, Exit, Life
from sandbox_tui.backends.kernels.records import KernelRecord
from sandbox_tui.backends.kernels.run import Asked, Run
from sandbox_tui.backends.kernels.wire import Wire
from sandbox_tui.model.outputs import Outcome, Result, Text
from sandbox_tui.model.room import Completion
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.runtime.pool import Pool

if TYPE_CHECKING:
    from zmq.asyncio import Context

INSIST_AFTER = 2.0
"""Seconds between two tries to interrupt the same code."""

INSIST_SOON = 0.4
"""The same for code that has only just begun: the kernel itself may have caught the signal."""

YOUNG = 0.5
"""Seconds for which code has only just begun."""

TRIES = 3
"""How often the same code is interrupted before it is left alone."""

SETTLES = 5.0
"""Seconds that a ready kernel has to move to where it is wanted."""

_FILES = 5.0
"""Longest wait for a read of a kernel's log, in seconds."""


class KernelStatus(StrEnum):
    """What a kernel is doing."""

    STARTING = "starting"
    IDLE = "idle"
    BUSY = "busy"
    DEAD = "dead"


class Kernel:
    """One living kernel; make it on the loop. `exit` is set, and it is told, when it has ended."""

    def __init__(
        self,
        record: KernelRecord,
        connection: Connection,
        context: Context,
        listener: Listener,
        pool: Pool,
        life: Life,
    ) -> None:
        self.record = record
        self.exit: Exit | None = None
        self._process = life
        self._client = KernelClient(partial(Wire, context, connection), listener, self.interrupt)
        self._listener = listener
        self._pool = pool
        self._ready = False
        self._defied: list[Run] = []
        self._stopping = False
        self._log_start = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._watch = asyncio.create_task(self._mourn(), name=f"watch kernel {record.pid}")

    @property
    def pid(self) -> int:
        """The process, which leads its own group and session."""
        return self.record.pid

    @property
    def status(self) -> KernelStatus:
        """What it is doing now."""
        if self.exit is not None:
            return KernelStatus.DEAD
        if not self._ready:
            return KernelStatus.STARTING
        return KernelStatus.BUSY if self._client.busy else KernelStatus.IDLE

    @property
    def runs_unheard(self) -> bool:
        """Whether it was found running code already: what that says cannot be known."""
        return self._ready and self._client.info is None

    @property
    def stubborn(self) -> bool:
        """Whether what it runs was interrupted in vain, as often as makes sense."""
        return any(not run.idle for run in self._defied)

    @property
    def execution_count(self) -> int:
        """The number of the last code it ran."""
        return self._client.execution_count

    @property
    def busy_since(self) -> float | None:
        """When it began what it runs now (epoch seconds)."""
        return self._client.busy_since

    @property
    def banner(self) -> str:
        """How it introduces itself."""
        return self._client.info.banner if self._client.info else ""

    async def ready(self, timeout: float) -> bool:
        """Whether it answers, waiting at most `timeout` seconds, and not past its death."""
        asking = asyncio.create_task(self._client.ready(timeout))
        try:
            await asyncio.wait([asking, self._watch], return_when=asyncio.FIRST_COMPLETED)
        finally:
            asking.cancel()
        await asyncio.wait([asking])
        answers = not asking.cancelled() and asking.result()
        self._ready = answers and self.exit is None
        self._log_start = await self._pool.run(_FILES, records.size, Path(self.record.log))
        return self._ready

    async def rejoin(self, timeout: float) -> None:
        """Take up a kernel that was running already; one that does not answer is busy."""
        await self.ready(timeout)
        self._ready = self.exit is None

    async def run(
        self,
        execution: Execution,
        *,
        timeout: float | None = None,
        on_input: Asked | None = None,
    ) -> Result:
        """Run the code of `execution`; after `timeout` seconds of running it is interrupted.

        `on_input` answers what the code asks; without it, asking fails at once.
        """
        if self.exit is not None:
            return execution.finish(Outcome.DIED, detail=f"kernel died: {self.exit.reason}")
        return await self._client.run(execution, timeout=timeout, on_input=on_input)

    async def settle(self, record: KernelRecord, code: str) -> bool:
        """Begin to serve the owner of `record`; `code` prepares the place. Whether it could.

        What the process said before is forgotten.
        """
        self.record = record
        await self._process.resume()
        settled = await self.prepare(code)
        self._log_start = await self._pool.run(_FILES, records.size, Path(record.log))
        return settled

    async def rest(self) -> None:
        """Stand by until it is settled."""
        await self._process.pause()

    async def prepare(self, code: str) -> bool:
        """Run code that nobody sees or counts. Whether it went well; not if it is never begun."""
        if self.exit is not None:
            return False
        setting = Execution(self.record.owner, code)
        try:
            async with asyncio.timeout(SETTLES):
                result = await self._client.run(setting, silent=True)
        except TimeoutError:
            return False
        return result.ok

    async def complete(self, code: str, cursor: int) -> Completion:
        """What may stand at `cursor` in `code`; nothing while it runs something else."""
        return await self._client.complete(code, cursor)

    async def interrupt(self) -> None:
        """End what runs, as Ctrl-C would; returns when it was told to, not when it has ended."""
        if self.status is not KernelStatus.BUSY and not self._client.running:
            return
        await self._client.taken_up(TAKE_UP)
        self._client.cancel()
        self._own(self._insist())

    async def stop(self, grace: float = GRACE) -> None:
        """End the process and its group for certain; what ran is cancelled."""
        self._stopping = True
        await self._process.end(grace)
        await asyncio.wait([self._watch], timeout=_FILES)
        await self._hang_up()

    async def release(self) -> None:
        """Let go of it; the process goes on and can be adopted later."""
        self._process.release()
        detail = "the daemon ended; its kernel goes on"
        self._client.lose(Outcome.CANCELLED, detail=detail)
        await self._hang_up()

    async def tend(self) -> None:
        """Keep its log short."""
        await self._pool.run(_FILES, records.trim, Path(self.record.log))

    async def log(self) -> str:
        """The end of what the process itself wrote since it was ready, outside of any cell."""
        start = self._log_start if self._ready else 0
        return await self._pool.run(_FILES, records.tail, Path(self.record.log), start)

    async def _insist(self) -> None:
        """Signal, wake it in case it only awaits, and again while the same code goes on."""
        runs = self._client.running
        patience = INSIST_SOON if any(map(_is_young, runs)) else INSIST_AFTER
        for _ in range(TRIES):
            if self.record.interrupt_by_message:
                await self._client.request_interrupt()
            else:
                self._process.signal(signal.SIGINT)
                await self._client.nudge()
            if await self._client.quiet(patience) or self._client.running != runs:
                return
            patience = INSIST_AFTER
        self._defied = runs
        self._listener.changed()

    async def _mourn(self) -> None:
        """Wait for the end of the process, then end whatever waits for the kernel."""
        await asyncio.wait([self._process.ended])
        if self._process.ended.cancelled():
            return
        exit_ = self._process.ended.result()
        if self._stopping:
            self._client.lose(Outcome.CANCELLED, detail="the kernel was stopped")
        else:
            self._process.signal(signal.SIGKILL)
            await self._tell_last_words()
            detail = f"kernel died: {exit_.reason}"
            self._client.lose(Outcome.DIED, exit_code=exit_.code, detail=detail)
        self.exit = exit_
        self._listener.changed()

    async def _tell_last_words(self) -> None:
        """A crash in native code is told by the process itself, outside of any message."""
        words = await self.log()
        for run in self._client.running:
            if words:
                run.hear(Text("stderr", f"{words}\n"))

    async def _hang_up(self) -> None:
        for task in (self._watch, *self._tasks):
            task.cancel()
        await asyncio.gather(self._watch, *self._tasks, return_exceptions=True)
        await self._client.close()

    def _own(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _is_young(run: Run) -> bool:
    return run.taken_up_at is None or time.monotonic() - run.taken_up_at < YOUNG
