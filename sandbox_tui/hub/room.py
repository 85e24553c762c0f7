"""One room: a document, the kernel that runs it, and who runs next.

A room has a kernel when it is started or when something is to be run; it keeps its cells whatever
becomes of the kernel.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Sequence

import msgspec

from sandbox_tui.backends.kernels.host import KernelHost
from sandbox_tui.backends.kernels.kernel import Kernel, KernelStatus
from sandbox_tui.backends.kernels.launch import KernelRequest
from sandbox_tui.backends.kernels.messages import Event
from sandbox_tui.documents.plain import PlainDocument
from sandbox_tui.documents.store import StoredRoom
from sandbox_tui.hub.page import Page
from sandbox_tui.hub.room_journal import RoomJournal
from sandbox_tui.hub.turns import Turn, Turns
from sandbox_tui.model.cells import CellKind
from sandbox_tui.model.errors import NotRunningError, SandboxError, UnsupportedError
from sandbox_tui.model.outputs import Failure, Outcome
from sandbox_tui.model.specs import RoomSpec
from sandbox_tui.model.world import RoomFacts, Sandbox, State
from sandbox_tui.runtime.execution import Execution

LOGGER = logging.getLogger(__name__)

LEFT = "the daemon ended"
LOST = "a cell of the daemon before this one still runs: what it says is lost"
STUBBORN = "does not react to being interrupted: restart it"


class Room:
    """A room in the daemon.

    `changed` is called when its row in a listing would be another, `save` when what is stored of
    it would be.
    """

    def __init__(
        self,
        stored: StoredRoom,
        host: KernelHost,
        *,
        changed: Callable[[], None],
        save: Callable[[], None],
    ) -> None:
        self.spec = stored.spec
        self.ref = stored.spec.ref
        self.created_at = stored.created_at or time.time()
        self.document = PlainDocument(stored.cells)
        self.page = Page(self.ref, self.document, stored.runs)
        self.journal = RoomJournal()
        self.kernel: Kernel | None = None
        self.failure = ""
        """Why it has no kernel, when that is not what anybody wanted."""
        self._exit_code: int | None = None
        self._host = host
        self._changed = changed
        self._save = save
        self._turns = Turns()
        self._running: Turn | None = None
        self._starting: asyncio.Task[Kernel] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._worker: asyncio.Task[None] | None = None
        self.page.lose(stored.interrupted)
        self.document.listen(save)
        self.document.listen(changed)

    # --- what it is ---------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """What it is doing."""
        if self._starting is not None:
            return State.STARTING
        if self.kernel is not None:
            waited_for = self._running is not None and self._running.execution.result is None
            busy = waited_for or self.kernel.status is KernelStatus.BUSY
            return State.BUSY if busy else State.IDLE
        return State.FAILED if self.failure else State.STOPPED

    @property
    def sandbox(self) -> Sandbox:
        """Its row in a listing."""
        kernel = self.kernel
        facts = RoomFacts(
            kernel=self.spec.kernel,
            cells=len(self.document.cells()),
            queued=len(self._turns),
            execution_count=kernel.execution_count if kernel else 0,
            busy_since=kernel.busy_since if kernel and self.state is State.BUSY else None,
            connection_file=kernel.record.connection_file if kernel else "",
            exit_code=self._exit_code,
            env_source=self.spec.env_source,
        )
        return Sandbox(
            ref=self.ref,
            state=self.state,
            facts=facts,
            created_at=self.created_at,
            pid=kernel.pid if kernel else None,
            labels=self.spec.labels,
            managed=True,
            detail=self._detail(),
        )

    @property
    def stored(self) -> StoredRoom:
        """Everything of it that outlives the daemon."""
        return StoredRoom(
            spec=self.spec,
            created_at=self.created_at,
            cells=self.document.cells(),
            runs=self.page.stored(),
            interrupted=self.page.running(),
        )

    # --- its kernel ---------------------------------------------------------------------------

    async def up(self) -> Kernel:
        """Its kernel, started when there is none. Raises what `KernelHost.start` raises."""
        if self.kernel is not None:
            return self.kernel
        if self._starting is None:
            self._starting = asyncio.create_task(self._launch(), name=f"start {self.ref}")
            self._changed()
        starting = self._starting
        await asyncio.wait([starting])
        if starting.cancelled():
            raise NotRunningError(self.ref, self.state)
        return starting.result()

    def adopt(self, kernel: Kernel) -> None:
        """Go on with a kernel that lived longer than the daemon that started it."""
        self.kernel = kernel
        self.changed()  # it may have died on the way here

    async def down(self, why: str, *, grace: float = 0.3) -> None:
        """End the kernel, if there is one; what runs or waits is cancelled."""
        self._turns.drop(why)
        await self._stop_starting(why)
        kernel, self.kernel = self.kernel, None
        self.failure, self._exit_code = "", None
        if kernel is not None:
            self.journal.note(f"kernel {kernel.pid}: {why}")
            await self._host.end(kernel, grace=grace)
        self._tell()

    async def restart(self, *, grace: float = 0.3) -> None:
        """A new kernel, the same cells; it counts from one."""
        await self.down("restarted", grace=grace)
        self.page.forget_counts()
        await self.up()

    async def interrupt(self) -> None:
        """End what runs and drop what waits."""
        self._turns.drop("interrupted")
        if self.kernel is not None:
            await self.kernel.interrupt()
        elif self._running is not None:
            self._running.cancel("interrupted")
        self._tell()

    async def leave(self) -> None:
        """Let go of everything; the kernel goes on. What waits here gets an answer."""
        self._turns.drop(LEFT)
        await self._stop_starting(LEFT)
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5.0)
        self.journal.end()
        self.page.end()

    # --- running ------------------------------------------------------------------------------

    def run_code(self, code: str, timeout: float | None) -> Execution:
        """Queue code that is no cell."""
        return self._queue([(None, code)], timeout)[0]

    def run_cells(self, cell_ids: Sequence[str], timeout: float | None) -> list[Execution]:
        """Queue cells; raises before any is queued when one is not there or is no code."""
        for cell_id in cell_ids:
            if self.document.get(cell_id).kind is not CellKind.CODE:
                raise UnsupportedError(self.ref, f"run it: Cannot execute non-code cell: {cell_id}")
        return self._queue([(cell_id, "") for cell_id in cell_ids], timeout)

    def _queue(
        self, wanted: Sequence[tuple[str | None, str]], timeout: float | None
    ) -> list[Execution]:
        call = object()
        turns = [Turn(call, self._execution(code), cell, timeout) for cell, code in wanted]
        self._turns.add(turns)
        for turn in turns:
            if turn.cell_id is not None:
                self.page.queue(turn.cell_id, turn.execution)
        if self._worker is None:
            self._worker = asyncio.create_task(self._work(), name=f"run in {self.ref}")
        self._changed()
        return [turn.execution for turn in turns]

    def _execution(self, code: str) -> Execution:
        async def cancel() -> None:
            await self._cancel(execution)

        execution = Execution(self.ref, code, on_cancel=cancel)
        return execution

    async def _cancel(self, execution: Execution) -> None:
        if self._turns.drop("cancelled", execution=execution):
            self._tell()
        elif self._running is not None and self._running.execution is execution:
            if self.kernel is not None:
                await self.kernel.interrupt()
            else:
                self._running.cancel("cancelled")

    async def _work(self) -> None:
        while True:
            turn = self._running = await self._turns.next()
            self._tell()
            try:
                await self._take(turn)
            except SandboxError as error:
                _fail(turn.execution, error.message)
            except Exception as error:  # a worker's edge: one faulty run must not end the queue
                LOGGER.exception("a run in %s", self.ref)
                _fail(turn.execution, f"{type(error).__name__}: {error}")
            finally:
                turn.cancel(LEFT)
                self._running = None
            if turn.execution.finish(Outcome.OK).outcome is not Outcome.OK:
                self._turns.drop("a run before it failed", call=turn.call)
            self._settle(turn)

    async def _take(self, turn: Turn) -> None:
        """Run it with the source that its cell has now."""
        execution = turn.execution
        kernel = await self.up()
        if turn.cell_id is not None:
            execution.code = self.document.get(turn.cell_id).source
            self._save()
        if execution.result is None:
            await kernel.run(execution, timeout=turn.timeout)

    # --- what it hears (see `kernels.client.Listener`) ------------------------------------------

    def heard(self, execution: Execution | None, event: Event) -> None:
        """The kernel said something."""
        self.journal.hear(event)
        self.page.hear(execution, event)

    def changed(self) -> None:
        """The kernel does something else now, or is dead."""
        kernel = self.kernel
        if kernel is not None and kernel.exit is not None:
            self.kernel = None
            self.failure = f"kernel died: {kernel.exit.reason}"
            self._exit_code = kernel.exit.code
            self.journal.note(self.failure)
            self._turns.drop(self.failure)
            self._own(self._host.end(kernel))
        self._tell()

    # --- inside -------------------------------------------------------------------------------

    async def _launch(self) -> Kernel:
        self.failure, self._exit_code = "", None
        spec = self.spec
        request = KernelRequest(
            owner=self.ref, kernel=spec.kernel, working_dir=spec.working_dir, env=spec.env
        )
        try:
            kernel = self.kernel = await self._host.start(request, self)
        except SandboxError as error:
            self.failure = error.message
            self.journal.note(error.message)
            raise
        finally:
            self._starting = None
            self.changed()  # it may have died on the way here
        return kernel

    def _detail(self) -> str:
        if self.kernel is None:
            return self.failure
        if self.kernel.runs_unheard:
            return LOST
        return STUBBORN if self.kernel.stubborn else ""

    async def _stop_starting(self, why: str) -> None:
        if self._starting is not None:
            self._starting.cancel()
            if self._running is not None:
                self._running.cancel(why)
            await asyncio.wait([self._starting])

    def _settle(self, turn: Turn) -> None:
        self._tell()
        if turn.cell_id is not None:
            self._save()

    def _tell(self) -> None:
        self.page.touch()
        self._changed()

    def _own(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _fail(execution: Execution, reason: str) -> None:
    """It never ran; whoever waits for it reads why."""
    execution.feed(Failure("NotRunError", reason))
    execution.finish(Outcome.ERROR, detail=reason)


def merged(old: RoomSpec, new: RoomSpec) -> RoomSpec:
    """`old` with what `new` says: a value that is the default of all rooms says nothing."""
    silent = RoomSpec(name=new.name)
    said = {
        field: value
        for field, value in msgspec.structs.asdict(new).items()
        if value != getattr(silent, field)
    }
    return msgspec.structs.replace(old, **said)
