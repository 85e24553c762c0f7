"""A room as a client has it: a replica of its document, what its cells said, and its kernel.

Changes of the replica are there at once and go out in order, before everything that is asked
later: to add a cell and run it takes no confirmation in between.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import cast

from sandbox_tui.documents.line import Announce, AnswersInput, Known, Line, Merge, RoomNews
from sandbox_tui.documents.shared import SharedDocument
from sandbox_tui.model.actions import (
    ClearOutputs,
    Complete,
    Interrupt,
    Restart,
    Run,
    RunAll,
    RunCell,
    SaveAs,
    Start,
    Stop,
)
from sandbox_tui.model.cells import CellRun, Notebook, NotebookCell
from sandbox_tui.model.errors import DaemonUnavailableError, SandboxError, UsageError
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.room import (
    CellsChanged,
    Completion,
    ConnectionChanged,
    Peer,
    PeersChanged,
    RoomEvent,
)
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.runtime.pulse import Pulse
from sandbox_tui.runtime.ring import Ring

EVERYTHING = 1 << 62
"""A cap for who relies on the daemon's own."""

Again = Callable[[], Awaitable[Line | None]]
"""Gives another line into the same room; `None` while there is none."""

PAUSE = 0.5
"""Seconds between two looks for another line."""

MOST_EVENTS = 1000
"""Events that are kept for a reader who is busy."""


