"""Which process made something, as a text that other programs of the machine can check later.

A process id alone names another process after a while, and means nothing in another container or
on another machine. So the text also tells when the process began and in which world of process ids
that is; only there can anybody say that it is gone.
"""

from __future__ import annotations

import functools
import hashlib
import os
from pathlib import Path

_PROC = Path("/proc")


@functools.cache
def _world() -> str:
    """This boot and this namespace of process ids; empty where the system does not tell."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text()
        return hashlib.sha256(f"{boot} {(_PROC / 'self/ns/pid').readlink()}".encode()).hexdigest()[
            :12
        ]
    except OSError:
        return ""


def myself() -> str:
    """This process. Reads files."""
    pid = os.getpid()
    return f"{pid}.{_began(pid) or 0}.{_world()}"


def is_gone(identity: str) -> bool:
    """Whether that very process has ended, for certain: what cannot be known is not gone.

    Reads files.
    """
    pid, _, rest = identity.partition(".")
    began, _, world = rest.partition(".")
    if not (pid.isdecimal() and began.isdecimal() and world and world == _world()):
        return False
    return _began(int(pid)) != int(began)


def _began(pid: int) -> int | None:
    """Clock ticks from the boot to its begin; `None` when no such process runs."""
    try:
        told = (_PROC / str(pid) / "stat").read_text(errors="replace")  # a name may be cut
    except OSError:
        return None
    state, *fields = told.rpartition(")")[2].split()
    return None if state in "ZX" else int(fields[18])
