"""Where kernels of other programs are found, and how one of them is reached."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from sandbox_tui.backends.kernels.channels import OpenChannels
from sandbox_tui.model.world import RoomFacts, State

Lost = Callable[[str], None]
"""Is told why nothing more will be heard of a kernel."""


class FoundKernel(NamedTuple):
    """A kernel that lives, as far as is known without joining it."""

    name: str
    """As its room is called."""
    state: State
    facts: RoomFacts
    born_at: float | None = None
    """Seconds since the epoch; `None` where nobody knows."""


class Source(Protocol):
    """A folder, or a server, that knows of kernels."""

    where: str
    """The place of their rooms, as in `room:kernel-1234@jupyter`."""

    @property
    def about(self) -> str:
        """Where it looks, in a person's words; known once it has looked."""
        ...

    async def living(self) -> list[FoundKernel]:
        """Every kernel there; the identical list while nothing is asked anew.

        Raises `BackendUnavailableError`.
        """
        ...

    async def reach(self, name: str, lost: Lost) -> OpenChannels:
        """What opens the way to a kernel. Raises `BackendUnavailableError`."""
        ...

    async def aclose(self) -> None:
        """Let go of everything held here."""
        ...
