"""The daemon as a whole: whether it lives, which rooms it has, and its ready kernels."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypedDict, cast

from sandbox_tui.api import daemon
from sandbox_tui.api.daemon_home import DaemonHome
from sandbox_tui.api.remote import RemoteApi
from sandbox_tui.api.rooms.errors import spoken
from sandbox_tui.api.rooms.session import portal
from sandbox_tui.model.actions import FlushPool, PoolStatus
from sandbox_tui.model.errors import BackendUnavailableError
from sandbox_tui.model.pools import PoolState
from sandbox_tui.model.refs import Kind
from sandbox_tui.model.world import RoomFacts, Sandbox, State
from sandbox_tui.runtime.portal import Blocking, blocking

KERNEL_STATUS = {
    State.IDLE: "idle",
    State.BUSY: "busy",
    State.STARTING: "starting",
    State.FAILED: "error",
}


class RoomRow(TypedDict):
    """One room of `list_rooms`."""

    notebook_id: str
    active_peers: int
    has_kernel: bool
    kernel_type: str
    kernel_status: str
    """`idle`, `busy`, `starting`, `error`, or `not_started`."""
    env_source: str


class PoolCounts(TypedDict):
    """How many kernels stand ready, and how many are on their way."""

    uv_available: int
    """For `start_kernel()` as it is by default."""
    uv_warming: int
    conda_available: int
    """Always 0: none of conda's are kept ready."""
    conda_warming: int


class AsyncDaemonClient:
    """Asks the daemon of `socket` (by default where it always is), and never starts one."""

    def __init__(self, socket: str | Path | None = None) -> None:
        self._path = DaemonHome.at(Path(socket) if socket is not None else None).socket

    async def ping(self) -> bool:
        """Whether it answers."""
        try:
            async with self._connected():
                return True
        except BackendUnavailableError:
            return False

    async def is_running(self) -> bool:
        """Whether there is a process that listens."""
        try:
            home = DaemonHome.at(self._path)
            return await asyncio.to_thread(daemon.daemon_pid, home) is not None
        except BackendUnavailableError:
            return False

    @spoken
    async def list_rooms(self) -> list[RoomRow]:
        """Every room of its own, with or without a kernel."""
        async with self._connected() as api:
            rooms = (await api.settled()).of(Kind.ROOM)
        return [_row(box, box.facts) for box in rooms if isinstance(box.facts, RoomFacts)]

    @spoken
    async def status(self) -> PoolCounts:
        """Its ready kernels."""
        async with self._connected() as api:
            return _counts(cast(tuple[PoolState, ...], await api.perform(PoolStatus())))

    @spoken
    async def flush_pool(self) -> None:
        """End the kernels that only stand ready; new ones are made."""
        async with self._connected() as api:
            await api.perform(FlushPool())

    @spoken
    async def shutdown(self) -> None:
        """Stop it, and the kernels of its rooms; the cells stay. Nothing when none runs."""
        await daemon.stop(self._path)

    @asynccontextmanager
    async def _connected(self) -> AsyncGenerator[RemoteApi]:
        api = await RemoteApi.connect(self._path)
        try:
            yield api
        finally:
            await api.aclose()


class DaemonClient(Blocking[AsyncDaemonClient]):
    """See `AsyncDaemonClient`: the same methods, waiting."""

    def __init__(self, socket: str | Path | None = None) -> None:
        super().__init__(AsyncDaemonClient(socket), portal())

    ping = blocking(AsyncDaemonClient.ping)
    is_running = blocking(AsyncDaemonClient.is_running)
    list_rooms = blocking(AsyncDaemonClient.list_rooms)
    status = blocking(AsyncDaemonClient.status)
    flush_pool = blocking(AsyncDaemonClient.flush_pool)
    shutdown = blocking(AsyncDaemonClient.shutdown)


def _counts(states: Sequence[PoolState]) -> PoolCounts:
    """Without uv the default is the daemon's own environment."""
    pools = {state.environment: state for state in states}
    pool = pools.get("uv:prewarmed") or pools.get("python")
    return PoolCounts(
        uv_available=pool.available if pool else 0,
        uv_warming=pool.warming if pool else 0,
        conda_available=0,
        conda_warming=0,
    )


def _row(box: Sandbox, facts: RoomFacts) -> RoomRow:
    return RoomRow(
        notebook_id=box.ref.name,
        active_peers=facts.peers,
        has_kernel=box.state.is_live,
        kernel_type=facts.kernel,
        kernel_status=KERNEL_STATUS.get(box.state, "not_started"),
        env_source=facts.env_source,
    )
