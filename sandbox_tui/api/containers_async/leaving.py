"""Containers that end with this program: removed when the interpreter exits.

By then there is no event loop any more and no new thread can be started, so each is removed by a
plain call. A program that is killed cannot do even that; `hub.reaper` tells who does it then.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
from collections.abc import Callable

from sandbox_tui.model.errors import SandboxError

_kept: dict[str, tuple[int, Callable[[], None]]] = {}
_lock = threading.Lock()


def keep(container_id: str, disposal: Callable[[], None]) -> None:
    """Have it removed at the end; a child that is forked from here has not made it."""
    with _lock:
        _kept[container_id] = os.getpid(), disposal


def let_go(container_id: str) -> None:
    """It is removed already, or is to stay."""
    with _lock:
        _kept.pop(container_id, None)


def dispose() -> None:
    """Remove all that are kept; an engine that does not answer is no reason to stay."""
    with _lock:
        mine = [call for pid, call in _kept.values() if pid == os.getpid()]
        _kept.clear()
    for call in mine:
        with contextlib.suppress(SandboxError):
            call()


atexit.register(dispose)
