"""Rooms on disk."""

from __future__ import annotations

import stat
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox_tui.documents import records
from sandbox_tui.documents.frames import framed, is_torn, unframed
from sandbox_tui.documents.ipynb import CellExtras, StoredNotebook, StoredRun
from sandbox_tui.documents.room_log import MAGIC, Ran, StoredRoom, encoded, snapshot
from sandbox_tui.documents.shared import SharedDocument
from sandbox_tui.documents.store import RoomStore, file_stem
from sandbox_tui.model.cells import Cell, CellKind
from sandbox_tui.model.outputs import Text
from sandbox_tui.model.specs import RoomSpec

nbformat = pytest.importorskip("nbformat")


CELLS = (Cell("cell-1", CellKind.CODE, "1"), Cell("cell-2", CellKind.MARKDOWN, "# T"))
NOTEBOOK = StoredNotebook(
    CELLS,
    metadata={"kernelspec": {"name": "r", "display_name": "R"}, "mine": [1, {"deep": None}]},
    extras={
        "cell-2": CellExtras({"tags": ["x"]}, {"attachments": {"a.png": {"image/png": "aGk="}}})
    },
    others={"unknown": 1.5},
)


def room(name: str = "lab") -> StoredRoom:
    document = SharedDocument.of(NOTEBOOK)
    return StoredRoom(
        spec=RoomSpec(
            name=name, env={"A": "ü"}, labels={"x": "y"}, working_dir="/tmp", notebook="/x"
        ),
        created_at=12.5,
        epoch=document.epoch,
        updates=(document.update(),),
        notebook=document.notebook(),
        runs={"cell-1": StoredRun(3, (Text("stdout", "said"),))},
        running={"cell-1": "0" * 32},
    )


def save(store: RoomStore, room: StoredRoom) -> None:
    store.rewrite(room.spec.name, snapshot(room))
    store.checkpoint(room)


def same(found: StoredRoom, wanted: StoredRoom) -> bool:
    """A log has the document's history, and not what a notebook file has."""
    document = SharedDocument.restored(found.epoch, found.updates)
    return document.notebook() == wanted.notebook and found == msgspec.structs.replace(
        wanted, notebook=StoredNotebook(), updates=found.updates
    )


def test_a_room_is_read_back_whole(tmp_path: Path) -> None:
    store = RoomStore(tmp_path / "rooms")
    assert store.load() == ([], [])
    one, other = room(), room("../other")
    save(store, one)
    save(store, other)
    loaded = RoomStore(tmp_path / "rooms").load()
    found = {stored.spec.name: stored for stored in loaded.rooms}
    assert same(found["lab"], one) and same(found["../other"], other)
    assert loaded.notices == []


def test_without_its_log_a_room_comes_from_its_notebook_file(tmp_path: Path) -> None:
    store = RoomStore(tmp_path)
    save(store, room())
    (tmp_path / "lab.log").unlink()
    [found] = store.load().rooms
    assert (found.spec, found.runs, found.epoch) == (room().spec, room().runs, "")
    assert list(found.running) == ["cell-1"]
    assert SharedDocument.of(found.notebook).cells() == CELLS
    assert found.notebook.extras == NOTEBOOK.extras
    assert found.notebook.metadata["mine"] == NOTEBOOK.metadata["mine"]


def test_what_is_appended_is_there_and_what_is_torn_is_not(tmp_path: Path) -> None:
    store = RoomStore(tmp_path)
    save(store, room())
    store.append("lab", encoded(Ran("cell-1", None)))
    whole = (tmp_path / "lab.log").read_bytes()
    (tmp_path / "lab.log").write_bytes(whole + encoded(Ran("cell-2", StoredRun(1)))[:-3])
    [found], notices = store.load()
    assert (found.runs, found.running, notices) == ({}, {}, [])
    assert (tmp_path / "lab.log").read_bytes() == whole


