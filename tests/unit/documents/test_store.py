"""Rooms on disk."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox_tui.documents.ipynb import StoredRun
from sandbox_tui.documents.store import RoomStore, StoredRoom, file_name
from sandbox_tui.model.cells import Cell, CellKind
from sandbox_tui.model.outputs import Text
from sandbox_tui.model.specs import RoomSpec

nbformat = pytest.importorskip("nbformat")


def room(name: str = "lab") -> StoredRoom:
    return StoredRoom(
        spec=RoomSpec(name=name, env={"A": "ü"}, labels={"x": "y"}, working_dir="/tmp"),
        created_at=12.5,
        cells=(Cell("cell-1", CellKind.CODE, "1"), Cell("cell-2", CellKind.MARKDOWN, "# T")),
        runs={"cell-1": StoredRun(3, (Text("stdout", "said"),))},
        interrupted=("cell-1",),
    )


def test_a_room_is_read_back_whole(tmp_path: Path) -> None:
    store = RoomStore(tmp_path / "rooms")
    assert store.load() == ([], [])
    store.save(room())
    store.save(room("../other"))
    loaded = RoomStore(tmp_path / "rooms").load()
    assert sorted(loaded.rooms, key=lambda found: found.spec.name) == [room("../other"), room()]
    assert loaded.notices == []


def test_it_is_a_notebook_that_only_its_user_reads(tmp_path: Path) -> None:
    RoomStore(tmp_path / "rooms").save(room())
    [file] = (tmp_path / "rooms").iterdir()
    nbformat.validate(nbformat.read(file, as_version=4))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_deleted_room_is_gone(tmp_path: Path) -> None:
    store = RoomStore(tmp_path)
    store.save(room())
    store.delete("lab")
    store.delete("lab")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content",
    [b"", b'{"nbformat": 4', b'{"nbformat": 4, "nbformat_minor": 5, "cells": [], "metadata": {}}'],
)
def test_a_broken_file_is_kept_aside_and_told(tmp_path: Path, content: bytes) -> None:
    store = RoomStore(tmp_path)
    store.save(room("good"))
    for _ in range(2):
        (tmp_path / "lab.ipynb").write_bytes(content)
        loaded = store.load()
        assert [found.spec.name for found in loaded.rooms] == ["good"]
        [notice] = loaded.notices
        assert notice.startswith("lab.ipynb is set aside: ")
    assert (tmp_path / "lab.broken-2").read_bytes() == content


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    store = RoomStore(tmp_path)
    store.save(room())
    (tmp_path / "lab.new").mkdir()
    with pytest.raises(OSError, match=r"lab\.new"):
        store.save(StoredRoom(spec=RoomSpec(name="lab")))
    assert store.load().rooms == [room()]


@given(st.text(min_size=1))
def test_a_file_name_is_one_plain_name(name: str) -> None:
    derived = file_name(name)
    assert Path(derived).name == derived
    assert derived.isascii()
    assert derived.isprintable()
    assert derived[0] not in ".-"
    assert len(derived) < 100


@given(st.text(min_size=1), st.text(min_size=1))
def test_two_rooms_never_share_a_file(one: str, other: str) -> None:
    assert (file_name(one) == file_name(other)) == (one == other)
