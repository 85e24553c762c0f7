"""Python kernels in containers of their own, spoken to over ipc through one shared folder.

Two connection files say the same: the kernel's own with the folder as it sees it, and this
program's beside the folder, where no kernel can write. A container's main process is a process of
this machine too, so its end is noticed as that of any other.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
import signal
from pathlib import Path

import msgspec

from sandbox_tui.backends.cages import CAGE_FOLDER, Cage, Cages
from sandbox_tui.backends.kernels.connection import write_connection
from sandbox_tui.backends.kernels.launch import OWN_PYTHON, PROGRAM, KernelRequest, new_folder
from sandbox_tui.backends.kernels.local import Launched
from sandbox_tui.backends.kernels.process import (
    GRACE,
    UNSEEN,
    Exit,
    KernelProcess,
    exited,
    stat,
)
from sandbox_tui.backends.kernels.records import KernelRecord, Records, new_id
from sandbox_tui.model.errors import InvalidSpecError, SandboxError, StartFailedError
from sandbox_tui.runtime.pool import Pool

LOGGER = logging.getLogger(__name__)

INSIDE = "inside"
"""The part of a kernel's folder that it shares."""

OUT_OF_MEMORY = "OOM: it used more memory than it may have"
STOPPED = Exit(128 + signal.SIGKILL, "stopped")

_FILES = 20.0
"""Longest wait for the file system, in seconds."""

_LAST = 5.0
"""Longest wait for what was killed to be gone, in seconds."""


class CagedKernel:
    """What runs an isolated kernel; see `process.Life`. Make it on the loop that watches it."""

    def __init__(self, cages: Cages, cage: Cage, log: Path) -> None:
        self._cages = cages
        self._name = cage.name
        self._log = log
        self._process = _process(cage)
        self._ending = False
        self.ended: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()
        self._watch = asyncio.create_task(self._mourn(), name=f"watch {cage.name}")

    def signal(self, number: signal.Signals) -> None:
        """Nothing: such a kernel is interrupted by a message, and ends as a whole."""

    async def pause(self) -> None:
        """Freeze it."""
        await self._cages.pause(self._name)

    async def resume(self) -> None:
        """Let it go on."""
        await self._cages.resume(self._name)

    async def end(self, grace: float = GRACE) -> None:
        """Kill it, whatever the `grace`, and take the container away: it has nothing to save.

        Raises `SandboxError`s while it lives and the engine is away.
        """
        del grace
        self._ending = True
        try:
            await self._cages.end(self._name)
        except SandboxError as error:
            if not self.ended.done():
                raise
            LOGGER.warning("the ended container %s stays: %s", self._name, error)
        await asyncio.wait([self._watch], timeout=_LAST)

    def release(self) -> None:
        """Stop watching; it goes on."""
        self._watch.cancel()
        if self._process is not None:
            self._process.release()
        if not self.ended.done():
            self.ended.cancel()

    async def _mourn(self) -> None:
        if self._process is not None:
            await asyncio.wait([self._process.ended])
        exit_ = STOPPED if self._ending else await self._exit()
        if not self.ended.done():
            self.ended.set_result(exit_)

    async def _exit(self) -> Exit:
        try:
            fate = await self._cages.fate(self._name)
        except SandboxError as error:
            LOGGER.warning("how %s ended is not known: %s", self._name, error)
            return UNSEEN
        await asyncio.to_thread(self._log.write_text, fate.said)
        if fate.out_of_memory:
            return Exit(fate.code, OUT_OF_MEMORY)
        return exited(fate.code)


def _process(cage: Cage) -> KernelProcess | None:
    """How its end is noticed; `None` when it has ended already."""
    try:
        return KernelProcess(cage.pid) if cage.pid else None
    except ProcessLookupError:
        return None


