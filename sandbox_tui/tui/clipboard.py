"""Copying: through the terminal (OSC 52), into tmux's buffer, and with the desktop's own program.

No single way works everywhere and the first cannot tell whether it did, so all that are there are
used, and the person is told which.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Iterator

DEADLINE = 2.0
"""Seconds that another program may take to accept a text."""

_NATIVE = (
    ("WAYLAND_DISPLAY", ("wl-copy",)),
    ("DISPLAY", ("xclip", "-selection", "clipboard")),
    ("DISPLAY", ("xsel", "--clipboard", "--input")),
)


async def copy_beyond_terminal(text: str) -> tuple[str, ...]:
    """Give `text` to tmux and to the desktop. Answers with the names of what took it."""
    programs = await asyncio.to_thread(lambda: list(_programs()))
    return tuple([name for name, argv in programs if await _give(argv, text)])


def _programs() -> Iterator[tuple[str, tuple[str, ...]]]:
    if os.environ.get("TMUX"):
        yield "tmux buffer", ("tmux", "load-buffer", "-")
    if sys.platform == "darwin":
        yield "pbcopy", ("pbcopy",)
    for variable, argv in _NATIVE:
        if os.environ.get(variable) and shutil.which(argv[0]):
            yield argv[0], argv
            return


async def _give(argv: tuple[str, ...], text: str) -> bool:
    """Whether a program read the text and said that it was fine."""
    quiet = asyncio.subprocess.DEVNULL
    try:
        async with asyncio.timeout(DEADLINE):
            program = await asyncio.create_subprocess_exec(
                *argv, stdin=asyncio.subprocess.PIPE, stdout=quiet, stderr=quiet
            )
            await program.communicate(text.encode())
    except (OSError, TimeoutError):
        return False
    return program.returncode == 0
