"""What runs in a room and what waits for that, whichever client asked."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol

from sandbox_tui.backends.kernels.kernel import Kernel
from sandbox_tui.hub.questions import Questions
from sandbox_tui.hub.room_book import RoomBook
from sandbox_tui.hub.room_run import EVERYTHING, RoomExecution
from sandbox_tui.hub.turns import Turn, Turns
from sandbox_tui.model.cells import CellKind
from sandbox_tui.model.errors import SandboxError, UnsupportedError
from sandbox_tui.model.outputs import Failure, Keep, Outcome
from sandbox_tui.runtime.execution import Execution

LOGGER = logging.getLogger(__name__)

LEFT = "the daemon ended"


class Kernels(Protocol):
    """Where a queue finds its kernel."""

    kernel: Kernel | None

    async def up(self) -> Kernel:
        """The kernel, started when there is none. Raises `SandboxError`."""
        ...

    def tell(self) -> None:
        """The queue, or what runs, is another now."""
        ...


class RoomQueue:
    """The runs of one room, one after the other. Of what one says `most` bytes are kept."""

    def __init__(self, book: RoomBook, kernels: Kernels, most: int) -> None:
        self.running: Turn | None = None
        self.questions = Questions(book.seats, kernels.tell)
        self._book = book
        self._kernels = kernels
        self._most = most
        self._turns = Turns()
        self._live: dict[str, RoomExecution] = {}
        self._worker: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._turns)

    @property
    def is_busy(self) -> bool:
        """Whether somebody waits for what runs."""
        return self.running is not None and self.running.execution.result is None

    def run_code(
        self, code: str, timeout: float | None, *, cap: int = EVERYTHING, keep: Keep = "head"
    ) -> Execution:
        """Queue code that is no cell."""
        return self._add([self._execution(code, None, cap, keep)], timeout)[0]

    def run_cells(self, cell_ids: Sequence[str], timeout: float | None) -> list[Execution]:
        """Queue cells; raises before any is queued when one is not there or is no code."""
        for cell_id in cell_ids:
            if self._book.document.get(cell_id).kind is not CellKind.CODE:
                reason = f"run it: Cannot execute non-code cell: {cell_id}"
                raise UnsupportedError(self._book.ref, reason)
        return self._add([self._execution("", cell_id) for cell_id in cell_ids], timeout)

    def live(self, execution_id: str) -> Execution | None:
        """A run that has not ended."""
        return self._live.get(execution_id)

    def drop(self, why: str, *, call: object = None, execution: Execution | None = None) -> bool:
        """Answer whoever waits for these; whether there were any."""
        dropped = self._turns.drop(why, call=call, execution=execution)
        for turn in dropped:
            self._ended(turn)
        return bool(dropped)

    def give_up(self, why: str) -> None:
        """What runs has no kernel yet and will not get one."""
        if self.running is not None:
            self.running.cancel(why)

    async def aclose(self) -> None:
        """End; nothing of the queue is left."""
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)

    def _add(self, executions: Sequence[RoomExecution], timeout: float | None) -> list[Execution]:
        call = object()
        self._turns.add([Turn(call, one, one.cell_id, timeout) for one in executions])
        for execution in executions:
            self._live[execution.id] = execution
            if execution.cell_id is not None:
                self._book.page.queue(execution.cell_id, execution)
        if self._worker is None:
            self._worker = asyncio.create_task(self._work(), name=f"run in {self._book.ref}")
        self._kernels.tell()
        return list(executions)

    def _execution(
        self, code: str, cell_id: str | None, cap: int = EVERYTHING, keep: Keep = "head"
    ) -> RoomExecution:
        async def cancel() -> None:
            await self._cancel(execution)

        execution = RoomExecution(
            self._book.ref,
            code,
            self._book.record,
            most=self._most,
            cell_id=cell_id,
            cap=cap,
            keep=keep,
            on_cancel=cancel,
        )
        return execution

    async def _cancel(self, execution: Execution) -> None:
        if self.drop("cancelled", execution=execution):
            self._kernels.tell()
        elif self.running is not None and self.running.execution is execution:
            if self._kernels.kernel is not None:
                await self._kernels.kernel.interrupt()
            else:
                self.running.cancel("cancelled")

    async def _work(self) -> None:
        while True:
            turn = self.running = await self._turns.next()
            self._kernels.tell()
            try:
                await self._take(turn)
            except SandboxError as error:
                _fail(turn.execution, error.message)
            except Exception as error:  # a worker's edge: one faulty run must not end the queue
                LOGGER.exception("a run in %s", self._book.ref)
                _fail(turn.execution, f"{type(error).__name__}: {error}")
            finally:
                turn.cancel(LEFT)
                self.running = None
            if turn.execution.finish(Outcome.OK).outcome is not Outcome.OK:
                self.drop("a run before it failed", call=turn.call)
            self._ended(turn)
            self._kernels.tell()

    async def _take(self, turn: Turn) -> None:
        kernel = await self._kernels.up()
        self._book.begins(turn.execution, turn.cell_id)
        if turn.execution.result is None:
            asker = self.questions.asker(turn.execution.id)
            await kernel.run(turn.execution, timeout=turn.timeout, on_input=asker)

    def _ended(self, turn: Turn) -> None:
        self._live.pop(turn.execution.id, None)
        self._book.ends(turn.execution, turn.cell_id)


def _fail(execution: Execution, reason: str) -> None:
    """It never ran; whoever waits for it reads why."""
    execution.feed(Failure("NotRunError", reason))
    execution.finish(Outcome.ERROR, detail=reason)
