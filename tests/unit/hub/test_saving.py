"""Rooms are written soon after they changed, and for certain at the end."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sandbox_tui.documents.store import RoomStore, StoredRoom
from sandbox_tui.hub.saving import Saver
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.specs import RoomSpec
from tests.support import retry_until_async
from tests.system import names_in

LAB = Ref("room:lab")


def stored(ref: Ref) -> StoredRoom:
    return StoredRoom(spec=RoomSpec(name=ref.name))


async def test_it_is_written_soon(tmp_path: Path) -> None:
    saver = Saver(RoomStore(tmp_path), stored)
    saver.save(LAB)
    await retry_until_async(lambda: names_in(tmp_path) == ["lab.ipynb"])
    await saver.delete(LAB)
    assert names_in(tmp_path) == []
    await saver.aclose()


async def test_nothing_is_half_written_whenever_it_ends(tmp_path: Path) -> None:
    for turn in range(20):
        folder = tmp_path / str(turn)
        saver = Saver(RoomStore(folder), stored)
        saver.save(LAB)
        await asyncio.sleep(0.1 + turn / 4000)
        await saver.aclose()
        assert names_in(folder) == ["lab.ipynb"]


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
    assert names_in(folder) == ["lab.ipynb"]