class CagedKernels:
    """Launches containers; see `local.Launcher`."""

    def __init__(self, runtime: Path, records: Records, cages: Cages) -> None:
        self._runtime = runtime
        self._records = records
        self._cages = cages
        self._pool = Pool("isolated kernels", 2)

    async def launch(self, request: KernelRequest) -> Launched:
        """Write it down first, with no process: so the next daemon can end a half-made one."""
        if request.kernel != OWN_PYTHON or request.env_source:
            raise InvalidSpecError(
                "isolation", "an isolated room runs the Python of its image, and nothing else"
            )
        record = await self._pool.run(_FILES, self._prepare, request)
        try:
            cage = await self._cages.shut_in(
                cage_name(record.id),
                program_argv(),
                Path(record.connection_file).parent / INSIDE,
                request.env,
                network=request.isolation == "container+network",
            )
            record = await self._pool.run(_FILES, self._written, record, cage)
            return Launched(record, self._watched(record))
        except BaseException as error:
            await self._abandon(record, gone=isinstance(error, SandboxError))
            raise

    async def find(self, record: KernelRecord) -> CagedKernel:
        """Watch one of an earlier daemon. Raises `ProcessLookupError` when it has ended."""
        return self._watched(record)

    async def bury(self, record: KernelRecord) -> None:
        """End what may be left of one. Raises `SandboxError`s when the engine is away."""
        await self._cages.end(cage_name(record.id))

    async def aclose(self) -> None:
        """Let go of all of them; they go on."""
        await self._cages.aclose()
        self._pool.close()

    def _watched(self, record: KernelRecord) -> CagedKernel:
        cage = Cage(cage_name(record.id), record.pid)
        return CagedKernel(self._cages, cage, Path(record.log))

    def _prepare(self, request: KernelRequest) -> KernelRecord:
        kernel_id = new_id()
        folder = new_folder(self._runtime, kernel_id)
        log = self._records.log_of(kernel_id)
        connection = folder / "connection.json"
        record = KernelRecord(
            id=kernel_id,
            owner=request.owner,
            kernel=request.kernel,
            pid=0,
            started=0,
            connection_file=str(connection),
            log=str(log),
            interrupt_by_message=True,
            ready=request.ready,
            isolated=True,
        )
        try:
            log.touch(0o600)
            self._records.write(record)
            furnish(folder, connection, request.kernel)
        except OSError as error:
            self._records.forget(record)
            raise StartFailedError(request.owner, str(error)) from error
        return record

    def _written(self, record: KernelRecord, cage: Cage) -> KernelRecord:
        record = msgspec.structs.replace(record, pid=cage.pid, started=started_at(cage))
        self._records.write(record)
        return record

    async def _abandon(self, record: KernelRecord, *, gone: bool) -> None:
        """Nothing is left of a failure; of what nobody waits for any more something may be."""
        if not gone:
            await self.bury(record)
        await self._pool.run(_FILES, self._records.forget, record)


def started_at(cage: Cage) -> int:
    """When, in clock ticks since boot; 0 for one that has ended already."""
    found = stat(cage.pid)
    return found.started if found else 0


def cage_name(kernel_id: str) -> str:
    """What the container of that kernel is called."""
    return f"sandbox-tui-kernel-{kernel_id}"


def furnish(folder: Path, connection: Path, kernel_name: str) -> None:
    """Put into `folder` what a kernel needs inside, and beside it how it is reached. Blocks."""
    inside = folder / INSIDE
    inside.mkdir(mode=0o700)
    write_connection(connection, sockets=inside / "s", kernel_name=kernel_name)
    share(connection, inside)


def share(connection: Path, inside: Path) -> None:
    """The program of kernels, and the same connection as the kernel sees it."""
    said = json.loads(connection.read_bytes())
    own = inside / "connection.json"
    own.write_text(json.dumps({**said, "ip": f"{CAGE_FOLDER}/s"}))
    own.chmod(0o600)
    shutil.copyfile(PROGRAM, inside / PROGRAM.name)


def program_argv() -> tuple[str, ...]:
    """What runs inside."""
    return (
        "python3",
        os.path.join(CAGE_FOLDER, PROGRAM.name),  # noqa: PTH118  # a path of another machine
        "-f",
        f"{CAGE_FOLDER}/connection.json",
    )
