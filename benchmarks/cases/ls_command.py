"""`sandbox-tui ls --json` as a whole process against `kstlib ops list --json`, over 50 sessions.

User and system time of the process and of every child it waited for. Ours asks three kinds of
backend and the peer two, each in its own default way.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from tempfile import TemporaryFile

from benchmarks.clocks import alternate
from benchmarks.figures import Figure, compared
from benchmarks.sessions import sessions
from benchmarks.subjects import KSTLIB_LS, LS

COUNT = 50
ROUNDS = 7
PEER = "kstlib ops list --json"


def run() -> Iterator[Figure]:
    """The figures."""
    wall: dict[str, list[float]] = {"ours": [], "peer": []}
    with sessions(COUNT):
        samples = alternate(
            ROUNDS,
            {
                "ours": lambda: _cpu(LS, wall["ours"]),
                "peer": lambda: _cpu(KSTLIB_LS, wall["peer"]),
            },
        )
    what = "ls --json of 50 tmux sessions, whole process"
    yield compared(f"{what}, CPU", samples["ours"], samples["peer"], peer=PEER, limit=1 / 2)
    yield compared(f"{what}, wall time", wall["ours"][1:], wall["peer"][1:], peer=PEER, limit=None)


def _cpu(command: Sequence[str], wall: list[float]) -> float:
    with TemporaryFile() as out:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        wall.append(time.perf_counter() - began)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        _check(command, process.returncode, out.read())
    return usage.ru_utime + usage.ru_stime


def _check(command: Sequence[str], code: int, out: bytes) -> None:
    if code or out.count(b"bench-") < COUNT:
        raise RuntimeError(f"{' '.join(command)} answered {code} with {out[-200:]!r}")
    json.loads(out)
