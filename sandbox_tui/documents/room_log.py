"""What happens to a room, as entries of its log, and a room made from them again.

Replayed from the beginning they give the room as it was. A log that has grown is written anew as
the few entries that the room is now.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import cast

import msgspec

from sandbox_tui.documents.frames import framed, unframed
from sandbox_tui.documents.ipynb import StoredNotebook, StoredRun
from sandbox_tui.model import codec
from sandbox_tui.model.specs import RoomSpec

MAGIC = b"sandbox-tui room 1\n"


class DamagedLogError(ValueError):
    """A file that is no log of a room, not even at its beginning."""


class Founded(msgspec.Struct, frozen=True, tag="room"):
    """What the room is; the last one counts."""

    spec: RoomSpec
    created_at: float | None
    epoch: str


class Changed(msgspec.Struct, frozen=True, tag="doc"):
    """A change of its document."""

    update: bytes


class Began(msgspec.Struct, frozen=True, tag="began"):
    """A cell runs."""

    cell_id: str
    execution_id: str


class Ran(msgspec.Struct, frozen=True, tag="ran"):
    """A cell has run, and this is what it shows; `None` when that was cleared."""

    cell_id: str
    run: StoredRun | None


Entry = Founded | Changed | Began | Ran


class StoredRoom(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of a room that outlives its daemon."""

    spec: RoomSpec
    created_at: float | None = None
    epoch: str = ""
    """Of the document; empty when that is to be made from `notebook`."""
    updates: tuple[bytes, ...] = ()
    """All changes of the document."""
    notebook: StoredNotebook = StoredNotebook()
    """The document as a file has it."""
    runs: Mapping[str, StoredRun] = {}
    """What the last run of a cell said, by cell id."""
    running: Mapping[str, str] = {}
    """Executions that were under way when this was written, by cell id."""


def encoded(entry: Entry) -> bytes:
    """An entry as it is appended."""
    return framed(codec.to_msgpack(entry))


def snapshot(room: StoredRoom) -> bytes:
    """A whole log that gives `room`."""
    return MAGIC + b"".join(map(encoded, _entries(room)))


def replayed(data: bytes) -> tuple[StoredRoom, int]:
    """The room of a log, and how many bytes of the log are sound. Raises `DamagedLogError`."""
    if not data.startswith(MAGIC):
        raise DamagedLogError("it does not begin as the log of a room does")
    frames = unframed(data, len(MAGIC))
    wanted = cast("type[Entry]", Entry)
    try:
        entries = [codec.from_msgpack(body, wanted) for body in frames.bodies]
    except msgspec.MsgspecError as error:
        raise DamagedLogError(str(error)) from error
    return _room(entries), frames.end


def _entries(room: StoredRoom) -> Iterator[Entry]:
    yield Founded(room.spec, room.created_at, room.epoch)
    yield from map(Changed, room.updates)
    for cell_id, run in room.runs.items():
        yield Ran(cell_id, run)
    for cell_id, execution_id in room.running.items():
        yield Began(cell_id, execution_id)


def _room(entries: Iterable[Entry]) -> StoredRoom:
    founded: Founded | None = None
    updates: list[bytes] = []
    runs: dict[str, StoredRun] = {}
    running: dict[str, str] = {}
    for entry in entries:
        match entry:
            case Founded():
                founded = entry
            case Changed(update):
                updates.append(update)
            case Began(cell_id, execution_id):
                running[cell_id] = execution_id
            case Ran(cell_id, run):
                running.pop(cell_id, None)
                runs.pop(cell_id, None)
                if run is not None:
                    runs[cell_id] = run
    if founded is None:
        raise DamagedLogError("it does not say which room it is")
    return StoredRoom(
        spec=founded.spec,
        created_at=founded.created_at,
        epoch=founded.epoch,
        updates=tuple(updates),
        runs=runs,
        running=running,
    )
