"""A poll of 100 tmux sessions and what six visible panes show, against libtmux.

libtmux does the same in two ways: walking its objects (a process per session and per window), or
asking once for all panes. Each then captures six panes. Before every sample something new is
printed in these six, so that nobody may answer from memory.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import NamedTuple

import libtmux

from benchmarks.clocks import alternate, cpu_of, metered
from benchmarks.figures import Figure, compared
from benchmarks.sessions import Server, say, sessions
from sandbox_tui.backends.tmux.backend import TmuxBackend
from sandbox_tui.model.refs import Kind, Ref

COUNT = 100
VISIBLE = [f"bench-{number:03}" for number in range(0, 96, 16)]
ROUNDS = 5
OURS = 20
"""Polls in one sample of ours, which is too small to be read from one."""
ECHO = 0.05
"""Seconds that the server gets to take in what was printed."""


def run() -> Iterator[Figure]:
    """The figures."""
    with sessions(COUNT) as server, asyncio.Runner() as runner:
        poll = Poll(server, runner)
        try:
            samples = alternate(ROUNDS, {"ours": poll.ours, "walk": poll.walk, "query": poll.query})
        finally:
            poll.close()
    figure, ours = "poll of 100 tmux sessions + 6 panes, CPU", samples["ours"]
    walk, query = "libtmux, object walk", "libtmux, one query + captures"
    yield compared(figure, ours, samples["walk"], peer=walk, limit=1 / 200)
    yield compared(figure, ours, samples["query"], peer=query, limit=1 / 20)
    for what, told in (("CPU of the tmux server", poll.server), ("wall time", poll.wall)):
        yield compared(f"the same, {what}", told["ours"], told["query"], peer=query, limit=None)


class Cost(NamedTuple):
    """Seconds of one poll."""

    cpu: float
    wall: float
    server: float


class Poll:
    """The competitors; each answers with the seconds of CPU of one poll, children's included."""

    def __init__(self, server: Server, runner: asyncio.Runner) -> None:
        self._pid = server.pid
        ttys = server.ttys()
        self._ttys = [ttys[name] for name in VISIBLE]
        self._refs = [Ref.make(Kind.TMUX, name) for name in VISIBLE]
        self._libtmux = libtmux.Server(socket_path=str(server.socket))
        self._loop = runner.get_loop()
        self._backend = TmuxBackend()
        self._numbers = itertools.count()
        self.wall: dict[str, list[float]] = {}
        self.server: dict[str, list[float]] = {}

    def close(self) -> None:
        """Let go of the server."""
        self._loop.run_until_complete(self._backend.aclose())

    def ours(self) -> float:
        """The backend of the dashboard."""
        return self._sample("ours", lambda: self._loop.run_until_complete(self._poll()), OURS)

    def walk(self) -> float:
        """Session by session, window by window."""
        return self._sample("walk", self._walk)

    def query(self) -> float:
        """All panes at once."""
        return self._sample("query", self._query)

    def _sample(self, name: str, poll: Callable[[], None], count: int = 1) -> float:
        costs = [self._cost(poll) for _ in range(count)]
        self.wall.setdefault(name, []).append(median(cost.wall for cost in costs))
        self.server.setdefault(name, []).append(median(cost.server for cost in costs))
        return median(cost.cpu for cost in costs)

    def _cost(self, poll: Callable[[], None]) -> Cost:
        mark = f"mark {next(self._numbers)}"
        for tty in self._ttys:
            say(tty, f"{mark}\r\n")
        time.sleep(ECHO)
        before = cpu_of(self._pid)
        with metered() as meter:
            poll()
        return Cost(meter.cpu, meter.wall, cpu_of(self._pid) - before)

    async def _poll(self) -> None:
        boxes = await self._backend.poll()
        screens = await self._backend.capture(self._refs)
        if len(boxes) != COUNT or len(screens) != len(VISIBLE):
            raise RuntimeError(f"{len(boxes)} sessions and {len(screens)} screens")

    def _walk(self) -> None:
        panes = {
            session.session_name: pane
            for session in self._libtmux.sessions
            for window in session.windows
            for pane in window.panes
        }
        self._capture(panes)

    def _query(self) -> None:
        self._capture({pane.session_name: pane for pane in self._libtmux.panes})

    def _capture(self, panes: dict[str | None, libtmux.Pane]) -> None:
        if len(panes) != COUNT:
            raise RuntimeError(f"{len(panes)} sessions")
        for name in VISIBLE:
            panes[name].capture_pane(escape_sequences=True)
