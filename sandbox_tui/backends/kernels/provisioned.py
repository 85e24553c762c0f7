"""Kernels that a kernelspec's own provisioner launches, wherever that does it.

Provisioners are foreign code, and what they may do is not bounded: they have a loop in a thread to
themselves. Nothing is known of such a kernel but what its provisioner tells, so that is asked now
and then.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol, TypeVar, cast

import msgspec

from sandbox_tui.backends.kernels.kernelspecs import find_spec
from sandbox_tui.backends.kernels.launch import KernelRequest, new_folder
from sandbox_tui.backends.kernels.local import Launched
from sandbox_tui.backends.kernels.process import GRACE, UNSEEN, Exit, exited, killed, stat
from sandbox_tui.backends.kernels.records import KernelRecord, Records, new_id
from sandbox_tui.model.errors import DeadlineError, SandboxError, StartFailedError
from sandbox_tui.runtime.pool import Pool
from sandbox_tui.runtime.portal import Portal

if TYPE_CHECKING:
    from zmq.asyncio import Context

LOGGER = logging.getLogger(__name__)

LAUNCHES = 60.0
"""Longest that a provisioner may take to launch a kernel, in seconds."""

LOOKS = 0.25
"""Seconds between two questions whether a kernel lives."""

INFO = "provisioner.json"
"""What a provisioner wants to be told when it is to take its kernel up again."""

_ENDS = 10.0
"""Longest that a provisioner may take to kill a kernel and to clean up, in seconds."""

_FILES = 20.0
"""Longest wait for the file system, in seconds."""

T = TypeVar("T")


class _Provisioner(Protocol):
    """What is used of `jupyter_client`'s `KernelProvisionerBase`."""

    async def poll(self) -> int | None: ...
    async def wait(self) -> int | None: ...
    async def send_signal(self, signum: int) -> None: ...
    async def kill(self) -> None: ...
    async def terminate(self) -> None: ...
    async def get_provisioner_info(self) -> dict[str, object]: ...
    async def load_provisioner_info(self, provisioner_info: dict[str, object]) -> None: ...


class _Manager(Protocol):
    """What is used of its `AsyncKernelManager`."""

    provisioner: _Provisioner | None
    kernel_spec: object

    async def start_kernel(self, **kwargs: object) -> None: ...
    async def cleanup_resources(self) -> None: ...
    def get_connection_info(self) -> dict[str, object]: ...
    def load_connection_file(self) -> None: ...


class Elsewhere:
    """The loop of all provisioners."""

    def __init__(self) -> None:
        self._portal: Portal | None = None
        self._context: Context | None = None

    @property
    def context(self) -> Context:
        """What the control sockets of all managers belong to; they end with it, kernels do not."""
        import zmq.asyncio

        if self._context is None:
            self._context = zmq.asyncio.Context()
        return self._context

    async def run(self, work: Coroutine[object, object, T], seconds: float | None) -> T:
        """Await it there. Raises `TimeoutError`, and whatever the provisioner raises."""
        if self._portal is None:
            self._portal = Portal()
        future = asyncio.run_coroutine_threadsafe(_foreign(work), self._portal.loop)
        async with asyncio.timeout(seconds):
            return await asyncio.wrap_future(future)

    async def aclose(self) -> None:
        """End it; what still runs there is cancelled, and what blocks there is left alone."""
        portal, self._portal = self._portal, None
        if portal is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(_ENDS):
                    await asyncio.to_thread(self._close, portal)

    def _close(self, portal: Portal) -> None:
        if self._context is not None:
            portal.loop.call_soon_threadsafe(self._context.destroy, 0)
        portal.close()


