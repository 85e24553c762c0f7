"""Kernels that are processes of this machine: forked from a warm one, or started cold."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import NamedTuple, Protocol

from sandbox_tui.backends.kernels.environments import INSTALLS, PREWARMED, Environment, Environments
from sandbox_tui.backends.kernels.launch import (
    OWN_PYTHON,
    KernelRequest,
    Plan,
    abandon,
    prepare,
    spawn,
    written,
)
from sandbox_tui.backends.kernels.process import KernelProcess, Life
from sandbox_tui.backends.kernels.records import KernelRecord, Records
from sandbox_tui.backends.kernels.zygote import Zygote, ZygoteLostError
from sandbox_tui.runtime.pool import Pool

_FILES = 20.0
"""Longest wait for the file system, in seconds."""


class Launched(NamedTuple):
    """A process that was started, and how it is watched."""

    record: KernelRecord
    life: Life


class Launcher(Protocol):
    """One way in which kernels come to be."""

    async def launch(self, request: KernelRequest) -> Launched:
        """Start one and write it down; does not wait for its first word.

        Raises `SandboxError`s; nothing is left behind then.
        """
        ...

    async def find(self, record: KernelRecord) -> Life:
        """Watch one of an earlier daemon. Raises `ProcessLookupError` when it has ended."""
        ...

    async def aclose(self) -> None:
        """Let go of all of them; they go on."""
        ...


class LocalKernels:
    """Launches processes; see `Launcher`."""

    def __init__(self, runtime: Path, records: Records) -> None:
        self._runtime = runtime
        self._records = records
        self._environments = Environments(records.folder)
        self._pool = Pool("kernel files", 4)
        self._installing = Pool("environments", 2)
        self._zygotes: dict[str, Zygote] = {}
        self._warming = asyncio.Lock()

    @property
    def has_template(self) -> bool:
        """Whether `uv:prewarmed` was ever asked for here."""
        return self._environments.has_template

    async def launch(self, request: KernelRequest) -> Launched:
        """Fork it if that can be, else start it cold."""
        environment = await self._environment(request)
        plan = await self._installing.run(
            INSTALLS, prepare, request, environment, self._runtime, self._records
        )
        try:
            return await self._forked(plan, environment) or await self._spawned(plan)
        except asyncio.CancelledError:
            await self._pool.run(_FILES, abandon, plan, self._records)
            raise

    async def find(self, record: KernelRecord) -> Life:
        """Watch the process by its id."""
        return KernelProcess(record.pid)

    def claim(self, record: KernelRecord) -> None:
        """That kernel stands by no more."""
        for zygote in self._zygotes.values():
            zygote.claim(record.pid)

    async def warm(self, request: KernelRequest) -> None:
        """Have a process from which kernels like that one can be forked.

        One that is there already is given the time to learn first: what it knows its kernels know.
        """
        environment = await self._environment(request)
        if environment is None:
            return
        async with self._warming:
            old = self._zygotes.get(environment.python)
            if old is not None and not old.lost:
                await old.learn()
                return
            if old is not None:
                await old.end()
            zygote = await Zygote.begin(environment.python, self._records.folder / "zygote.log")
            self._zygotes[environment.python] = zygote
            await zygote.warm()

    async def aclose(self) -> None:
        """End the zygotes; kernels go on."""
        await asyncio.gather(*(zygote.end() for zygote in self._zygotes.values()))
        self._zygotes.clear()
        self._pool.close()
        self._installing.close()

    async def _environment(self, request: KernelRequest) -> Environment | None:
        """Only of Python kernels; a kernelspec has its own interpreter."""
        if request.kernel != OWN_PYTHON:
            return None
        return await self._installing.run(
            INSTALLS,
            self._environments.resolve,
            request.env_source,
            request.packages,
            request.working_dir,
            request.owner,
        )

    async def _forked(self, plan: Plan, environment: Environment | None) -> Launched | None:
        zygote = self._zygotes.get(environment.python) if environment else None
        if zygote is None or not zygote.ready or plan.request.needs_fresh_process:
            return None
        try:
            forked = await zygote.fork(plan.order)
        except ZygoteLostError:
            return None
        life = KernelProcess(forked.pid, forked.told)
        return Launched(
            await self._pool.run(_FILES, written, plan, forked.pid, self._records), life
        )

    async def _spawned(self, plan: Plan) -> Launched:
        record = await self._pool.run(_FILES, spawn, plan, self._records)
        return Launched(record, KernelProcess(record.pid))


def environment_name(request: KernelRequest) -> str | None:
    """Which ready kernel would do for that request; `None` when none ever does."""
    if request.kernel != OWN_PYTHON or request.needs_fresh_process:
        return None
    if request.isolation != "none":
        return request.isolation if not request.env_source else None
    return {"": OWN_PYTHON, PREWARMED: PREWARMED}.get(request.env_source)
