"""The kernel console as a program: what a terminal is handed to when it is attached to a room."""

from __future__ import annotations

import sys

from sandbox_tui.model.actions import Attachment
from sandbox_tui.model.refs import Ref


def console(ref: Ref) -> Attachment:
    """A console for the kernel of `ref`: this program's own, over whatever Api it connects to."""
    argv = (sys.executable, "-m", "sandbox_tui", "attach", ref)
    return Attachment(ref=ref, argv=argv, leave="ctrl+d")
