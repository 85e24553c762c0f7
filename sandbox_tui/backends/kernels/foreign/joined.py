"""A kernel of another program's that is listened to.

Apart from `backend`, so that a listing loads nothing that speaks to kernels.
"""

from __future__ import annotations

from collections.abc import Callable

from sandbox_tui.backends.kernels.channels import OpenChannels
from sandbox_tui.backends.kernels.client import KernelClient
from sandbox_tui.backends.kernels.journal import Journal
from sandbox_tui.backends.kernels.messages import Event
from sandbox_tui.model.outputs import Outcome
from sandbox_tui.runtime.execution import Execution


class Joined:
    """A kernel that is listened to, and what was heard."""

    def __init__(self, channels: OpenChannels, wake: Callable[[], None]) -> None:
        self.journal = Journal()
        self._wake = wake
        self.client = KernelClient(channels, self)

    def heard(self, execution: Execution | None, event: Event) -> None:
        """Whoever's code said it."""
        del execution
        self.journal.hear(event)

    def changed(self) -> None:
        """It became busy or idle."""
        self._wake()

    async def part(self, outcome: Outcome, why: str) -> None:
        """Listen no more; what runs here ends with that outcome."""
        self.client.lose(outcome, detail=why)
        self.journal.end()
        await self.client.close()
