"""Who listens to a kernel in tests."""

from __future__ import annotations

from sandbox_tui.backends.kernels.messages import Event
from sandbox_tui.runtime.execution import Execution


class Ears:
    """Remembers everything that was heard."""

    def __init__(self) -> None:
        self.events: list[tuple[Execution | None, Event]] = []
        self.changes = 0

    def heard(self, execution: Execution | None, event: Event) -> None:
        self.events.append((execution, event))

    def changed(self) -> None:
        self.changes += 1
