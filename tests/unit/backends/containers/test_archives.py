"""Tar streams made and taken apart: nothing is lost, nothing lands outside."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox_tui.backends.containers.files.archive_in import BIG, Tape, Unpacking, entries
from sandbox_tui.backends.containers.files.archive_out import (
    Owner,
    Parcel,
    pack,
    pack_bytes,
    size_of,
)
from sandbox_tui.model.errors import FileError, UnsafeEntryError

Entry = tuple[str, bytes, str]
"""Name, tarfile's type, target of a link."""


def packed(*made: Entry) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        for name, kind, target in made:
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, target
            archive.addfile(entry)
    return written.getvalue()


def tape(data: bytes, size: int = 700) -> Tape:
    pieces = iter([data[at : at + size] for at in range(0, len(data), size)])
    return Tape(lambda: next(pieces, b""))


def unpack(data: bytes, folder: Path, size: int = 700) -> None:
    unpacking, read = Unpacking(folder, "top"), tape(data, size)
    try:
        for name, entry in entries(read):
            unpacking.put(name, entry, read)
    finally:
        unpacking.close()


FOLDER = ("t", tarfile.DIRTYPE, "")
HOSTILE: dict[str, tuple[Entry, ...]] = {
    "upwards": (FOLDER, ("t/../../x", tarfile.REGTYPE, "")),
    "beside": (FOLDER, ("other/x", tarfile.REGTYPE, "")),
    "absolute link": (FOLDER, ("t/l", tarfile.SYMTYPE, "/etc")),
    "link upwards": (FOLDER, ("t/l", tarfile.SYMTYPE, "..")),
    "link through a link": (
        FOLDER,
        ("t/a", tarfile.DIRTYPE, ""),
        ("t/a/b", tarfile.DIRTYPE, ""),
        ("t/up", tarfile.SYMTYPE, "a/b"),
        ("t/l", tarfile.SYMTYPE, "up/../../.."),
    ),
    "through a link": (
        FOLDER,
        ("t/a", tarfile.DIRTYPE, ""),
        ("t/l", tarfile.SYMTYPE, "a"),
        ("t/l/x", tarfile.REGTYPE, ""),
    ),
    "twice": (FOLDER, ("t/x", tarfile.SYMTYPE, "y"), ("t/x", tarfile.REGTYPE, "")),
    "second name of nothing": (FOLDER, ("t/x", tarfile.LNKTYPE, "t/nothing")),
    "second name outside": (FOLDER, ("t/x", tarfile.LNKTYPE, "../../etc/passwd")),
    "second name of a link": (
        FOLDER,
        ("t/l", tarfile.SYMTYPE, "y"),
        ("t/x", tarfile.LNKTYPE, "t/l/z"),
    ),
    "pipe": (FOLDER, ("t/x", tarfile.FIFOTYPE, "")),
    "device": (FOLDER, ("t/x", tarfile.CHRTYPE, "")),
    "top that is a link": (("t", tarfile.SYMTYPE, "../x"),),
}


@pytest.mark.parametrize("made", HOSTILE.values(), ids=HOSTILE)
def test_what_would_reach_outside_is_refused(tmp_path: Path, made: Iterable[Entry]) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()

    with pytest.raises((UnsafeEntryError, FileError)):
        unpack(packed(*made), inner)

    assert [path.name for path in tmp_path.iterdir()] == ["inner"]


def test_links_that_stay_inside_are_kept(tmp_path: Path) -> None:
    unpack(
        packed(
            FOLDER,
            ("t/a", tarfile.DIRTYPE, ""),
            ("t/a/l", tarfile.SYMTYPE, "../b"),
            ("t/b", tarfile.REGTYPE, ""),
            ("t/c", tarfile.LNKTYPE, "t/b"),
        ),
        tmp_path,
    )

    assert (tmp_path / "top/a/l").resolve() == tmp_path / "top/b"
    assert (tmp_path / "top/c").samefile(tmp_path / "top/b")


@pytest.mark.parametrize("cut", [1, 511, 512, 1024, 1500, 1536])
def test_an_archive_that_is_cut_off_is_an_error(tmp_path: Path, cut: int) -> None:
    (tmp_path / "file").write_bytes(b"x" * 1000)
    whole = b"".join(pack(Parcel(tmp_path / "file", "f", Owner())))
    inner = tmp_path / "inner"
    inner.mkdir()

    with pytest.raises(EOFError):
        unpack(whole[:cut], inner)


@given(
    st.lists(st.binary(max_size=3000), max_size=4),
    st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1).filter(
        lambda name: name not in (".", "..") and len(name.encode()) < 200
    ),
    st.integers(100, 5000),
)
def test_what_is_packed_is_unpacked(contents: list[bytes], name: str, size: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "source", Path(folder) / "target"
        (source / name).mkdir(parents=True)
        target.mkdir()
        for number, content in enumerate(contents):
            (source / name / str(number)).write_bytes(content)
        parcel = Parcel(source, "t", Owner(7, 8))
        data = b"".join(pack(parcel))

        assert len(data) == size_of(parcel)
        unpack(data, target, size)
        found = {path.name: path.read_bytes() for path in (target / "top" / name).iterdir()}
        assert found == {str(number): content for number, content in enumerate(contents)}


def test_a_big_file_has_its_content_and_no_more_than_that(tmp_path: Path) -> None:
    content = os.urandom(BIG + 1)
    data = b"".join(pack_bytes("top", content, Owner(), 0o640, 0, ()))
    unpack(data, tmp_path, 64 * 1024)

    assert (tmp_path / "top").read_bytes() == content
    (tmp_path / "cut").mkdir()
    with pytest.raises(EOFError):
        unpack(data[: BIG // 2], tmp_path / "cut", 64 * 1024)


def test_headers_say_whose_it_is_and_what_must_be_made(tmp_path: Path) -> None:
    data = b"".join(pack_bytes("f", b"abc", Owner(7, 8), 0o640, 12.9, ("a", "b")))

    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        told = [(e.name, e.uid, e.gid, oct(e.mode), e.isdir()) for e in archive]
        content = archive.extractfile("a/b/f")
        assert content is not None
        assert content.read() == b"abc"
    assert told == [
        ("a", 7, 8, "0o755", True),
        ("a/b", 7, 8, "0o755", True),
        ("a/b/f", 7, 8, "0o640", False),
    ]


def test_names_that_are_no_text_survive(tmp_path: Path) -> None:
    source, target = tmp_path / "s", tmp_path / "t"
    source.mkdir()
    target.mkdir()
    os.close(os.open(os.fsencode(source) + b"/\xff\xfe", os.O_CREAT))

    unpack(b"".join(pack(Parcel(source, "x", Owner()))), target)

    assert [path.name for path in (target / "top").iterdir()] == [os.fsdecode(b"\xff\xfe")]


def test_a_file_that_shrinks_is_an_error_and_one_that_grows_is_cut(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x" * 600_000)
    growing = pack(Parcel(file, "f", Owner()))
    first = next(growing)
    with file.open("ab") as more:
        more.write(b"y" * 1000)
    with tarfile.open(fileobj=io.BytesIO(first + b"".join(growing))) as archive:
        assert archive.getmember("f").size == 600_000

    shrinking = pack(Parcel(file, "f", Owner()))
    next(shrinking)
    os.truncate(file, 10)
    with pytest.raises(FileError, match="shorter"):
        list(shrinking)
