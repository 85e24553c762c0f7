"""Processor time, and figures that two competitors get in turns.

Processor time and not wall time wherever that says enough: it hardly depends on what else the
machine does. Competitors alternate (A B A B …), so that what does depend on it hits both.
"""

from __future__ import annotations

import gc
import resource
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from statistics import median

import psutil

CLOCK_OF_A_PROCESS = 2
"""CPUCLOCK_SCHED: all threads of a process, ended ones too, in nanoseconds."""


def cpu_of(pid: int) -> float:
    """Seconds of processor time that a process has used; 0 when it is gone."""
    try:
        return time.clock_gettime((~pid << 3) | CLOCK_OF_A_PROCESS)
    except OSError:
        return 0.0


def cpu_below(pid: int) -> float:
    """Seconds used by the living descendants of a process."""
    return sum(cpu_of(child.pid) for child in psutil.Process(pid).children(recursive=True))


def cpu_of_children() -> float:
    """Seconds used by this process's descendants: living ones, and those waited for."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime + cpu_below(psutil.Process().pid)


class Meter:
    """Seconds spent in a `metered` block."""

    own = 0.0
    children = 0.0
    wall = 0.0

    @property
    def cpu(self) -> float:
        """This process's and its children's."""
        return self.own + self.children


@contextmanager
def metered() -> Iterator[Meter]:
    """Measure the block; looking at the children is outside of what is measured."""
    meter = Meter()
    gc.collect()
    children = cpu_of_children()
    wall, own = time.perf_counter(), time.process_time()
    yield meter
    meter.own = time.process_time() - own
    meter.wall = time.perf_counter() - wall
    meter.children = max(0.0, cpu_of_children() - children)


def alternate(
    rounds: int, competitors: Mapping[str, Callable[[], float]], *, warm: bool = True
) -> dict[str, list[float]]:
    """One sample of each per round, in turns; to be `warm`, one unmeasured round first."""
    samples: dict[str, list[float]] = {name: [] for name in competitors}
    for number in range(-warm, rounds):
        for name, sample in competitors.items():
            value = sample()
            if number >= 0:
                samples[name].append(value)
    return samples


def ratio(ours: list[float], theirs: list[float]) -> float:
    """The median of the ratios of the pairs: noise that hits one pair spoils one pair."""
    return median(a / b for a, b in zip(ours, theirs, strict=True))