def test_damage_is_told_kept_aside_and_what_came_before_it_is_there(tmp_path: Path) -> None:
    store = RoomStore(tmp_path)
    save(store, room())
    log = tmp_path / "lab.log"
    sound = log.read_bytes()
    log.write_bytes(sound + b"\0\0\0\4abcd" + b"x" * 40)
    [found], [notice] = store.load()
    assert same(found, room()) or found.spec == room().spec
    assert notice == "lab.log: 48 bytes at its end are damaged"
    assert log.read_bytes() == sound
    assert (tmp_path / "lab.broken-1").read_bytes().startswith(sound)


def test_what_a_running_cell_had_said_is_found(tmp_path: Path) -> None:
    store = RoomStore(tmp_path)
    save(store, room())
    said = [records.Head("1", "cell-1"), records.Said(Text("stdout", "so far"))]
    records.write(store.runs("lab"), "0" * 32, b"".join(map(records.encoded, said)))
    [found] = store.load().rooms
    assert found.runs["cell-1"].outputs == (Text("stdout", "so far"),)


def test_it_is_a_notebook_that_only_its_user_reads(tmp_path: Path) -> None:
    notebook = msgspec.structs.replace(room().notebook, others={})
    save(RoomStore(tmp_path / "rooms"), msgspec.structs.replace(room(), notebook=notebook))
    file = tmp_path / "rooms" / "lab.ipynb"
    nbformat.validate(nbformat.read(file, as_version=4))
    for path in file.parent.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_deleted_room_is_gone(tmp_path: Path) -> None:
    store = RoomStore(tmp_path)
    save(store, room())
    records.write(store.runs("lab"), "0" * 32, records.encoded(records.Head("1")))
    store.delete("lab")
    store.delete("lab")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content",
    [b"", b'{"nbformat": 4', b'{"nbformat": 4, "nbformat_minor": 5, "cells": [], "metadata": {}}'],
)
def test_a_broken_file_is_kept_aside_and_told(tmp_path: Path, content: bytes) -> None:
    store = RoomStore(tmp_path)
    save(store, room("good"))
    for _ in range(2):
        (tmp_path / "lab.ipynb").write_bytes(content)
        loaded = store.load()
        assert [found.spec.name for found in loaded.rooms] == ["good"]
        [notice] = loaded.notices
        assert notice.startswith("lab.ipynb is set aside: ")
    assert (tmp_path / "lab.broken-2").read_bytes() == content


@pytest.mark.parametrize("content", [b"", b"rubbish", MAGIC, MAGIC + framed(b"\x81\xa1x\x01")])
def test_a_log_that_is_none_leaves_the_notebook_file(tmp_path: Path, content: bytes) -> None:
    store = RoomStore(tmp_path)
    save(store, room())
    (tmp_path / "lab.log").write_bytes(content)
    [found], [notice] = store.load()
    assert found.notebook.cells == CELLS
    assert notice.startswith("lab.log is set aside: ")
    assert (tmp_path / "lab.broken-1").read_bytes() == content


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    store = RoomStore(tmp_path)
    old = room()
    save(store, old)
    (tmp_path / "lab.log.new").mkdir()
    with pytest.raises(OSError, match=r"lab\.log\.new"):
        save(store, StoredRoom(spec=RoomSpec(name="lab")))
    [found] = store.load().rooms
    assert same(found, old)


@given(st.lists(st.binary(max_size=40)), st.data())
def test_frames_are_read_back_as_far_as_they_were_written(
    bodies: list[bytes], data: st.DataObject
) -> None:
    written = b"".join(map(framed, bodies))
    cut = data.draw(st.integers(0, len(written)))
    read = unframed(written[:cut])
    assert read.bodies == bodies[: len(read.bodies)]
    assert read.end <= cut and is_torn(written[:cut], read.end)
    assert unframed(written) == (bodies, len(written))


@given(st.text(min_size=1))
def test_a_file_stem_is_one_plain_name(name: str) -> None:
    derived = file_stem(name)
    assert Path(derived).name == derived
    assert derived.isascii()
    assert derived.isprintable()
    assert derived[0] not in ".-"
    assert len(derived) < 100


@given(st.text(min_size=1), st.text(min_size=1))
def test_two_rooms_never_share_a_file(one: str, other: str) -> None:
    assert (file_stem(one) == file_stem(other)) == (one == other)
