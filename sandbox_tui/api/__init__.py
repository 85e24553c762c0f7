"""The headless API: `connect()` for asyncio, `blocking()` for everybody else."""

from sandbox_tui.api.client import blocking, connect

__all__ = ["blocking", "connect"]
