"""How long it takes until what happened outside is on the screen.

Containers are killed through the engine, or end by themselves, of which there is one event less.
The clock starts with the engine's own stamp of the end (which it makes some 50 ms before its
listing knows), and for those that are killed once more with the call. A line is written to the
terminal of the tmux pane that is shown: the clock starts just before.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from benchmarks.containers import ENDS_WHEN_TOLD, Containers, containers
from benchmarks.figures import Figure, delays
from benchmarks.sessions import say, sessions
from benchmarks.subjects import DASHBOARD, show_session
from benchmarks.terminal import Terminal, terminal

KILLED = ENDED = 8
LINES = 30
LIMIT = 150.0
PAUSE = (0.4, 1.4)
"""Between two samples, at random: nothing may keep step with a poll."""


def run() -> Iterator[Figure]:
    """The figures."""
    with (
        sessions(3) as server,
        containers(KILLED + ENDED, ENDS_WHEN_TOLD) as made,
        terminal(*DASHBOARD) as app,
    ):
        tty = server.ttys()[show_session(app)]
        printed = [_printed(app, tty, number) for number in range(LINES)]
        with died(made) as stamps:
            names = list(made.ids)
            killed = [
                _seen(app, name, lambda n: made.client.api.kill(made.ids[n]))
                for name in names[:KILLED]
            ]
            ended = [_seen(app, name, made.tell) for name in names[KILLED:]]
    for what, ends in (("killed outside", killed), ("that ended by itself", ended)):
        waited = [end.seen_at - stamps[made.ids[end.name]] for end in ends]
        yield delays(f"a container {what} is on the screen", waited, limit=LIMIT)
    asked = [end.seen_at - end.called_at for end in killed]
    yield delays("a container killed outside, from the call that kills it", asked, limit=None)
    yield delays("a line printed in the shown tmux pane is on the screen", printed, limit=LIMIT)


class End(NamedTuple):
    """Of one container."""

    name: str
    called_at: float
    seen_at: float


def _printed(app: Terminal, tty: str, number: int) -> float:
    time.sleep(random.uniform(*PAUSE) / 4)
    app.forget()
    printed_at = time.time()
    say(tty, f"line-{number:04}\r\n")
    return app.wait_for(f"line-{number:04}")[0] - printed_at


def _seen(app: Terminal, name: str, end: Callable[[str], object]) -> End:
    """End it, and wait until its row says so."""
    time.sleep(random.uniform(*PAUSE))
    app.forget()
    called_at = time.time()
    end(name)
    return End(name, called_at, app.wait_for(rf"{name}[^\n]*(?:exit|signal|killed)")[0])


@contextmanager
def died(made: Containers) -> Iterator[dict[str, float]]:
    """When each container ended, by the engine's own clock."""
    stamps: dict[str, float] = {}
    events = made.client.events(decode=True, filters={"event": "die"})

    def listen() -> None:
        stamps.update((event["id"], event["timeNano"] / 1e9) for event in events)

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        yield stamps
        deadline = time.monotonic() + 5
        while not stamps.keys() >= set(made.ids.values()) and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        events.close()
