"""What the dashboard costs while nothing happens: 100 tmux sessions, 20 containers, 5 rooms.

Its own processor time with its children's, and what it makes the servers behind it spend: these
are measured in turns with and without the dashboard.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from statistics import median

from benchmarks.clocks import cpu_below, cpu_of
from benchmarks.containers import containers, engine_processes
from benchmarks.figures import Figure
from benchmarks.rooms import rooms
from benchmarks.sessions import sessions
from benchmarks.subjects import DASHBOARD, show_session
from benchmarks.terminal import terminal

SESSIONS, CONTAINERS, ROOMS = 100, 20, 5
ROUNDS = 3
SETTLED = 5.0
WINDOW = 20.0
AGED = 60.0
"""Young sandboxes tick: their ages are told in seconds. The first look without is that long."""
PERCENT = 100.0
Pids = dict[str, list[int]]


def run() -> Iterator[Figure]:
    """The figures."""
    with ExitStack() as stack:
        server = stack.enter_context(sessions(SESSIONS))
        daemon = stack.enter_context(rooms(ROOMS))
        stack.enter_context(containers(CONTAINERS))
        engine = [process.pid for process in engine_processes()]
        pids = {"engine": engine, "tmux server": [server.pid], "room daemon": [daemon]}
        without, beside = _rounds(pids)
    yield Figure(
        what="idle dashboard, 100 tmux + 20 containers + 5 rooms, CPU of one core",
        ours="own + children's",
        value=median(beside["dashboard"]) * PERCENT,
        limit=5.0,
        unit="%",
        samples={"ours": beside["dashboard"]},
    )
    for name in pids:
        yield _beside(name, beside[name], without[name])


def _beside(name: str, beside: list[float], without: list[float]) -> Figure:
    """Only the engine has a target; tmux spends nothing at all while nobody asks."""
    now, before = median(beside), median(without)
    is_engine = name == "engine"
    return Figure(
        what=f"the {name} meanwhile, CPU of one core",
        ours=f"{now * PERCENT:.2f} %",
        peer=f"without dashboard: {before * PERCENT:.2f} %",
        value=now / before if is_engine else (now - before) * PERCENT,
        limit=2.0 if is_engine else None,
        unit="×" if is_engine else "% more",
        samples={"ours": beside, "peer": without},
    )


def _rounds(pids: Pids) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Shares of one core, without the dashboard and beside it."""
    without: dict[str, list[float]] = {name: [] for name in pids}
    beside: dict[str, list[float]] = {name: [] for name in ("dashboard", *pids)}
    for window in (AGED, *[WINDOW] * (ROUNDS - 1)):
        _sample(pids, without, window)
        with terminal(*DASHBOARD) as app:
            show_session(app)
            time.sleep(SETTLED)
            _sample({"dashboard": [app.pid], **pids}, beside, WINDOW)
        time.sleep(SETTLED)
    return without, beside


def _sample(pids: Pids, samples: dict[str, list[float]], window: float) -> None:
    before = _spent(pids)
    time.sleep(window)
    for name, after in _spent(pids).items():
        samples[name].append((after - before[name]) / window)


def _spent(pids: Pids) -> dict[str, float]:
    spent = {name: sum(map(cpu_of, group)) for name, group in pids.items()}
    if "dashboard" in spent:
        spent["dashboard"] += sum(map(cpu_below, pids["dashboard"]))
    return spent
