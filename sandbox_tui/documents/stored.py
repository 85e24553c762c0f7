"""The rooms on disk as a listing, for when no daemon has them open.

Reads the head of each file and changes nothing: what is broken is left to the daemon, which sets
it aside and tells. Every listing loads this module, so it loads nothing that writes.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from sandbox_tui.model import codec
from sandbox_tui.model.specs import RoomSpec
from sandbox_tui.model.world import RoomFacts, Sandbox, State

SUFFIX = ".ipynb"

KEY = "sandbox_tui"
"""Under which the notebook's metadata holds what only this program needs."""


class _Own(msgspec.Struct):
    spec: RoomSpec
    created_at: float | None = None


class _Metadata(msgspec.Struct):
    own: _Own = msgspec.field(name=KEY)


class _Head(msgspec.Struct):
    metadata: _Metadata
    cells: list[msgspec.Raw] = []


class StoredRooms:
    """The rooms in the folder `rooms` of `state`. Every method does file I/O."""

    def __init__(self, state: Path) -> None:
        self._folder = state / "rooms"
        self._listed: tuple[int, list[Sandbox]] = (0, [])

    def rooms(self) -> list[Sandbox]:
        """Every room, as stopped; the same list while no file was replaced."""
        try:
            changed = self._folder.stat().st_mtime_ns
        except FileNotFoundError:
            return []
        if self._listed[0] != changed:
            paths = sorted(self._folder.glob(f"*{SUFFIX}"))
            self._listed = (changed, [box for path in paths if (box := _room(path))])
        return self._listed[1]


def _room(path: Path) -> Sandbox | None:
    try:
        head = codec.from_json(path.read_bytes(), _Head)
    except (OSError, msgspec.DecodeError):
        return None  # gone just now, or broken: the daemon tells
    own = head.metadata.own
    return Sandbox(
        ref=own.spec.ref,
        state=State.STOPPED,
        facts=RoomFacts(
            kernel=own.spec.kernel, cells=len(head.cells), env_source=own.spec.env_source
        ),
        created_at=own.created_at,
        labels=own.spec.labels,
        managed=True,
    )
