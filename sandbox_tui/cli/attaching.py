"""Handing the terminal over, and what is said before and after."""

from __future__ import annotations

import sys

from sandbox_tui.cli.diagnostics import OK
from sandbox_tui.cli.frame import Frame
from sandbox_tui.model.actions import Attachment
from sandbox_tui.model.errors import TerminalNeededError

SIGNALLED = 128
"""Added to the signal that ended a program, as shells do."""


def must_have_terminal(verb: str) -> None:
    """Raise `TerminalNeededError` before anything is begun that a person must see."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise TerminalNeededError(verb)


def hand_over(frame: Frame, attachment: Attachment) -> int:
    """Give the terminal to what `attachment` says.

    Answers with the exit code of what ran there, 0 when it was left.
    """
    from sandbox_tui.runtime.terminal import attach, how_to_leave

    frame.tell(f"{attachment.ref}: {how_to_leave(attachment)}")
    fate = attach(attachment)
    frame.tell(f"{attachment.ref}: {fate.message}")
    if fate.left_by_key:
        return OK
    return SIGNALLED + fate.signal if fate.signal is not None else fate.exit_code or OK
