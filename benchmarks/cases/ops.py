"""Ops against kstlib: whole processes over 50 sessions and 20 containers, and in process over 200.

Processor time of the process and of every child it waited for. Each program asks in its own
default way; both are given the same session to look at.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from tempfile import TemporaryFile

from benchmarks.clocks import alternate, metered
from benchmarks.containers import containers
from benchmarks.figures import Figure, compared
from benchmarks.sessions import say, sessions
from benchmarks.subjects import KSTLIB, SANDBOX_TUI

SESSIONS = 50
CONTAINERS = 20
MANY = 200
ROUNDS = 7
CALLS = 10
"""Calls in one sample of what is too short to be read from one."""
LINES = 100
NAME = "bench-025"
LIMIT = 1 / 3

VERBS = {
    "ls --json": (("ls", "--json"), ("list", "--json"), b"bench-049"),
    "status": (("status", NAME, "--backend", "tmux"), ("status", NAME), b"running"),
    "logs": (("logs", NAME, "--backend", "tmux"), ("logs", NAME), b"line 99"),
}
"""What is measured: our words, the peer's, and what either must have said."""


def run() -> Iterator[Figure]:
    """The figures."""
    with sessions(SESSIONS) as server, containers(CONTAINERS):
        say(server.ttys()[NAME], "".join(f"line {number}\r\n" for number in range(LINES)))
        for what, (ours, theirs, wanted) in VERBS.items():
            samples = alternate(
                ROUNDS,
                {
                    "ours": lambda: _cpu((*SANDBOX_TUI, *ours), wanted),  # noqa: B023
                    "peer": lambda: _cpu((*KSTLIB, *theirs), wanted),  # noqa: B023
                },
            )
            about = f"{what}, {SESSIONS} sessions, {CONTAINERS} containers, whole process, CPU"
            peer = f"kstlib ops {theirs[0]}"
            yield compared(about, samples["ours"], samples["peer"], peer=peer, limit=LIMIT)
        server.make([f"bench-{number:03}" for number in range(SESSIONS, MANY)])
        yield from _in_process()


def _in_process() -> Iterator[Figure]:
    import kstlib.ops

    from sandbox_tui.api.ops import SessionManager
    from sandbox_tui.api.ops.machine import close_machines

    ours, theirs = SessionManager(NAME), kstlib.ops.SessionManager(NAME)
    pairs: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "status()": (ours.status, theirs.status),
        "logs()": (lambda: ours.logs(LINES), lambda: theirs.logs(LINES)),
    }
    try:
        for what, (mine, other) in pairs.items():
            samples = alternate(
                ROUNDS,
                {
                    "ours": lambda: _calls(mine),  # noqa: B023
                    "peer": lambda: _calls(other),  # noqa: B023
                },
            )
            about = f"SessionManager.{what}, {MANY} sessions, in process, CPU"
            yield compared(
                about, samples["ours"], samples["peer"], peer=f"kstlib {what}", limit=LIMIT
            )
    finally:
        close_machines()


def _calls(call: Callable[[], object]) -> float:
    with metered() as meter:
        for _ in range(CALLS):
            call()
    return meter.cpu / CALLS


def _cpu(command: Sequence[str], wanted: bytes) -> float:
    with TemporaryFile() as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        said = out.read()
    if process.returncode or wanted not in said:
        words = " ".join(command)
        raise RuntimeError(f"{words} answered {process.returncode} with {said[-200:]!r}")
    return usage.ru_utime + usage.ru_stime
