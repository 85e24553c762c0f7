"""The first line: who, where, how every backend is, what needs a person, and our own costs."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from textual.content import Content
from textual.widget import Widget

from sandbox_tui.model.world import World
from sandbox_tui.tui.chrome.looks import MUTED
from sandbox_tui.tui.sections import TITLES, dead
from sandbox_tui.tui.widgets.units import size

NAME = "sandbox-tui"


class Cost(NamedTuple):
    """What this program uses: a share of one core, and bytes."""

    cpu: float
    memory: int


class Meter:
    """Measures this very process, from one look to the next."""

    def __init__(self) -> None:
        self._at = time.monotonic()
        self._used = time.process_time()
        self._statm = _open("/proc/self/statm")

    def look(self) -> Cost:
        """What was used since the last look."""
        at, used = time.monotonic(), time.process_time()
        share = (used - self._used) / max(0.001, at - self._at)
        self._at, self._used = at, used
        return Cost(share, self._resident())

    def close(self) -> None:
        """Let go of the file it reads."""
        if self._statm is not None:
            os.close(self._statm)
            self._statm = None

    def _resident(self) -> int:
        """Bytes in memory; 0 where the system does not tell them cheaply."""
        if self._statm is None:
            return 0
        return int(os.pread(self._statm, 64, 0).split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _open(path: str) -> int | None:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None


class TopBar(Widget):
    """One line, drawn from values; what does not fit is left out from the middle."""

    DEFAULT_CSS = "TopBar { height: 1; }"

    def __init__(self, *, host: str = "local", id: str | None = None) -> None:
        super().__init__(id=id)
        self._host = host if host != "local" else socket.gethostname().partition(".")[0]
        self._backends: tuple[Content, ...] = ()
        self._needs = 0
        self._right: tuple[str, ...] = ()

    def show_world(self, world: World, needs: int) -> None:
        """Show how the backends are, and how many sandboxes need a person."""
        backends = tuple(_backends(world))
        if (backends, needs) != (self._backends, self._needs):
            self._backends, self._needs = backends, needs
            self.refresh()

    def tick(self, cost: Cost, now: float) -> None:
        """Show what the program costs and what time it is."""
        clock = time.strftime("%H:%M:%S", time.localtime(now))
        self._right = (f"cpu {100 * cost.cpu:.1f}% {size(cost.memory)}", clock)
        self.refresh()

    def render(self) -> Content:
        """The line, as wide as the terminal."""
        width = self.size.width
        name = Content.styled(f" {NAME}", "bold $primary")
        needs = _needs(self._needs)
        for left, right in self._choices(name, needs):
            gap = width - left.cell_length - right.cell_length
            if gap >= 1:
                return left + Content(" " * gap) + right
        return (name + Content("  ") + needs).truncate(width)

    def _choices(self, name: Content, needs: Content) -> Iterable[tuple[Content, Content]]:
        """What to show, from everything to the least."""
        host = Content.styled(f"host: {self._host}", MUTED)
        cost, clock = self._right or ("", "")
        full = (needs, Content.styled(cost, MUTED), Content(clock))
        backends = self._backends
        yield _join((name, host, *backends)), _join(full, tail=True)
        yield _join((name, *backends)), _join(full, tail=True)
        yield _join((name, *backends)), _join((needs, Content(clock)), tail=True)
        yield Content(" ") + _join(backends), _join((needs,), tail=True)


def _backends(world: World) -> Iterable[Content]:
    for kind, title in TITLES.items():
        lost = dead(kind, world)
        if lost:
            yield Content.assemble(f"{title} ", ("✕", "bold $text-error"))
        elif any(entry.kind is kind for entry in world.health):
            count = sum(box.state.is_live for box in world.of(kind))
            style = "$text-success" if count else MUTED
            yield Content.assemble(f"{title} ", (f"{'●' if count else '○'}{count}", style))
        else:
            yield Content.assemble(f"{title} ", ("…", MUTED))


def _needs(count: int) -> Content:
    if not count:
        return Content("")
    words = "needs you" if count == 1 else "need you"
    return Content.styled(f"! {count} {words}", "bold $text-warning")


def _join(parts: Sequence[Content], *, tail: bool = False) -> Content:
    joined = Content("  ").join([part for part in parts if part])
    return joined + Content(" ") if tail else joined
