"""Kernels that stand by, so that a room opens at once; made again when nobody is disturbed.

Three levels: a ready kernel, else one that is forked, else a cold start. The latter two are the
launchers' business; here is only who waits, who is taken, and when the next ones are made.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from typing import Protocol

from sandbox_tui.backends.kernels.client import Listener
from sandbox_tui.backends.kernels.kernel import Kernel, KernelStatus
from sandbox_tui.backends.kernels.messages import Event
from sandbox_tui.model.errors import SandboxError
from sandbox_tui.model.pools import PoolState
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.runtime.pulse import Pulse

LOGGER = logging.getLogger(__name__)

LULL = 0.5
"""Seconds without news from any kernel before one is made."""

PATIENCE = 10.0
"""Seconds that code which runs on and on can put off making one."""

TRIES = 3
"""Failures in a row after which no more are made, until the pool is flushed."""


class Maker(Protocol):
    """Who makes and ends what stands ready."""

    async def make(self, environment: str, audience: Audience) -> Kernel:
        """A kernel that answers. Raises `SandboxError`s."""
        ...

    async def end(self, kernel: Kernel) -> None:
        """End it for certain."""
        ...


class Audience:
    """Passes on what a kernel tells: to the pool always, and to a room once it has one."""

    def __init__(self, stir: Callable[[], None]) -> None:
        self.listener: Listener | None = None
        self._stir = stir

    def heard(self, execution: Execution | None, event: Event) -> None:
        """What a kernel says that serves nobody yet is lost."""
        if self.listener is not None:
            self.listener.heard(execution, event)

    def changed(self) -> None:
        """It does something else now."""
        self._stir()
        if self.listener is not None:
            self.listener.changed()


class Standby:
    """One that is ready, and through whom it speaks."""

    def __init__(self, kernel: Kernel, audience: Audience) -> None:
        self.kernel = kernel
        self.audience = audience


class ReadyKernels:
    """As many of each environment as is wanted; `disturbs` tells whether something runs now."""

    def __init__(self, maker: Maker, disturbs: Callable[[], bool]) -> None:
        self._maker = maker
        self._sizes: dict[str, int] = {}
        self._disturbs = disturbs
        self._waiting: dict[str, list[Standby]] = {}
        self._dead: list[Kernel] = []
        self._warming = ""
        self._failures: Counter[str] = Counter()
        self._problems: dict[str, str] = {}
        self._pulse = Pulse()
        self._refilling: asyncio.Task[None] | None = None

    @property
    def states(self) -> tuple[PoolState, ...]:
        """How many there are of each."""
        self._set_dead_aside()
        return tuple(self._state(key) for key in self._sizes)

    def want(self, environment: str, size: int) -> None:
        """From now on there should be so many of that one."""
        if size > self._sizes.get(environment, 0):
            self._sizes[environment] = size
            self._waiting.setdefault(environment, [])
        if self._refilling is None and any(self._sizes.values()):
            self._refilling = asyncio.create_task(self._refill(), name="ready kernels")
        self.stir()

    def take(self, environment: str) -> Standby | None:
        """One that lives, if one waits: the newest, as the first was made before all was warm."""
        self._set_dead_aside()
        waiting = self._waiting.get(environment)
        return waiting.pop() if waiting else None

    def stir(self) -> None:
        """Something happened on this host."""
        self._pulse.fire()

    async def flush(self) -> None:
        """End them all; the next ones are made as if for the first time."""
        every = [standby.kernel for waiting in self._waiting.values() for standby in waiting]
        every += self._dead
        for waiting in (*self._waiting.values(), self._dead):
            waiting.clear()
        self._failures.clear()
        self._problems.clear()
        ends = (self._maker.end(kernel) for kernel in every)
        for problem in await asyncio.gather(*ends, return_exceptions=True):
            if problem is not None:  # the next host ends it, by its record
                LOGGER.warning("a ready kernel did not end: %s", problem)
        self.stir()

    async def aclose(self) -> None:
        """End them all and make no more."""
        if self._refilling is not None:
            self._refilling.cancel()
            await asyncio.gather(self._refilling, return_exceptions=True)
        await self.flush()

    def _state(self, key: str) -> PoolState:
        return PoolState(
            environment=key,
            size=self._sizes[key],
            available=len(self._waiting[key]),
            warming=int(self._warming == key),
            problem=self._problems.get(key, ""),
        )

    def _lacking(self) -> str | None:
        short = {
            key: len(self._waiting[key])
            for key, size in self._sizes.items()
            if len(self._waiting[key]) < size and self._failures[key] < TRIES
        }
        return min(short, key=lambda key: short[key], default=None)

    async def _refill(self) -> None:
        while True:
            self._set_dead_aside()
            while self._dead:
                await self._end(self._dead.pop())
            key = self._lacking()
            if key is None:
                await self._pulse.wait()
                continue
            await self._calm()
            await self._make(key)

    async def _end(self, kernel: Kernel) -> None:
        try:
            await self._maker.end(kernel)
        except Exception:  # a worker's edge: the next ones are made all the same
            LOGGER.exception("a ready kernel that died")

    async def _make(self, key: str) -> None:
        self._warming = key
        audience = Audience(self.stir)
        try:
            kernel = await self._maker.make(key, audience)
        except Exception as error:  # noqa: BLE001  # a worker's edge: rooms can do without it
            self._failures[key] += 1
            self._problems[key] = error.message if isinstance(error, SandboxError) else str(error)
            LOGGER.warning("no ready kernel of %s: %s", key, self._problems[key])
        else:
            self._failures.pop(key, None)
            self._problems.pop(key, None)
            self._waiting[key].append(Standby(kernel, audience))
        finally:
            self._warming = ""

    def _set_dead_aside(self) -> None:
        for key, waiting in self._waiting.items():
            for standby in [one for one in waiting if one.kernel.status is KernelStatus.DEAD]:
                waiting.remove(standby)
                self._dead.append(standby.kernel)
                self._failures[key] += 1

    async def _calm(self) -> None:
        """Return when nothing runs and nothing has happened for a moment, or when it must be."""
        loop = asyncio.get_running_loop()
        until = loop.time() + PATIENCE
        while (left := until - loop.time()) > 0:
            try:
                async with asyncio.timeout(left if self._disturbs() else min(LULL, left)):
                    await self._pulse.wait()
            except TimeoutError:
                return
