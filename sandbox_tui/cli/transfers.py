"""A copy on this terminal: one line on stderr that says how far it is, where somebody sees it."""

from __future__ import annotations

import asyncio
import os
import sys

from sandbox_tui.cli.escapes import columns, visible
from sandbox_tui.cli.frame import Frame
from sandbox_tui.runtime.transfer import Transfer


async def carried(frame: Frame, transfer: Transfer) -> str:
    """Wait for it, and answer with what was made; Ctrl-C ends it and what it had begun."""
    shown = sys.stderr.isatty() and not (frame.quiet or frame.json)
    try:
        async for progress in transfer:
            if shown:
                _draw(visible(f"{progress}  {transfer.title}".strip()))
        return await transfer
    except asyncio.CancelledError:
        await transfer.cancel()
        raise
    finally:
        if shown:
            _draw("")


def _draw(line: str) -> None:
    """In place of the line before; never so long that it breaks into two."""
    width = os.get_terminal_size(sys.stderr.fileno()).columns - 1
    while line and columns(line) > width:
        line = line[: min(len(line) - 1, width)]
    sys.stderr.write(f"\r\x1b[K{line}")
    sys.stderr.flush()