class ProvisionedKernel:
    """What runs such a kernel; see `process.Life`. Make it on the loop that watches it."""

    def __init__(self, elsewhere: Elsewhere, manager: _Manager) -> None:
        self._elsewhere = elsewhere
        self._manager = manager
        self._signals: set[asyncio.Task[None]] = set()
        self.ended: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()
        self._watch = asyncio.create_task(self._mourn(), name="watch a provisioned kernel")

    def signal(self, number: signal.Signals) -> None:
        """Have the provisioner pass it on; nobody waits for that."""
        if not self.ended.done():
            task = asyncio.create_task(self._order(_provisioner(self._manager).send_signal(number)))
            self._signals.add(task)
            task.add_done_callback(self._signals.discard)

    async def pause(self) -> None:
        """Nothing: none of them stands by."""

    async def resume(self) -> None:
        """Nothing: it was never frozen."""

    async def end(self, grace: float = GRACE) -> None:
        """Have it terminated, killed after `grace` seconds, and its provisioner clean up."""
        provisioner = _provisioner(self._manager)
        if grace > 0 and not self.ended.done():
            await self._order(provisioner.terminate())
            await asyncio.wait([self.ended], timeout=grace)
        if not self.ended.done():
            await self._order(provisioner.kill())
            await asyncio.wait([self.ended], timeout=_ENDS)
        await self._order(_cleaned_up(self._manager))
        self._stop_watching()

    def release(self) -> None:
        """Stop watching; it goes on."""
        self._stop_watching()
        if not self.ended.done():
            self.ended.cancel()

    async def _mourn(self) -> None:
        try:
            code = await self._elsewhere.run(_exit_code(_provisioner(self._manager)), None)
        except Exception:  # foreign code: one that cannot tell how it is counts as ended
            LOGGER.exception("a provisioner does not know how its kernel is")
            exit_ = UNSEEN
        else:
            exit_ = killed(-code) if code < 0 else exited(code)
        if not self.ended.done():
            self.ended.set_result(exit_)

    async def _order(self, work: Coroutine[object, object, object]) -> None:
        try:
            await self._elsewhere.run(work, _ENDS)
        except Exception as error:  # noqa: BLE001  # foreign code: the others go on
            LOGGER.warning("a provisioner failed: %s", str(error) or type(error).__name__)

    def _stop_watching(self) -> None:
        for task in (self._watch, *self._signals):
            task.cancel()


class ProvisionedKernels:
    """Launches by kernelspecs with a provisioner; see `local.Launcher`."""

    def __init__(self, runtime: Path, records: Records) -> None:
        self._runtime = runtime
        self._records = records
        self._elsewhere = Elsewhere()
        self._pool = Pool("provisioned kernels", 2)

    async def launch(self, request: KernelRequest) -> Launched:
        """Have it launched, and write down how it is found again."""
        record = await self._pool.run(_FILES, self._prepare, request)
        try:
            work = _launched(self._elsewhere, record, request)
            manager, record = await self._elsewhere.run(work, LAUNCHES)
            await self._pool.run(_FILES, self._records.write, record)
        except BaseException as error:
            await self._pool.run(_FILES, self._records.forget, record)
            if isinstance(error, Exception):
                raise _failure(request, error) from error
            raise
        return Launched(record, ProvisionedKernel(self._elsewhere, manager))

    async def find(self, record: KernelRecord) -> ProvisionedKernel:
        """Have its provisioner take it up again. Raises `ProcessLookupError` when it cannot."""
        try:
            manager = await self._elsewhere.run(_found(self._elsewhere, record), _ENDS)
        except Exception as error:
            LOGGER.warning("%s: its provisioner lost it: %s", record.owner, error)
            raise ProcessLookupError(record.id) from error
        return ProvisionedKernel(self._elsewhere, manager)

    async def bury(self, record: KernelRecord) -> None:
        """End what may be left of one."""
        with suppress(ProcessLookupError):
            await (await self.find(record)).end(0)

    async def aclose(self) -> None:
        """Let go of all of them; they go on."""
        await self._elsewhere.aclose()
        self._pool.close()

    def _prepare(self, request: KernelRequest) -> KernelRecord:
        kernel_id = new_id()
        return KernelRecord(
            id=kernel_id,
            owner=request.owner,
            kernel=request.kernel,
            pid=0,
            started=0,
            connection_file=str(new_folder(self._runtime, kernel_id) / "connection.json"),
            log=str(self._records.log_of(kernel_id)),
            provisioned=True,
        )


