"""A list of 1 000 rows, a tenth of which change each second, against Textual's DataTable.

Each runs as a program in a terminal of 200x50. All run at the same time and their processor time is
read from outside, so that the machine is the same for all; together they need a quarter of a core.
The first beats, in which a widget is filled, are left out.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack

from benchmarks.clocks import cpu_of
from benchmarks.figures import Figure, compared
from benchmarks.subjects import program
from benchmarks.terminal import Terminal, terminal

PEERS = {"refill": "DataTable, clear + add", "cells": "DataTable, update_cell"}
WINDOWS = 6
WINDOW = 2.0
SETTLED = 3.0


def run() -> Iterator[Figure]:
    """The figures."""
    with ExitStack() as stack:
        apps = {
            name: stack.enter_context(terminal(*program("list_app", name), columns=200, rows=50))
            for name in ("list", *PEERS)
        }
        for app in apps.values():
            app.wait_for("agent-0000")
        time.sleep(SETTLED)
        samples = _seconds(apps)
    for variant, peer in PEERS.items():
        yield compared(
            "list of 1 000 rows at 1 Hz, CPU per second",
            samples["list"],
            samples[variant],
            peer=peer,
            limit=1 / 5,
        )


def _seconds(apps: dict[str, Terminal]) -> dict[str, list[float]]:
    """Seconds of processor time in one second, window by window."""
    samples: dict[str, list[float]] = {name: [] for name in apps}
    for _ in range(WINDOWS):
        before = {name: cpu_of(app.pid) for name, app in apps.items()}
        time.sleep(WINDOW)
        for name, app in apps.items():
            samples[name].append((cpu_of(app.pid) - before[name]) / WINDOW)
    return samples
