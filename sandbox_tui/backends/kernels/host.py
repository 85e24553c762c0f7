"""Launches kernels, keeps some ready, and finds again those that an earlier daemon left running."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from sandbox_tui.backends.cages import Cages
from sandbox_tui.backends.kernels.caged import CagedKernels
from sandbox_tui.backends.kernels.client import Listener
from sandbox_tui.backends.kernels.connection import read_connection
from sandbox_tui.backends.kernels.environments import PREWARMED, meant
from sandbox_tui.backends.kernels.kernel import Kernel, KernelStatus
from sandbox_tui.backends.kernels.kernelspecs import find_spec
from sandbox_tui.backends.kernels.launch import (
    ISOLATIONS,
    NOBODY,
    OWN_PYTHON,
    KernelRequest,
    checked_folder,
)
from sandbox_tui.backends.kernels.local import Launched, Launcher, LocalKernels, environment_name
from sandbox_tui.backends.kernels.provisioned import ProvisionedKernels
from sandbox_tui.backends.kernels.ready import Audience, ReadyKernels
from sandbox_tui.backends.kernels.records import KernelRecord, Records
from sandbox_tui.backends.kernels.settling import FIRST_STEPS, settling
from sandbox_tui.backends.kernels.wire import new_context
from sandbox_tui.model.errors import InvalidSpecError, SandboxError, StartFailedError
from sandbox_tui.model.pools import PoolState
from sandbox_tui.runtime.pool import Pool

if TYPE_CHECKING:
    from zmq.asyncio import Context

LOGGER = logging.getLogger(__name__)

START_TIMEOUT = 60.0
"""Seconds that a new kernel has for its first answer."""

REJOIN_TIMEOUT = 0.5
"""Seconds after which a kernel that was found again and does not answer counts as busy."""

_TOLD = 20
"""Lines of a kernel's own output that explain why it did not come up."""

_UNDONE = 5.0
"""Longest wait at the end for launches that were called off, in seconds."""

_FILES = 20.0
"""Longest wait for the file system and the first import of zmq, in seconds."""


class Adoption(NamedTuple):
    """What became of the kernels of an earlier daemon."""

    living: list[Kernel]
    dead: list[KernelRecord]


