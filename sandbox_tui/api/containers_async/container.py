"""One container, held."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path
from typing import Literal, cast, overload

from sandbox_tui.api.containers_async import leaving
from sandbox_tui.api.containers_async.callbacks import Callbacks, Function
from sandbox_tui.api.containers_async.errors import ContainerGone, translated
from sandbox_tui.api.containers_async.info import info_of
from sandbox_tui.api.containers_async.languages import command_of
from sandbox_tui.api.containers_async.machine import Machine
from sandbox_tui.api.containers_async.running import AsyncExecStream, AsyncProcess, ending
from sandbox_tui.api.containers_async.session import AsyncSession
from sandbox_tui.api.containers_async.values import ContainerInfo, ExecResult, exec_result
from sandbox_tui.hub.logbook import Logbook
from sandbox_tui.hub.projects import renew
from sandbox_tui.hub.terms import container_id, terms_of
from sandbox_tui.model.actions import (
    Action,
    ListFiles,
    Pause,
    Pull,
    Push,
    ReadFile,
    Restart,
    Resume,
    Run,
    Snapshot,
    Stop,
    WriteFile,
)
from sandbox_tui.model.errors import BackendUnavailableError, NotFoundError, SandboxError
from sandbox_tui.model.files import FileEntry
from sandbox_tui.model.outputs import OUTPUT_CAP, Outcome
from sandbox_tui.model.world import Sandbox
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.runtime.transfer import Transfer


class AsyncContainer:
    """Runs commands and moves files in one container; leaving its block shuts it down."""

    def __init__(
        self,
        machine: Machine,
        box: Sandbox,
        *,
        timeout: float = 30,
        folder: Path | None = None,
        logbook: Logbook | None = None,
    ) -> None:
        """`timeout` (seconds) is that of its commands.

        `folder` is where its project keeps it, `logbook` what of its runs is kept there.
        """
        self._machine = machine
        self._ref = box.ref
        self._box = box
        self._id = container_id(box)
        self._terms = terms_of(box)
        self._is_ours = box.managed
        self._timeout = timeout
        self._callbacks = Callbacks()
        self._folder = folder
        self._logbook = logbook

    @property
    def sandbox(self) -> Sandbox:
        """How the world last saw it."""
        return self._box

    @property
    def container_id(self) -> str:
        """The engine's full id of it."""
        return self._id

    @property
    def socket_path(self) -> str:
        """Where its engine listens."""
        return self._machine.address(self._ref.place)

    @property
    def name(self) -> str:
        """Its name, which is also the engine's."""
        return self._ref.name

    @property
    def persist(self) -> bool:
        """Whether `shutdown` only stops it; so it is for what this program did not make."""
        return self._terms.persist or not self._is_ours

    @property
    def project(self) -> str:
        """The project it belongs to; empty for none."""
        return self._terms.project

    @property
    def data_path(self) -> str:
        """Where its project keeps what belongs to it; empty when nothing is kept."""
        return str(self._folder or "")

    @overload
    async def run(
        self,
        command: str,
        *,
        stream: Literal[False] = False,
        detach: Literal[False] = False,
        timeout: float | None = None,
        max_output: int = OUTPUT_CAP,
        lang: str | None = None,
    ) -> ExecResult: ...
    @overload
    async def run(
        self,
        command: str,
        *,
        stream: Literal[True],
        detach: Literal[False] = False,
        timeout: float | None = None,
        max_output: int = OUTPUT_CAP,
        lang: str | None = None,
    ) -> AsyncExecStream: ...
    @overload
    async def run(
        self,
        command: str,
        *,
        stream: Literal[False] = False,
        detach: Literal[True],
        timeout: float | None = None,
        max_output: int = OUTPUT_CAP,
        lang: str | None = None,
    ) -> AsyncProcess: ...
    @overload
    async def run(
        self,
        command: str,
        *,
        stream: bool = False,
        detach: bool = False,
        timeout: float | None = None,
        max_output: int = OUTPUT_CAP,
        lang: str | None = None,
    ) -> ExecResult | AsyncExecStream | AsyncProcess: ...
    async def run(
        self,
        command: str,
        *,
        stream: bool = False,
        detach: bool = False,
        timeout: float | None = None,
        max_output: int = OUTPUT_CAP,
        lang: str | None = None,
    ) -> ExecResult | AsyncExecStream | AsyncProcess:
        """Run a command through a shell, or code of the language `lang`.

        `timeout` (seconds; by default the container's, for `detach` none) ends it inside, with
        all that it started. `max_output` characters of what it says are kept: the first ones, of
        a detached command the last. `stream` reads along, `detach` leaves it running.
        """
        limit = timeout if detach or timeout is not None else self._timeout
        with translated(known=True):
            execution = await self._machine.api.run(
                Run(
                    ref=self._ref,
                    code=command_of(command, lang),
                    timeout=None if limit is None or math.isinf(limit) else limit,
                    cap=max_output,
                    keep="tail" if detach else "head",
                    held=not detach,
                )
            )
        hearing = self._callbacks.follow(self, execution)
        if detach:
            return AsyncProcess(execution, self._ended)
        if stream:
            return AsyncExecStream(execution, self._ended)
        return await self._waited(execution, hearing)

    async def info(self) -> ContainerInfo:
        """How it is now: one look at the engine, two at the kernel's own counters."""
        with translated(known=True):
            return await info_of(self._machine, self._ref)

    async def reboot(self, *, fresh: bool = False) -> None:
        """End what runs in it and begin again; `fresh` replaces it by a new one like it.

        The new one is made before the old one goes, and the old one is back when that fails.
        """
        await self._perform(Restart(ref=self._ref, fresh=fresh))
        box = self._machine.hub.world.get(self._ref)
        if box is not None and container_id(box) != self._id:
            await self._become(box)

    async def write_file(self, path: str, content: str | bytes) -> None:
        """Make or replace a file; it belongs to the container's own user."""
        data = content.encode() if isinstance(content, str) else content
        await self._perform(WriteFile(ref=self._ref, path=path, content=data))

    async def read_file(self, path: str) -> bytes:
        """The content of a file. Raises `IsFolderError`, `NoSuchFileError`."""
        content = await self._perform(ReadFile(ref=self._ref, path=path))
        assert isinstance(content, bytes)
        return content

    async def list_files(self, path: str = "/home/sandbox") -> list[str]:
        """The names in a folder, sorted."""
        entries = await self._perform(ListFiles(ref=self._ref, path=path))
        return [entry.name for entry in cast("tuple[FileEntry, ...]", entries)]

    async def push(self, src: str, dest: str) -> None:
        """Copy a file or folder of this machine in; a `dest` that is a folder is copied into."""
        await self._carry(Push(ref=self._ref, source=src, target=dest))

    async def pull(self, src: str, dest: str) -> None:
        """Copy a file or folder out, all or nothing."""
        await self._carry(Pull(ref=self._ref, source=src, target=dest))

    async def snapshot(self, image_name: str) -> str:
        """Keep its files as an image; the image's id."""
        return str(await self._perform(Snapshot(ref=self._ref, image=image_name)))

    async def session(self) -> AsyncSession:
        """Open a shell that stays."""
        with translated(known=True):
            shell = await self._machine.api.session(self._ref)
        occupied = self._machine.hub.occupied
        return AsyncSession(shell, occupied, timeout=self._timeout, finish=self._ended)

    async def pause(self) -> None:
        """Freeze every process in it."""
        await self._perform(Pause(ref=self._ref))

    async def resume(self) -> None:
        """Let its processes go on."""
        await self._perform(Resume(ref=self._ref))

    async def shutdown(self, *, force: bool = False) -> None:
        """Stop and remove it; one that persists is only stopped. `force` does not ask it first.

        What is gone already is fine.
        """
        try:
            await self._machine.api.perform(Stop(ref=self._ref, force=force))
            if not self.persist:
                await self._machine.remove(self._ref, self._id)
        except NotFoundError:
            pass  # somebody else has removed it
        leaving.let_go(self._id)
        await self._callbacks.close()

    def on_stdout(self, fn: Function) -> None:
        """Call `fn(container, data)` with what its commands print, piece by piece."""
        self._callbacks.stdout.append(fn)

    def on_stderr(self, fn: Function) -> None:
        """Call `fn(container, data)` with what its commands print on stderr."""
        self._callbacks.stderr.append(fn)

    def on_exit(self, fn: Function) -> None:
        """Call `fn(container, exit_code)` when a command of it has ended."""
        self._callbacks.exit.append(fn)

    async def __aenter__(self) -> AsyncContainer:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.shutdown()

    async def _waited(self, execution: Execution, hearing: asyncio.Task[None] | None) -> ExecResult:
        """The result, when all is heard; nobody who waits means nobody who wants it to run."""
        try:
            result = await self._ended(execution)
            if hearing is not None:
                await hearing
        except asyncio.CancelledError:
            await ending(execution)
            raise
        return result

    async def _ended(self, execution: Execution) -> ExecResult:
        """The result of a run; an error when it was lost with the container or the engine."""
        result = await execution
        if result.outcome is Outcome.DIED:
            raise await self._loss(result.detail)
        if self._logbook is not None:
            await asyncio.to_thread(self._logbook.write, execution.code, result)
        return exec_result(result)

    async def _loss(self, detail: str) -> SandboxError:
        """Why a run was lost: the engine does not answer, or the container is no more."""
        place = self._ref.place
        health = await self._machine.hub.look(place)
        box = self._machine.hub.world.get(self._ref)
        if health is not None and not health.ok:
            return BackendUnavailableError(str(place), health.detail, hint=health.hint)
        if box is None or not box.state.is_live or container_id(box) != self._id:
            return ContainerGone(self._ref)
        return BackendUnavailableError(str(place), detail or "the connection was lost")

    async def _perform(self, action: Action) -> object:
        with translated(known=True):
            return await self._machine.api.perform(action)

    async def _carry(self, action: Push | Pull) -> None:
        """Copy, and leave nothing half-made when nobody waits for it any more."""
        transfer = await self._perform(action)
        assert isinstance(transfer, Transfer)
        try:
            with translated(known=True):
                await transfer
        except asyncio.CancelledError:
            await transfer.cancel()
            raise

    async def _become(self, box: Sandbox) -> None:
        """It is another container under the same name now."""
        leaving.let_go(self._id)
        self._box, self._id = box, container_id(box)
        if self._terms.owner:
            self._machine.keep(box)
        if self._folder is not None:
            await asyncio.to_thread(renew, self._folder, self._id)
