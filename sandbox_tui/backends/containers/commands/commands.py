"""Whatever runs inside containers by order of this program: commands, and shells that stay.

How they run is imported by the first of them: a listing needs none of it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from sandbox_tui.backends.containers.engine.link import Link
from sandbox_tui.backends.containers.engine.replies import Box
from sandbox_tui.backends.containers.listing import find
from sandbox_tui.model.errors import ConflictError, InvalidSpecError, NotRunningError
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.specs import Command

if TYPE_CHECKING:
    from sandbox_tui.backends.containers.commands.carrier import Carrier
    from sandbox_tui.backends.containers.commands.run import Run
    from sandbox_tui.backends.containers.commands.session import ContainerSession
    from sandbox_tui.backends.containers.commands.workers import Workers

CLOSE_SECONDS = 2.0


class Commands:
    """The runs and sessions of one backend, and the shells that are kept ready for them."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._workers: dict[Ref, Workers] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._sessions: set[ContainerSession] = set()

    async def start(self, run: Run, code: Command) -> None:
        """Begin to run a command. Raises `NotRunningError`, `ConflictError`."""
        argv = argv_of(code)
        begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(run.run(lambda: self._begin(run, argv), begun))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            await begun
        except asyncio.CancelledError:
            run.abandon()
            raise

    async def session(self, ref: Ref) -> ContainerSession:
        """A new shell that stays. Raises `NotRunningError`, `UnsupportedError`."""
        from sandbox_tui.backends.containers.commands.session import ContainerSession

        session = await ContainerSession.open(self._link, up(await self._find(ref)))
        self._sessions.add(session)
        session.when_ended(self._sessions.discard)
        return session

    def outdate(self, container_id: str) -> None:
        """Something happened to that container; from any thread."""
        for workers in list(self._workers.values()):
            if workers.box.id == container_id:
                workers.doubtful = True

    async def aclose(self) -> None:
        """Let go of everything: commands go on, our own shells end."""
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        shells = (*self._sessions, *self._workers.values())
        closing = [asyncio.ensure_future(each.aclose()) for each in shells]
        if closing:
            await asyncio.wait(closing, timeout=CLOSE_SECONDS)

    async def _begin(self, run: Run, argv: list[str]) -> Carrier:
        """In a shell that is there, without a word to the engine; else after asking it."""
        execution = run.execution
        workers = self._workers.get(execution.ref)
        if workers is not None and workers.are_ready:
            run.box = workers.box
            if carrier := await workers.begin(argv, execution.id, run.inside):
                return carrier
        workers = await self._at(execution.ref)
        run.box = workers.box
        carrier = await workers.begin(argv, execution.id, run.inside)
        return carrier or await workers.begin_anew(argv, execution.id, run.inside)

    async def _at(self, ref: Ref) -> Workers:
        """The shells of the container that has the name now, if commands can run in it."""
        from sandbox_tui.backends.containers.commands.workers import Workers

        box = up(await self._find(ref))
        workers = self._workers.get(ref)
        if workers is None or workers.box.id != box.id:
            former, workers = workers, Workers(self._link, box)
            self._workers[ref] = workers
            if former is not None:
                await former.aclose()
        workers.doubtful = False
        return workers

    async def _find(self, ref: Ref) -> Box:
        return await self._link.ask(lambda engine: find(engine, ref))


def argv_of(code: Command) -> list[str]:
    """A text through a shell, a tuple as it is. Raises `InvalidSpecError`."""
    argv = ["sh", "-c", code] if isinstance(code, str) else list(code)
    if not argv or any("\0" in word for word in argv):
        raise InvalidSpecError("code", "a command is one or more words without a NUL")
    return argv


def up(box: Box) -> Box:
    """The container, when commands can run in it. Raises `ConflictError`, `NotRunningError`."""
    if box.state == "paused":
        hint = f"Run: sandbox-tui resume {box.ref}"
        raise ConflictError(f"{box.ref} is paused", hint=hint)
    if box.state != "running":
        raise NotRunningError(box.ref, box.state)
    return box
