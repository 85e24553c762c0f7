"""One room: a document, the kernel that runs it, and who runs next.

A room has a kernel when it is started or when something is to be run; it keeps its cells whatever
becomes of the kernel.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine

import msgspec

from sandbox_tui.backends.kernels.environments import packages_in
from sandbox_tui.backends.kernels.host import KernelHost
from sandbox_tui.backends.kernels.journal import Journal
from sandbox_tui.backends.kernels.kernel import Kernel, KernelStatus
from sandbox_tui.backends.kernels.launch import KernelRequest
from sandbox_tui.backends.kernels.messages import Event
from sandbox_tui.documents.room_log import Founded, StoredRoom
from sandbox_tui.hub.opening import Opened
from sandbox_tui.hub.room_book import RoomBook
from sandbox_tui.hub.room_queue import LEFT, RoomQueue
from sandbox_tui.hub.room_run import OUTPUT
from sandbox_tui.hub.saving import Saver
from sandbox_tui.model.errors import NotRunningError, SandboxError
from sandbox_tui.model.room import KernelChanged
from sandbox_tui.model.specs import RoomSpec
from sandbox_tui.model.world import RoomFacts, Sandbox, State
from sandbox_tui.runtime.execution import Execution

LOST = "a cell of the daemon before this one still runs: what it says is lost"
STUBBORN = "does not react to being interrupted: restart it"


class Room:
    """A room in the daemon.

    `changed` is called when its row in a listing would be another. Of what a run says at most
    `most_output` bytes are kept.
    """

    def __init__(
        self,
        stored: StoredRoom,
        host: KernelHost,
        saver: Saver,
        *,
        changed: Callable[[], None],
        most_output: int = OUTPUT,
    ) -> None:
        self.spec = stored.spec
        self.ref = stored.spec.ref
        self.created_at = stored.created_at or time.time()
        self.book = RoomBook(stored, saver)
        self.queue = RoomQueue(self.book, self, most_output)
        self.journal = Journal()
        self.kernel: Kernel | None = None
        self.failure = ""
        """Why it has no kernel, when that is not what anybody wanted."""
        self._exit_code: int | None = None
        self._host = host
        self._changed = changed
        self._starting: asyncio.Task[Kernel] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._shown = (self.state, "")
        self.book.document.listen(changed)
        self.book.seats.on_peers = self._look_around

    # --- what it is ---------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """What it is doing."""
        if self._starting is not None:
            return State.STARTING
        if self.kernel is not None:
            busy = self.queue.is_busy or self.kernel.status is KernelStatus.BUSY
            return State.BUSY if busy else State.IDLE
        return State.FAILED if self.failure else State.STOPPED

    @property
    def sandbox(self) -> Sandbox:
        """Its row in a listing."""
        kernel = self.kernel
        facts = RoomFacts(
            kernel=self.spec.kernel,
            cells=len(self.book.document),
            queued=len(self.queue),
            execution_count=kernel.execution_count if kernel else 0,
            busy_since=kernel.busy_since if kernel and self.state is State.BUSY else None,
            connection_file=kernel.record.connection_file if kernel else "",
            exit_code=self._exit_code,
            env_source=self.spec.env_source,
            waits_for_input=self.queue.questions.is_open,
            peers=len(self.book.seats.peers),
        )
        return Sandbox(
            ref=self.ref,
            state=self.state,
            facts=facts,
            created_at=self.created_at,
            pid=kernel.pid or None if kernel else None,
            labels=self.spec.labels,
            managed=True,
            detail=self._detail(),
        )

    @property
    def stored(self) -> StoredRoom:
        """Everything of it that outlives the daemon."""
        document, page = self.book.document, self.book.page
        return StoredRoom(
            spec=self.spec,
            created_at=self.created_at,
            epoch=document.epoch,
            updates=(document.update(),),
            notebook=document.notebook(),
            runs=page.stored(),
            running=page.running(),
        )

    def become(self, spec: RoomSpec) -> None:
        """Be what `spec` says from now on."""
        self.spec = spec
        self.book.log(Founded(spec, self.created_at, self.book.document.epoch))

    def take_in(self, begun: Opened) -> None:
        """Go on with what a file holds. Raises `ConflictError` when there are cells already."""
        self.book.fill(begun.notebook)
        self.remark(begun.word)
        self.become(merged(self.spec, begun.spec))

    def remark(self, word: str) -> None:
        """Tell what a person should know of how it was made, if there is anything."""
        if word:
            self.journal.note(word)

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
        self.queue.drop(why)
        await self._stop_starting(why)
        kernel, self.kernel = self.kernel, None
        self.failure, self._exit_code = "", None
        if kernel is not None:
            self.journal.note(f"kernel {kernel.pid or kernel.record.id}: {why}")
            await self._host.end(kernel, grace=grace)
        self.tell()

    async def restart(self, *, grace: float = 0.3) -> None:
        """A new kernel, the same cells; it counts from one."""
        await self.down("restarted", grace=grace)
        self.book.page.forget_counts()
        await self.up()

    async def interrupt(self) -> None:
        """End what runs and drop what waits."""
        self.queue.drop("interrupted")
        if self.kernel is not None:
            await self.kernel.interrupt()
        else:
            self.queue.give_up("interrupted")
        self.tell()

    async def leave(self) -> None:
        """Let go of everything; the kernel goes on. What waits here gets an answer."""
        self.queue.drop(LEFT)
        await self._stop_starting(LEFT)
        await self.queue.aclose()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5.0)
        self.journal.end()
        self.book.end()

    # --- what it hears (see `kernels.client.Listener`) ------------------------------------------

    def heard(self, execution: Execution | None, event: Event) -> None:
        """The kernel said something."""
        self.journal.hear(event)
        self.book.page.hear(execution, event)

    def changed(self) -> None:
        """The kernel does something else now, or is dead."""
        kernel = self.kernel
        if kernel is not None and kernel.exit is not None:
            self.kernel = None
            self.failure = f"kernel died: {kernel.exit.reason}"
            self._exit_code = kernel.exit.code
            self.journal.note(self.failure)
            self.queue.drop(self.failure)
            self._own(self._host.end(kernel))
        self.tell()

    def tell(self) -> None:
        """The kernel, the queue or what runs is another now."""
        running = self.queue.running
        self.book.page.touch(running.cell_id if running else None)
        shown = (self.state, self._detail())
        if shown != self._shown:
            self._shown = shown
            self.book.seats.tell(KernelChanged(state=shown[0], detail=shown[1]))
        self._changed()

    # --- inside -------------------------------------------------------------------------------

    def _look_around(self) -> None:
        self.queue.questions.look()
        self._changed()

    async def _launch(self) -> Kernel:
        self.failure, self._exit_code = "", None
        spec = self.spec
        request = KernelRequest(
            owner=self.ref,
            kernel=spec.kernel,
            working_dir=spec.working_dir,
            env=spec.env,
            env_source=spec.env_source,
            packages=packages_in(self.book.document.metadata()),
            isolation=spec.isolation,
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
        return STUBBORN if self.kernel.stubborn else self.kernel.record.remark

    async def _stop_starting(self, why: str) -> None:
        if self._starting is not None:
            self._starting.cancel()
            self.queue.give_up(why)
            await asyncio.wait([self._starting])

    def _own(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def merged(old: RoomSpec, new: RoomSpec) -> RoomSpec:
    """`old` with what `new` says: a value that is the default of all rooms says nothing."""
    silent = RoomSpec(name=new.name)
    said = {
        field: value
        for field, value in msgspec.structs.asdict(new).items()
        if value != getattr(silent, field)
    }
    return msgspec.structs.replace(old, **said)
