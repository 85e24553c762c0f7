"""One container at a time: how it is, what runs in it, made anew, and taken away at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from sandbox_tui.backends.containers.engine.link import Link
from sandbox_tui.backends.containers.listing import Listing, find
from sandbox_tui.model.refs import Place, Ref
from sandbox_tui.model.world import Sandbox

if TYPE_CHECKING:
    from sandbox_tui.backends.containers.engine.engine import Engine

RENEW_SECONDS = 90.0
"""What a renewal may take beside the grace."""


class Upkeep:
    """The part of a container backend that looks after single ones."""

    place: Place
    _link: Link
    _listing: Listing

    async def glance(self, ref: Ref) -> Sandbox | None:
        """How it is now; the engine is asked for that one only."""
        return await self._link.ask(lambda engine: self._listing.glance(engine, ref))

    async def processes(self, ref: Ref) -> Sequence[Mapping[str, str]]:
        """What runs in it. Raises `NotRunningError`."""
        from sandbox_tui.backends.containers.commands.processes import processes

        return await self._link.ask(lambda engine: processes(engine, find(engine, ref)))

    async def renew(self, ref: Ref, *, grace: float = 10.0) -> None:
        """Replace it by a new one from the same spec. The old one is back when that fails."""
        from sandbox_tui.backends.containers.renewing import renew

        def anew(engine: Engine) -> None:
            renew(engine, find(engine, ref), grace)

        await self._link.order(f"renew {ref}", max(0.0, grace) + RENEW_SECONDS, anew)

    def disposal(self, container_id: str) -> Callable[[], None]:
        """A plain call that removes it, for the end of the program."""
        from sandbox_tui.backends.containers.disposal import disposal

        return disposal(self.place, self._link.endpoint, container_id)
