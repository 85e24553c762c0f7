"""Questions to the person at the terminal, while everything else goes on."""

from __future__ import annotations

import asyncio
import os
import sys

import click

from sandbox_tui.cli.escapes import visible


async def confirmed(question: str) -> bool:
    """Whether the answer is yes; anything else, and no answer, is no. Ctrl-C is not caught."""
    click.echo(f"{visible(question)} [y/N] ", nl=False, err=True)
    answer = await _line()
    if not answer:
        click.echo(err=True)
    return answer.strip().lower() in ("y", "yes")


async def _line() -> str:
    """One typed line. Not `input`, which would make ctrl-c wait for Enter."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    keyboard = sys.stdin.fileno()
    loop.add_reader(keyboard, lambda: ready.done() or ready.set_result(None))
    try:
        await ready
    finally:
        loop.remove_reader(keyboard)
    return os.read(keyboard, 4096).decode(errors="replace")
