"""Processor and memory of whole process trees, read from `/proc`."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from sandbox_tui.backends.kernels.process import Stat, stat
from sandbox_tui.model.outputs import Vitals

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Meter:
    """Remembers the last measurement of each tree, because a share needs two."""

    def __init__(self) -> None:
        self._last: dict[int, tuple[float, dict[int, int]]] = {}

    def measure(self, roots: Iterable[int]) -> dict[int, Vitals]:
        """Vitals by root pid; reads all of `/proc` once, so call it in a thread.

        The first measurement of a root has no `cpu`. Trees that are gone are left out.
        """
        wanted = set(roots)
        self._last = {pid: last for pid, last in self._last.items() if pid in wanted}
        children = _children()
        trees = {root: _tree(root, children) for root in wanted}
        return {root: self._vitals(root, tree) for root, tree in trees.items() if tree}

    def _vitals(self, root: int, tree: list[Stat]) -> Vitals:
        now = time.monotonic()
        ticks = {process.pid: process.cpu for process in tree}
        before = self._last.get(root)
        self._last[root] = (now, ticks)
        return Vitals(
            at=time.time(),
            cpu=_share(before, now, ticks) if before else None,
            memory=sum(process.resident for process in tree) * _PAGE,
            pids=len(tree),
        )


def _share(before: tuple[float, dict[int, int]], now: float, ticks: dict[int, int]) -> float:
    """Cores used since the last measurement, by what lived then and by what is new."""
    at, old = before
    used = sum(max(0, count - old.get(pid, 0)) for pid, count in ticks.items())
    return used / _TICK / max(now - at, 1e-3)


def _children() -> dict[int, list[Stat]]:
    """Every process of the machine by its parent."""
    children: dict[int, list[Stat]] = defaultdict(list)
    for entry in Path("/proc").iterdir():
        found = stat(int(entry.name)) if entry.name.isdigit() else None
        if found is not None:
            children[found.parent].append(found)
    return children


def _tree(root: int, children: dict[int, list[Stat]]) -> list[Stat]:
    top = stat(root)
    tree = [top] if top else []
    for process in tree:  # grows while it is walked
        tree.extend(children.get(process.pid, ()))
    return tree
