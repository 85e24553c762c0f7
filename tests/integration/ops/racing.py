"""Several that start the same session at once."""

from __future__ import annotations

import threading
from collections.abc import Callable

from sandbox_tui.api.ops import SessionExistsError, SessionManager


def one_wins(session: Callable[[], SessionManager], racers: int) -> None:
    """Start as many equal sessions, each in a thread of its own; the others get the error."""
    outcomes: list[str] = []

    def start() -> None:
        try:
            session().start()
        except SessionExistsError as error:
            outcomes.append(type(error).__name__)
        else:
            outcomes.append("started")

    threads = [threading.Thread(target=start) for _ in range(racers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(50)
    assert sorted(outcomes) == ["SessionExistsError"] * (racers - 1) + ["started"]
