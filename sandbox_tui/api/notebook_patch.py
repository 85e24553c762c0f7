"""Two notebooks and what lies between them, so that a cell travels only when it changed.

A room that prints is shown many times a second, and every picture holds the outputs of every cell.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

from sandbox_tui.api.progress import PACE
from sandbox_tui.api.requests import NotebookPatch
from sandbox_tui.model.cells import Notebook, NotebookCell
from sandbox_tui.model.refs import Ref
from sandbox_tui.runtime.streams import closing


def difference(before: Notebook | None, after: Notebook) -> NotebookPatch:
    """What turns `before` into `after`."""
    old = _by_id(before)
    changed = [entry for entry in after.cells if old.get(entry.cell.id) != entry]
    order = tuple(entry.cell.id for entry in after.cells)
    return NotebookPatch(after.revision, order, tuple(changed))


def patched(ref: Ref, before: Notebook | None, patch: NotebookPatch) -> Notebook:
    """`before` with `patch` applied."""
    cells = _by_id(before) | {entry.cell.id: entry for entry in patch.changed}
    return Notebook(ref, patch.revision, tuple(cells[cell_id] for cell_id in patch.order))


async def patches(source: AsyncIterator[Notebook]) -> AsyncGenerator[NotebookPatch]:
    """Each notebook of `source` as what is new in it, not more often than a person can see."""
    before: Notebook | None = None
    async with closing(source) as notebooks:
        async for after in notebooks:
            yield difference(before, after)
            before = after
            await asyncio.sleep(PACE)


def _by_id(notebook: Notebook | None) -> dict[str, NotebookCell]:
    return {entry.cell.id: entry for entry in notebook.cells} if notebook else {}