class KernelHost:
    """`runtime` holds sockets and connection files, `state` what must outlive a daemon.

    Both are absolute: below them whole folders are removed.
    `pool` is how many kernels of each environment stand ready; 0 keeps nothing warm at all.
    Without `cages` there are no isolated kernels.
    """

    def __init__(
        self,
        runtime: Path,
        state: Path,
        *,
        pool: int = 0,
        isolation: str = "",
        cages: Cages | None = None,
    ) -> None:
        self._records = Records(state)
        self._pool = Pool("kernels", 4)
        self._kernels: dict[str, Kernel] = {}
        self._context: Context | None = None
        self._local = LocalKernels(runtime, self._records)
        self._caged = CagedKernels(runtime, self._records, cages) if cages else None
        self._provisioned = ProvisionedKernels(runtime, self._records)
        self._size = pool
        self._isolation = isolation or "none"
        self._starting = 0
        self._undoing: set[asyncio.Task[None]] = set()
        self._ready = ReadyKernels(self, self._disturbs)

    # --- ready kernels --------------------------------------------------------------------------

    async def warm(self) -> None:
        """Begin to keep kernels ready, in the background."""
        if self._size:
            self._want(OWN_PYTHON if self._isolation == "none" else self._isolation)
        if self._size and await self._pool.run(_FILES, lambda: self._local.has_template):
            self._want(PREWARMED)

    @property
    def pools(self) -> tuple[PoolState, ...]:
        """The ready kernels of each environment."""
        return self._ready.states

    async def flush_pool(self) -> None:
        """End every kernel that only stands ready; new ones are made."""
        await self._ready.flush()

    async def make(self, environment: str, audience: Audience) -> Kernel:
        """A kernel that stands ready; see `ready.Maker`."""
        request = _standing(environment)
        if request.isolation == "none":
            await self._local.warm(request)
        kernel = await self._raise(request, audience, START_TIMEOUT)
        try:
            await kernel.prepare(FIRST_STEPS)
            await kernel.rest()
        except BaseException:
            await self.end(kernel)
            raise
        return kernel

    def _want(self, environment: str) -> None:
        self._ready.want(environment, self._size)

    # --- kernels ------------------------------------------------------------------------------

    async def start(
        self, request: KernelRequest, listener: Listener, *, timeout: float = START_TIMEOUT
    ) -> Kernel:
        """A ready kernel, or a new one that has answered within `timeout` seconds.

        Raises `InvalidSpecError` for a kernel that is not installed, and `StartFailedError` with
        what the process said for one that does not come up; nothing is left of it then.
        """
        request = await self._complete(request)
        self._starting += 1
        try:
            kernel = await self._claim(request, listener)
            if kernel is not None:
                return kernel
            audience = Audience(self._ready.stir)
            audience.listener = listener
            return await self._raise(request, audience, timeout)
        finally:
            self._starting -= 1
            self._ready.stir()

    async def adopt(self, listener_of: Callable[[KernelRecord], Listener]) -> Adoption:
        """Join every recorded kernel that lives; forget those that do not.

        Ended are those that only stood ready, and those that cannot be reached any more, their
        connection file being gone.
        """
        adoption = Adoption([], [])
        await self._pool.run(_FILES, self._records.end_unrecorded)
        for record in await self._pool.run(_FILES, self._records.read):
            if record.ready:
                await self._bury(record)
                continue
            try:
                adoption.living.append(await self._find(record, listener_of))
            except (ProcessLookupError, FileNotFoundError, msgspec.MsgspecError):
                adoption.dead.append(record)
                await self._bury(record)
        await asyncio.gather(*(kernel.rejoin(REJOIN_TIMEOUT) for kernel in adoption.living))
        return adoption

    async def end(self, kernel: Kernel, *, grace: float = 0.3) -> None:
        """Stop it for certain and remove its files."""
        await kernel.stop(grace)
        self._kernels.pop(kernel.record.id, None)
        await self._pool.run(_FILES, self._records.forget, kernel.record)
        self._ready.stir()

    async def tend(self) -> None:
        """What has to be done now and then: keep logs short."""
        for kernel in list(self._kernels.values()):
            await kernel.tend()

    async def aclose(self) -> None:
        """Let go of every kernel; they go on running and can be adopted."""
        await self._ready.aclose()
        await self._undone()
        await asyncio.gather(*(kernel.release() for kernel in self._kernels.values()))
        self._kernels.clear()
        await self._local.aclose()
        await self._provisioned.aclose()
        if self._caged is not None:
            await self._caged.aclose()
        context, self._context = self._context, None
        if context is not None:
            await self._pool.run(_FILES, context.term)
        self._pool.close()

    # --- inside -------------------------------------------------------------------------------

    def _disturbs(self) -> bool:
        busy = (kernel.status is KernelStatus.BUSY for kernel in self._kernels.values())
        return bool(self._starting) or any(busy)

    async def _complete(self, request: KernelRequest) -> KernelRequest:
        """Checked, and with this host's defaults."""
        isolation = request.isolation or self._isolation
        if isolation not in ISOLATIONS:
            reason = f"{isolation!r} is none of {', '.join(ISOLATIONS)}"
            raise InvalidSpecError("isolation", reason)
        request = msgspec.structs.replace(request, isolation=isolation)
        return await self._pool.run(_FILES, _looked_up, request)

    async def _claim(self, request: KernelRequest, listener: Listener) -> Kernel | None:
        """A ready kernel, moved to where it is wanted; one that cannot be moved is ended."""
        environment = environment_name(request)
        if environment is None or not self._size:
            return None
        self._want(environment)
        standby = self._ready.take(environment)
        if standby is None:
            return None
        kernel = standby.kernel
        record = msgspec.structs.replace(kernel.record, owner=request.owner, ready=False)
        try:
            settled, _ = await asyncio.gather(
                kernel.settle(record, settling(request)),
                self._pool.run(_FILES, self._records.write, record),
            )
        except SandboxError:  # the engine does not let it go on: perhaps it makes another one
            settled = False
        except BaseException:
            await self.end(kernel)
            raise
        if not settled:
            await self.end(kernel)
            return None
        self._local.claim(record)
        standby.audience.listener = listener
        return kernel

    async def _raise(self, request: KernelRequest, audience: Audience, timeout: float) -> Kernel:
        """Launch, and wait for the first answer."""
        launching = asyncio.create_task(self._launch(request, audience), name="launch")
        try:
            kernel = await asyncio.shield(launching)
        except asyncio.CancelledError:
            self._undo(launching)
            raise
        try:
            answers = await kernel.ready(timeout)
        except asyncio.CancelledError:
            await self.end(kernel)
            raise
        if not answers:
            reason = await _why(kernel, timeout)
            await self.end(kernel)
            raise StartFailedError(request.owner, reason)
        return kernel

    async def _launch(self, request: KernelRequest, audience: Audience) -> Kernel:
        launcher = await self._pool.run(_FILES, self._launcher_for, request)
        launched = await launcher.launch(request)
        try:
            return await self._join(launched, audience)
        except BaseException:
            await self._bury(launched.record)
            raise

    def _undo(self, launching: asyncio.Task[Kernel]) -> None:
        """End what nobody waits for any more; a thread that starts it cannot be called off."""
        undoing = asyncio.create_task(self._undo_once_there(launching), name="undo a launch")
        self._undoing.add(undoing)
        undoing.add_done_callback(self._undoing.discard)

    async def _undo_once_there(self, launching: asyncio.Task[Kernel]) -> None:
        try:
            await asyncio.wait([launching])
        finally:
            launching.cancel()
        if not launching.cancelled() and launching.exception() is None:
            await self.end(launching.result())

    async def _undone(self) -> None:
        """Return when nothing is being undone; an installation is not waited for."""
        if self._undoing:
            _, late = await asyncio.wait(self._undoing, timeout=_UNDONE)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _launcher_for(self, request: KernelRequest) -> Launcher:
        """Blocks: what a kernelspec wants to be launched by is in its file."""
        isolated = request.isolation != "none"
        plain = isolated or request.kernel == OWN_PYTHON
        provisioned = not plain and find_spec(request.kernel).is_provisioned
        return self._launcher(isolated=isolated, provisioned=provisioned)

    def _launcher(self, *, isolated: bool, provisioned: bool) -> Launcher:
        if provisioned:
            return self._provisioned
        if not isolated:
            return self._local
        if self._caged is None:
            raise InvalidSpecError("isolation", "there is no engine here to isolate kernels with")
        return self._caged

    async def _find(
        self, record: KernelRecord, listener_of: Callable[[KernelRecord], Listener]
    ) -> Kernel:
        await self._pool.run(_FILES, record.check)
        launcher = self._launcher(isolated=record.isolated, provisioned=record.provisioned)
        life = await launcher.find(record)
        audience = Audience(self._ready.stir)
        audience.listener = listener_of(record)
        return await self._join(Launched(record, life), audience)

    async def _join(self, launched: Launched, listener: Listener) -> Kernel:
        if self._context is None:
            self._context = await self._pool.run(_FILES, new_context)
        record, life = launched
        path = Path(record.connection_file)
        connection = await self._pool.run(_FILES, read_connection, path)
        kernel = Kernel(record, connection, self._context, listener, self._pool, life)
        self._kernels[record.id] = kernel
        return kernel

    async def _bury(self, record: KernelRecord) -> None:
        if record.isolated and self._caged is not None:
            try:
                await self._caged.bury(record)
            except SandboxError as error:
                LOGGER.warning("an isolated kernel stays until the engine is back: %s", error)
                return
        elif record.provisioned:
            await self._provisioned.bury(record)
        elif not record.isolated:
            await self._pool.run(_FILES, record.end)
        await self._pool.run(_FILES, self._records.forget, record)


def _looked_up(request: KernelRequest) -> KernelRequest:
    folder = checked_folder(request.working_dir)
    source = meant(request.env_source, isolated=request.isolation != "none")
    return msgspec.structs.replace(request, working_dir=folder, env_source=source)


def _standing(environment: str) -> KernelRequest:
    """A request for a kernel of nobody's yet."""
    if environment in ISOLATIONS:
        return KernelRequest(owner=NOBODY, ready=True, isolation=environment)
    source = "" if environment == OWN_PYTHON else environment
    return KernelRequest(owner=NOBODY, ready=True, isolation="none", env_source=source)


async def _why(kernel: Kernel, timeout: float) -> str:
    said = "\n".join((await kernel.log()).splitlines()[-_TOLD:])
    fate = kernel.exit.reason if kernel.exit else f"no answer within {timeout:g} s"
    return f"{fate}\n{said}" if said else fate
