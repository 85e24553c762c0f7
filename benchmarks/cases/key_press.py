"""From a key to the screen, while the list has much to show.

The key moves the cursor; the screen has answered when the view on the right bears the name of the
next session. Meanwhile a fifth of 100 sessions print ten lines a second each.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from benchmarks.figures import Figure, delays
from benchmarks.sessions import say, sessions
from benchmarks.subjects import DASHBOARD, TITLE, show_session
from benchmarks.terminal import Terminal, terminal

SESSIONS = 100
NOISY = 20
KEYS = 60


def run() -> Iterator[Figure]:
    """The figures."""
    with sessions(SESSIONS) as server, terminal(*DASHBOARD) as app:
        show_session(app)
        with noise(list(server.ttys().values())[:NOISY]):
            waited = _presses(app)
    yield delays("a key press is on the screen, while the list updates", waited, limit=50.0)


def _presses(app: Terminal) -> list[float]:
    waited: list[float] = []
    for key in "jk" * (KEYS // 2):
        time.sleep(random.uniform(0.05, 0.25))
        app.forget()
        pressed_at = app.press(key)
        waited.append(app.wait_for(TITLE)[0] - pressed_at)
    return waited


@contextmanager
def noise(ttys: Sequence[str]) -> Iterator[None]:
    """Lines in these panes, ten a second in each."""
    quiet = threading.Event()

    def print_lines() -> None:
        while not quiet.wait(0.1):
            for tty in ttys:
                say(tty, f"{time.time()}\r\n")

    printer = threading.Thread(target=print_lines)
    printer.start()
    try:
        yield
    finally:
        quiet.set()
        printer.join()
