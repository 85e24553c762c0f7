"""Rooms are written soon after they changed, and for certain at the end."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from sandbox_tui.documents import records
from sandbox_tui.documents.ipynb import StoredRun
from sandbox_tui.documents.room_log import Ran, StoredRoom
from sandbox_tui.documents.store import RoomStore
from sandbox_tui.hub.saving import PRUNE_EVERY, Saver
from sandbox_tui.model.outputs import Text
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.specs import RoomSpec
from tests.support import lapse, retry_until_async
from tests.system import names_in

LAB = Ref("room:lab")


def stored(ref: Ref) -> StoredRoom:
    return StoredRoom(spec=RoomSpec(name=ref.name))


def size(folder: Path) -> int:
    return (folder / "lab.log").stat().st_size


async def test_it_is_written_soon(tmp_path: Path) -> None:
    saver = Saver(RoomStore(tmp_path), stored)
    await saver.saved(LAB)
    await retry_until_async(lambda: names_in(tmp_path) == ["lab.ipynb", "lab.log"])
    await saver.delete(LAB)
    assert names_in(tmp_path) == []
    await saver.aclose()


async def test_nothing_is_half_written_whenever_it_ends(tmp_path: Path) -> None:
    for turn in range(20):
        folder = tmp_path / str(turn)
        saver = Saver(RoomStore(folder), stored)
        saver.save(LAB)
        await lapse(0.1 + turn / 4000)
        await saver.aclose()
        assert names_in(folder) == ["lab.ipynb", "lab.log"]


async def test_a_problem_is_told_and_goes_when_it_is_over(tmp_path: Path) -> None:
    folder = tmp_path / "rooms"
    folder.write_text("in the way")
    saver = Saver(RoomStore(folder), stored)
    saver.save(LAB)
    await retry_until_async(lambda: saver.problem)
    assert saver.problem.startswith("room:lab is not saved: ")
    folder.unlink()
    await saver.aclose()
    assert saver.problem == ""
    assert names_in(folder) == ["lab.ipynb", "lab.log"]


async def test_entries_are_appended_and_a_long_log_is_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox_tui.hub.saving.LONGEST_LOG", 10_000)
    store = RoomStore(tmp_path)
    saver = Saver(store, stored)
    await saver.saved(LAB)
    short = await asyncio.to_thread(size, tmp_path)
    for number in range(30):
        saver.log(LAB, Ran("cell-1", StoredRun(number, (Text("stdout", "x" * 1000),))))
        await saver.flush()
        if number == 3:
            [found] = (await asyncio.to_thread(store.load)).rooms
            assert found.runs["cell-1"].execution_count == 3
    assert await asyncio.to_thread(size, tmp_path) < short + 15_000
    await saver.aclose()


async def test_records_are_written_and_the_oldest_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox_tui.documents.records.MOST", 10)
    store = RoomStore(tmp_path)
    saver = Saver(store, stored)
    for number in range(PRUNE_EVERY):
        saver.record(LAB, f"{number:032x}", records.Head(str(number)))
        await saver.flush()
    ids = [f"{number:032x}" for number in range(PRUNE_EVERY)]
    folder = store.runs("lab")
    kept = [await asyncio.to_thread(records.read, folder, execution_id) for execution_id in ids]
    assert [record.head.code for record in kept if record] == [
        str(number) for number in range(PRUNE_EVERY - 10, PRUNE_EVERY)
    ]
    assert records.read(store.runs("lab"), "../lab") is None
    await saver.aclose()


async def test_a_fault_in_one_room_stops_no_other(tmp_path: Path) -> None:
    faulty = Ref("room:faulty")

    def told(ref: Ref) -> StoredRoom:
        if ref == faulty:
            raise KeyError("a fault")
        return stored(ref)

    saver = Saver(RoomStore(tmp_path), told)
    saver.save(faulty)
    await retry_until_async(lambda: saver.problem)
    assert saver.problem == "room:faulty is not saved: KeyError: 'a fault'"
    await saver.saved(LAB)
    assert names_in(tmp_path) == ["lab.ipynb", "lab.log"]
    await saver.aclose()
