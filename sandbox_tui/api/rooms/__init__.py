"""Shared notebooks with a live kernel, by the names that users of `runtimed` know.

One asynchronous implementation; `Session`, `Execution` and `DaemonClient` are its sync faces.
"""

from __future__ import annotations

from sandbox_tui.api.rooms.client import AsyncDaemonClient, DaemonClient
from sandbox_tui.api.rooms.errors import RoomError
from sandbox_tui.api.rooms.executions import AsyncExecution, Execution
from sandbox_tui.api.rooms.results import Cell, ExecutionResult, Output
from sandbox_tui.api.rooms.session import Session
from sandbox_tui.api.rooms.session_async import AsyncSession
from sandbox_tui.api.rooms.sidecar import Sidecar, sidecar

RuntimedError = RoomError

__all__ = (
    "AsyncDaemonClient",
    "AsyncExecution",
    "AsyncSession",
    "Cell",
    "DaemonClient",
    "Execution",
    "ExecutionResult",
    "Output",
    "RoomError",
    "RuntimedError",
    "Session",
    "Sidecar",
    "sidecar",
)
