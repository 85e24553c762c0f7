"""What a backend may do for the single sandbox beside what `base` says: look into it, renew it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, runtime_checkable

from sandbox_tui.model.refs import Ref


@runtime_checkable
class Renews(Protocol):
    """Can replace a sandbox by a new one like it."""

    async def renew(self, ref: Ref, *, grace: float = 10.0) -> None:
        """Make it anew from its own spec. The old one is back when that fails."""
        ...


@runtime_checkable
class Processes(Protocol):
    """Knows what runs inside."""

    async def processes(self, ref: Ref) -> Sequence[Mapping[str, str]]:
        """Each process by the columns of `ps`, without what runs for this program."""
        ...


@runtime_checkable
class Disposes(Protocol):
    """Can clean up when the program ends."""

    def disposal(self, container_id: str) -> Callable[[], None]:
        """A plain call that removes it; needs neither a loop nor a new thread."""
        ...