class Room:
    """One client's room; made by `Api.room`. Errors are `SandboxError`s.

    Everything but the coroutines is at hand: it never waits for the daemon.
    """

    def __init__(self, line: Line, again: Again | None = None) -> None:
        self.ref: Ref = line.ref
        self.document = SharedDocument()
        self.peers: tuple[Peer, ...] = ()
        """Every client that has the room open, this one among them."""
        self.id = ""
        """This client's own id among the peers."""
        self.revision = 0
        """Grows with every change that a person could see."""
        self.lost: SandboxError | None = None
        """Why nothing more is heard of the room; `None` while it is."""
        self._line = line
        self._again = again
        self._runs: dict[str, CellRun] = {}
        self._notebook: Notebook | None = None
        self._events: Ring[RoomEvent] = Ring(MOST_EVENTS)
        self._pulse = Pulse()
        self._task: asyncio.Task[None] | None = None

    @classmethod
    async def enter(cls, line: Line, again: Again | None = None) -> Room:
        """Open the room at the end of `line`. Raises `NotFoundError`.

        `again` looks for another line when this one broke; what is changed until then is kept.
        """
        room = cls(line, again)
        room._task = asyncio.create_task(room._keep_up(), name=f"room {line.ref}")
        try:
            while not room.id:
                room._check()
                await room._pulse.wait()
        except BaseException:
            await room._end()
            raise
        return room

    # --- what it is ---------------------------------------------------------------------------

    @property
    def notebook(self) -> Notebook:
        """Its cells, each with what its latest run said so far; the newest there is."""
        if self._notebook is None or self._notebook.revision != self.revision:
            entries = (
                NotebookCell(cell, self._runs.get(cell.id)) for cell in self.document.cells()
            )
            self._notebook = Notebook(self.ref, self.revision, tuple(entries))
        return self._notebook

    def run_of(self, cell_id: str) -> CellRun | None:
        """What is known of a cell's latest run."""
        return self._runs.get(cell_id)

    async def notebooks(self) -> AsyncIterator[Notebook]:
        """The notebook now and whenever it changed; latest wins. Raises when it is lost."""
        while True:
            notebook = self.notebook
            yield notebook
            while self.revision == notebook.revision:
                self._check()
                await self._pulse.wait()

    async def events(self) -> AsyncIterator[RoomEvent]:
        """What happens from now on; a reader who is too slow loses the oldest."""
        position = self._events.end
        while True:
            fresh = self._events.slice(position)
            position = self._events.end
            for event in fresh:
                yield event
            if position == self._events.end:
                self._check()
                await self._pulse.wait()

    # --- running ------------------------------------------------------------------------------

    async def run_cell(self, cell_id: str, *, timeout: float | None = None) -> Execution:
        """Queue a cell; its source is read when its turn comes. Raises `CellNotFoundError`."""
        return await self._line.begin(RunCell(ref=self.ref, cell_id=cell_id, timeout=timeout))

    async def run_all(
        self, cell_ids: Iterable[str] | None = None, *, timeout: float | None = None
    ) -> list[Execution]:
        """Queue these cells in order, every code cell by default; an error drops the rest."""
        wanted = None if cell_ids is None else tuple(cell_ids)
        action = RunAll(ref=self.ref, cell_ids=wanted, timeout=timeout)
        return cast(list[Execution], await self._line.perform(action))

    async def execute(self, code: str, *, timeout: float | None = None) -> Execution:
        """Queue code that is no cell."""
        action = Run(ref=self.ref, code=code, timeout=timeout, cap=EVERYTHING, keep="head")
        return await self._line.begin(action)

    async def execution(self, execution_id: str) -> Execution:
        """A run of this room, whoever began it and whenever. Raises `NotFoundError`."""
        return await self._line.recall(execution_id)

    async def clear_outputs(self, cell_id: str | None = None) -> None:
        """Forget what a cell's ended run said; every cell's by default."""
        await self._line.perform(ClearOutputs(ref=self.ref, cell_id=cell_id))

    async def complete(self, code: str, cursor: int) -> Completion:
        """What may stand at `cursor` (characters from 0) in `code`."""
        action = Complete(ref=self.ref, code=code, cursor=cursor)
        return cast(Completion, await self._line.perform(action))

    # --- the kernel ---------------------------------------------------------------------------

    async def start(
        self,
        kernel: str | None = None,
        env_source: str | None = None,
        notebook: str | None = None,
        *,
        isolation: str | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        """Give it a kernel. Raises `AlreadyExistsError` when it has one, `StartFailedError`.

        `notebook` is an `.ipynb` file, whose cells an empty room takes in; without `kernel` it
        says which one. `isolation` is `none`, `container` or `container+network`, by default what
        the room has been given or else what the configuration says.
        """
        action = Start(
            name=self.ref,
            kind=self.ref.kind,
            kernel=kernel,
            env_source=env_source,
            isolation=isolation,
            notebook=await asyncio.to_thread(_file, notebook or "") or None,
            labels=labels,
        )
        await self._line.perform(action)

    async def interrupt(self) -> None:
        """End what runs and drop what waits. Raises `NotRunningError`."""
        await self._line.perform(Interrupt(ref=self.ref))

    async def restart(self) -> None:
        """A new kernel for the same cells."""
        await self._line.perform(Restart(ref=self.ref))

    async def stop(self) -> None:
        """End the kernel; the room stays."""
        await self._line.perform(Stop(ref=self.ref))

    async def save_as(self, path: str = "") -> str:
        """Write it as a notebook file, by default the one that it was opened from; its path."""
        there = await asyncio.to_thread(_file, path)
        return cast(str, await self._line.perform(SaveAs(ref=self.ref, path=there)))

    # --- the others ---------------------------------------------------------------------------

    async def announce(
        self, name: str, cell_id: str | None = None, cursor: int | None = None
    ) -> None:
        """Tell the others who this is and where."""
        self._line.say(Announce(name, cell_id, cursor))

    async def answer_input(self, answers: bool = True) -> None:
        """From now on `input()` waits for somebody to `answer` the event `InputAsked`."""
        self._line.say(AnswersInput(answers))

    async def answer(self, execution_id: str, text: str) -> None:
        """Give the code that asked one line. Raises `ConflictError` when it does not wait."""
        await self._line.reply(execution_id, text)

    async def leave(self, *, stop_kernel_if_last: bool = False) -> None:
        """Close it; when nobody else has it open the kernel may go with it, atomically."""
        try:
            if self.lost is None:
                await self._line.leave(stop_kernel_if_last=stop_kernel_if_last)
        finally:
            await self._end()

    async def aclose(self) -> None:
        """Close it when all that was changed here has arrived; what runs goes on."""
        try:
            await self.leave()
        except SandboxError:
            return  # there is nobody left to leave

    # --- inside -------------------------------------------------------------------------------

    async def _keep_up(self) -> None:
        """Hear all news until the room is gone, or the way to it for good."""
        try:
            while True:
                self._lose(await self._listen())
                if self._again is None or not isinstance(self.lost, DaemonUnavailableError):
                    return
                self._line = await self._found(self._again)
        except Exception as error:  # noqa: BLE001  # the edge of a worker: who waits must hear of it
            reason = f"{self.ref} cannot be followed: {type(error).__name__}: {error}"
            self._lose(SandboxError(reason, hint="Open the room again."))
        finally:
            self.document.close()

    async def _listen(self) -> SandboxError:
        """Why there are no more news."""
        known = Known(self.document.epoch, self.document.state())
        try:
            async for news in self._line.news(known):
                self._hear(news)
        except SandboxError as error:
            return error
        return UsageError(f"{self.ref} was closed")

    async def _found(self, again: Again) -> Line:
        while True:
            await asyncio.sleep(PAUSE)
            try:
                line = await again()
            except SandboxError:
                continue  # what there is now is no daemon for this program: another may come
            if line is not None:
                return line

    def _hear(self, news: RoomNews) -> None:
        if news.epoch:
            self._begin(news)
        for update in news.updates:
            self.document.merge(update, origin=self._line)
        for cell_id, run in news.runs.items():
            if run is None:
                self._runs.pop(cell_id, None)
            else:
                self._runs[cell_id] = run
        if news.peers is not None:
            self.peers = news.peers
            self._events.append(PeersChanged(peers=news.peers))
        self._events.extend(news.events)
        self._touch()

    def _begin(self, news: RoomNews) -> None:
        """Take up a document, or go on with it; a replica of another epoch is dropped."""
        self.id = news.you
        self._runs.clear()
        if self.lost is not None:
            self.lost = None
            self._events.append(ConnectionChanged())
        if news.epoch == self.document.epoch:
            missed = self.document.update(news.state)
            self._line.say(Merge(self.document.epoch, missed))
            return
        self.document.close()
        self.document = SharedDocument(news.epoch)
        self.document.on_update(self._send)
        self.document.listen(self._edited)

    def _send(self, update: bytes, origin: object) -> None:
        if origin is not None or (self.lost is not None and self._again is not None):
            return  # the others have it, or get it when the way to them is found again
        self._check()
        self._line.say(Merge(self.document.epoch, update))

    def _edited(self) -> None:
        self._events.append(CellsChanged())
        self._touch()

    def _touch(self) -> None:
        self.revision += 1
        self._pulse.fire()

    def _lose(self, error: SandboxError) -> None:
        self.lost = error
        self._events.append(ConnectionChanged(reason=error.message))
        self._touch()

    def _check(self) -> None:
        if self.lost is not None:
            raise self.lost

    async def _end(self) -> None:
        self._again = None
        self._lose(UsageError(f"{self.ref} is closed here"))
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


def _file(named: str) -> str:
    """As this program's user means it: the daemon runs in a folder of its own."""
    return str(Path(named).expanduser().absolute()) if named else ""
