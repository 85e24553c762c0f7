"""Where specs live on this machine, and places that are opened when they are first named."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from sandbox_tui.backends.base import Backend
from sandbox_tui.model.refs import Place


def _closed(place: Place) -> Backend | None:
    del place


class Homes(msgspec.Struct, frozen=True, kw_only=True):
    """What a hub is told about places beside its backends."""

    means: Mapping[Place, Place] = msgspec.field(default_factory=dict[Place, Place])
    """Which place is meant by what a spec says: no engine named may mean podman."""
    open: Callable[[Place], Backend | None] = _closed
    """A backend for a place that has none yet; `None` where there can be none."""

    def of(self, place: Place) -> Place:
        """The place that is meant."""
        return self.means.get(place, place)


NOWHERE_ELSE = Homes()
"""Every spec lives where it says, and there are the backends that there are."""
