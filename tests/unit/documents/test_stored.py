"""The listing of rooms on disk: cheap, complete, and without a trace."""

from __future__ import annotations

import os
from pathlib import Path

from sandbox_tui.documents.ipynb import StoredNotebook
from sandbox_tui.documents.room_log import StoredRoom
from sandbox_tui.documents.store import RoomStore
from sandbox_tui.documents.stored import StoredRooms
from sandbox_tui.model.cells import Cell, CellKind
from sandbox_tui.model.specs import RoomSpec
from sandbox_tui.model.world import RoomFacts, State


def save(home: Path, name: str, *sources: str, kernel: str = "python") -> None:
    cells = tuple(
        Cell(f"cell-{number}", CellKind.CODE, source) for number, source in enumerate(sources)
    )
    spec = RoomSpec(name=name, kernel=kernel, labels={"team": "é"})
    RoomStore(home / "rooms").checkpoint(
        StoredRoom(spec=spec, created_at=12.5, notebook=StoredNotebook(cells))
    )


def test_no_folder_is_no_rooms(home: Path) -> None:
    assert StoredRooms(home / "nowhere").rooms() == []


def test_rooms_are_listed_as_stopped(home: Path) -> None:
    save(home, "lab", "1", "2")
    save(home, "../odd name é", kernel="deno")

    rooms = {room.ref.name: room for room in StoredRooms(home).rooms()}
    assert set(rooms) == {"lab", "../odd name é"}
    lab = rooms["lab"]
    assert (lab.state, lab.created_at, lab.managed) == (State.STOPPED, 12.5, True)
    assert lab.labels == {"team": "é"}
    assert lab.facts == RoomFacts(kernel="python", cells=2)


def test_the_same_list_while_nothing_changed(home: Path) -> None:
    save(home, "lab", "1")
    stored = StoredRooms(home)
    before = stored.rooms()
    assert stored.rooms() is before

    save(home, "lab", "1", "2")
    os.utime(home / "rooms", ns=(1, 1))
    facts = stored.rooms()[0].facts
    assert isinstance(facts, RoomFacts)
    assert facts.cells == 2


def test_what_is_broken_stays_as_it_is(home: Path) -> None:
    save(home, "lab")
    broken = {"cut.ipynb": b'{"cells": [', "foreign.ipynb": b'{"cells": [], "metadata": {}}'}
    for name, data in broken.items():
        (home / "rooms" / name).write_bytes(data)

    assert [room.ref for room in StoredRooms(home).rooms()] == ["room:lab"]
    assert {name: (home / "rooms" / name).read_bytes() for name in broken} == broken
