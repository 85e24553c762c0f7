"""The only place that holds the Api: worlds and answers come out as messages, actions go in.

One task owns everything, the connection included, so that closing it closes all. It begins after
the first paint: nothing here, and nothing that it imports, keeps a person waiting for the screen.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from sandbox_tui.model.actions import (
    Action,
    AddCell,
    ClearOutputs,
    EditCell,
    MoveCell,
    RemoveCell,
    Run,
    RunAll,
    RunCell,
)
from sandbox_tui.model.errors import BackendUnavailableError, DeadlineError, SandboxError
from sandbox_tui.model.outputs import Outcome, Result, Text
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.runtime.transfer import Transfer
from sandbox_tui.tui.batch import Post, batched, paced
from sandbox_tui.tui.feeds import Feeds
from sandbox_tui.tui.messages import (
    CopyEnded,
    CopyMoved,
    Disconnected,
    Failed,
    LogArrived,
    Performed,
    RunEnded,
    WorldChanged,
)
from sandbox_tui.tui.said import as_text
from sandbox_tui.tui.watching import Feed, Watch

if TYPE_CHECKING:
    from sandbox_tui.api.base import Api

Connect = Callable[[], "AbstractAsyncContextManager[Api]"]

DEADLINE = 60.0
"""How long an action may take, in seconds; a graceful stop and a cold kernel are well within."""

ABOUT_CELLS = (AddCell, EditCell, MoveCell, RemoveCell, ClearOutputs, RunCell, RunAll)

GOODBYE = 3.0
"""How long letting go of the backends may take, in seconds."""


class Bridge:
    """Between one Api and whoever `post` belongs to."""

    def __init__(self, connect: Connect, post: Post) -> None:
        self._connect = connect
        self._post = post
        self._api: Api | None = None
        self._feeds: Feeds | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._watch = Watch()
        self._copies: list[Transfer] = []
        self._unwanted: set[Transfer] = set()
        self._order = asyncio.Lock()
        self._life: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin to connect; worlds arrive as messages."""
        if self._life is None:
            self._life = asyncio.create_task(self._live(), name="bridge")

    async def close(self) -> None:
        """Cancel everything and wait for it to end."""
        life, self._life = self._life, None
        if life is not None:
            life.cancel()
            await asyncio.wait([life], timeout=GOODBYE)

    def watch(self, watch: Watch) -> None:
        """Fetch what is on the screen now, and nothing else."""
        self._watch = watch
        if self._feeds is not None:
            self._feeds.watch(watch)

    def again(self, feed: Feed) -> None:
        """Fetch one view once more, if it is looked at."""
        if self._feeds is not None:
            self._feeds.again(feed)

    def perform(self, action: Action, *, quiet: bool = False) -> None:
        """Do it; the answer arrives as `Performed` (not when `quiet`) or `Failed`.

        What is done to the cells of rooms is done in the order it is asked for.
        """
        work = self._perform(action, quiet)
        if isinstance(action, ABOUT_CELLS):
            work = self._in_order(work)
        self._spawn(work, f"perform {type(action).__name__}")

    def run_cell(self, ref: Ref, source: str) -> None:
        """Add a cell at the end of a room and run it."""
        self._spawn(self._run_cell(ref, source), f"run a cell in {ref}")

    def end_copies(self) -> bool:
        """End the copies that are under way; whether there were any."""
        copies = set(self._copies)
        for copy in copies - self._unwanted:
            self._unwanted.add(copy)
            self._spawn(copy.cancel(), f"end {copy.title}")
        return bool(copies)

    def _spawn(self, work: Coroutine[None, None, None], name: str) -> None:
        if self._tasks is None:
            work.close()
            self._post(Disconnected(BackendUnavailableError("dashboard", "still connecting")))
        else:
            self._tasks.create_task(work, name=name)

    async def _live(self) -> None:
        """Connected, from the first world to the last."""
        try:
            async with self._connect() as api, asyncio.TaskGroup() as tasks:
                self._api, self._tasks = api, tasks
                self._feeds = Feeds(api, tasks, self._post)
                self._feeds.watch(self._watch)
                async for world in paced(api.worlds()):
                    self._post(WorldChanged(world))
        except SandboxError as error:
            self._post(Disconnected(error))
        except Exception as error:  # noqa: BLE001  the edge: else the screen would just stop
            reason = f"{type(error).__name__}: {error}"
            self._post(Disconnected(BackendUnavailableError("dashboard", reason)))
        finally:
            self._api = self._feeds = self._tasks = None

    async def _in_order(self, work: Coroutine[None, None, None]) -> None:
        async with self._order:
            await work

    async def _perform(self, action: Action, quiet: bool = False) -> None:
        began = time.monotonic()
        try:
            answer = await self._ask(action)
        except SandboxError as error:
            self._post(Failed(action, error))
        except Exception as error:  # noqa: BLE001  the edge: a fault costs this action only
            fault = BackendUnavailableError("dashboard", f"{type(error).__name__}: {error}")
            self._post(Failed(action, fault))
        else:
            if isinstance(answer, Transfer):
                await self._carry(action, answer, began)
            elif not quiet:
                self._post(Performed(action, answer, time.monotonic() - began))
            if isinstance(action, Run) and isinstance(answer, Execution):
                await self._tell(answer)

    async def _carry(self, action: Action, copy: Transfer, began: float) -> None:
        """Tell how far a copy is, and what has come of it; it ends with this connection."""
        self._copies.append(copy)
        try:
            async for progress in copy:
                self._post(CopyMoved(f"{progress}  {copy.title}".strip()))
            self._post(Performed(action, await copy, time.monotonic() - began))
        except SandboxError as error:
            self._post(Failed(action, error))
        except asyncio.CancelledError:
            if copy not in self._unwanted:
                await copy.cancel()
                raise
            self._post(CopyEnded(copy.title))
        finally:
            self._copies.remove(copy)
            self._unwanted.discard(copy)
            self._post(CopyMoved(""))

    async def _run_cell(self, ref: Ref, source: str) -> None:
        """Two actions; what is logged is the run that a person asked for."""
        asked, began = Run(ref=ref, code=source), time.monotonic()
        try:
            cell_id = await self._ask(AddCell(ref=ref, source=source))
            answer = await self._ask(RunCell(ref=ref, cell_id=str(cell_id)))
        except SandboxError as error:
            self._post(Failed(asked, error))
        else:
            self._post(Performed(asked, answer, time.monotonic() - began))

    async def _ask(self, action: Action) -> object:
        if self._api is None:
            raise BackendUnavailableError("dashboard", "not connected")
        try:
            async with asyncio.timeout(DEADLINE):
                return await self._api.perform(action)
        except TimeoutError:
            raise DeadlineError(type(action).__name__, DEADLINE) from None

    async def _tell(self, execution: Execution) -> None:
        """Show what a run says, unless its sandbox's log does, and then how it ended."""
        logged = execution.ref.kind is Kind.ROOM
        if not logged:
            self._say(execution, f"\x1b[1m$ {execution.code}\x1b[0m\n")
            async with batched(execution.ref, self._post) as batch:
                async for output in execution:
                    await batch.put(as_text(output))
        result = await execution
        summary = _summary(result)
        if not logged:
            self._say(execution, f"\x1b[2m{summary}\x1b[0m\n")
        self._post(RunEnded(execution.ref, summary, result.ok))

    def _say(self, execution: Execution, text: str) -> None:
        self._post(LogArrived(execution.ref, (Text("stdout", text, time.time()),)))


def _summary(result: Result) -> str:
    ended = result.outcome in (Outcome.OK, Outcome.ERROR) and result.exit_code is not None
    how = f"exit {result.exit_code}" if ended else result.outcome.value
    return f"{how} · {result.duration:.2f} s"
