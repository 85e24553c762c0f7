"""The way into a room, for every Api."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from sandbox_tui.documents.line import Line

if TYPE_CHECKING:
    from sandbox_tui.api.room import Again, Room


async def enter(line: Line, again: Again | None = None) -> Room:
    """See `Room.enter`."""
    return await (await asyncio.to_thread(_room)).enter(line, again)


def _room() -> type[Room]:
    """Imported in a thread: documents bring a library that reads files when it is loaded."""
    from sandbox_tui.api.room import Room

    return Room
