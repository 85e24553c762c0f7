"""Handing the terminal to a sandbox and coming back."""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import Any

from textual.app import App

from sandbox_tui.model.actions import Attachment
from sandbox_tui.runtime import terminal
from sandbox_tui.tui.lending import lend


def attach(app: App[Any], attachment: Attachment) -> str:
    """Hand the terminal over until the program there ends or is left. Answers what happened.

    Blocks, and with it everything else here: nothing may draw meanwhile. Inside the tmux that the
    sandbox lives in, nothing is handed over: tmux shows it in place of the dashboard. Raises
    `OperationFailedError` where there is no terminal (in a browser), and what `terminal.attach`
    raises.
    """
    name = attachment.ref.name
    if attachment.inside_tmux and os.environ.get("TMUX"):
        return f"{name}: {terminal.attach(attachment).message}"
    hint = f"Run: sandbox-tui attach {name}"
    work = partial(_attached, attachment)
    return f"{name}: {lend(app, work, to=attachment.ref, verb='attach to', hint=hint).message}"


def _attached(attachment: Attachment) -> terminal.Fate:
    announced = f"{attachment.ref} · {terminal.how_to_leave(attachment)}"
    print(announced, file=sys.__stderr__, flush=True)
    return terminal.attach(attachment)
