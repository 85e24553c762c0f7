"""Work that goes on beside a block of code, and not a moment longer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Coroutine
from typing import Any


@contextlib.asynccontextmanager
async def beside(work: Coroutine[Any, Any, None], name: str) -> AsyncGenerator[None]:
    """`work` as a task, which has ended when the block has; what it failed of is raised then.

    Not a TaskGroup: the block may be entered and left by different tasks, as a sync face does.
    """
    task = asyncio.create_task(work, name=name)
    try:
        await asyncio.sleep(0)  # what never began would not tidy up either
        yield
    finally:
        task.cancel()
        await _ended(task)
    if not task.cancelled():
        task.result()


async def _ended(task: asyncio.Task[None]) -> None:
    """Wait for its end in any case, and only then be cancelled."""
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