# --- what runs on the loop of the provisioners ------------------------------------------------


async def _foreign(work: Coroutine[object, object, T]) -> T:
    """Whatever it is, on this loop it may block."""
    return await work


async def _launched(
    elsewhere: Elsewhere, record: KernelRecord, request: KernelRequest
) -> tuple[_Manager, KernelRecord]:
    manager = _manager(elsewhere, record)
    env = {**os.environ, **request.env}
    with _appending(record.log) as said:
        await manager.start_kernel(env=env, cwd=request.working_dir, stdout=said, stderr=said)
    provisioner = _provisioner(manager)
    folder = Path(record.connection_file).parent
    _write(folder / "connection.json", manager.get_connection_info())
    _write(folder / INFO, await provisioner.get_provisioner_info())
    return manager, _with_process(record, manager)


async def _found(elsewhere: Elsewhere, record: KernelRecord) -> _Manager:
    from jupyter_client.provisioning.factory import KernelProvisionerFactory

    manager = _manager(elsewhere, record)
    manager.load_connection_file()
    factory = KernelProvisionerFactory.instance()
    made = factory.create_provisioner_instance(record.id, manager.kernel_spec, parent=manager)
    manager.provisioner = provisioner = cast(_Provisioner, made)
    info = json.loads((Path(record.connection_file).parent / INFO).read_bytes())
    await provisioner.load_provisioner_info(info)
    if await provisioner.poll() is not None:
        raise ProcessLookupError(record.id)
    return manager


async def _exit_code(provisioner: _Provisioner) -> int:
    while (code := await provisioner.poll()) is None:  # noqa: ASYNC110  # nothing tells
        await asyncio.sleep(LOOKS)
    return code


async def _cleaned_up(manager: _Manager) -> None:
    await _provisioner(manager).wait()
    await manager.cleanup_resources()


def _appending(log: str) -> BinaryIO:
    return Path(log).open("ab")


def _manager(elsewhere: Elsewhere, record: KernelRecord) -> _Manager:
    from jupyter_client.manager import AsyncKernelManager

    class Passing(AsyncKernelManager):
        """One whose end is not the end of its kernel: the connection file stays."""

        def cleanup_connection_file(self) -> None: ...

    made = Passing(
        context=elsewhere.context,
        kernel_name=record.kernel,
        kernel_id=record.id,
        connection_file=record.connection_file,
    )
    return cast(_Manager, made)


def _provisioner(manager: _Manager) -> _Provisioner:
    if manager.provisioner is None:
        raise ProcessLookupError("it was never launched")
    return manager.provisioner


def _with_process(record: KernelRecord, manager: _Manager) -> KernelRecord:
    """With its process, when that is one of this machine, and how it is interrupted."""
    from jupyter_client.provisioning.local_provisioner import LocalProvisioner

    here = isinstance(manager.provisioner, LocalProvisioner)
    pid = cast("int | None", getattr(manager.provisioner, "pid", None)) if here else None
    process = stat(pid) if pid else None
    return msgspec.structs.replace(
        record,
        pid=process.pid if process else 0,
        started=process.started if process else 0,
        interrupt_by_message=find_spec(record.kernel).interrupt_by_message,
    )


def _write(path: Path, told: object) -> None:
    """For its user only: there is the key in it."""
    said = json.dumps(told, default=bytes.decode)
    path.touch(0o600)
    path.write_text(said)


def _failure(request: KernelRequest, error: Exception) -> SandboxError:
    if isinstance(error, TimeoutError):
        return DeadlineError(f"launch {request.kernel}", LAUNCHES)
    return StartFailedError(request.owner, str(error) or type(error).__name__)
