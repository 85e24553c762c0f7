"""The way to one kernel and back, whatever carries it: zmq (`wire`) or a server's WebSocket."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from sandbox_tui.backends.kernels.messages import Message

Deliver = Callable[[Message], None]
"""Is given everything that the kernel says, in the order of its channel."""


class Channels(Protocol):
    """Sends what is asked; what comes back was delivered to whoever opened it."""

    @property
    def can_ask(self) -> bool:
        """Whether running code can ask for input."""
        ...

    def send(self, channel: str, kind: str, content: Mapping[str, object]) -> str:
        """Send on `shell`, `control` or `stdin`; answers with the message's id."""
        ...

    async def interrupt(self) -> None:
        """Have the kernel interrupted, where a signal cannot be sent to it."""
        ...

    async def close(self) -> None:
        """Hang up; the kernel goes on."""
        ...


OpenChannels = Callable[[Deliver], Channels]
"""Opens the way to a kernel that is known."""
