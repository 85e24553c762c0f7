"""Files, copies and snapshots of every backend that has them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox_tui.backends.base import Copies, Files
from sandbox_tui.model.errors import (
    AlreadyThereError,
    FileError,
    IsFolderError,
    NoSuchFileError,
    NotFoundError,
)
from sandbox_tui.model.files import FileKind
from sandbox_tui.model.refs import Kind, Ref
from tests.contract.backends import CASES, Case

NAMES = ("plain", "two words", "line\nbreak", "$(id)", "-rf", "quo'te\"s", "ünï")
HAVING = [case for case in CASES if case.name in {"memory-container", "docker", "podman"}]


@pytest.fixture(params=HAVING, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> Case:
    case: Case = request.param
    case.needs()
    return case


@pytest.fixture
async def place(case: Case, home: Path) -> AsyncIterator[tuple[Files, Ref]]:
    """A backend and a running sandbox of it."""
    backend = await case.make(home)
    ref = await backend.start(case.spec(case.unique()))
    assert isinstance(backend, Files)
    yield backend, ref
    await backend.stop(ref, grace=0)
    await backend.remove(ref)
    await backend.aclose()


async def test_what_is_written_is_read_and_listed(place: tuple[Files, Ref]) -> None:
    files, ref = place
    for name in NAMES:
        await files.write(ref, f"/tmp/made/{name}", name.encode())
    await files.write(ref, "/tmp/made/folder/in it", b"")

    assert [await files.read(ref, f"/tmp/made/{name}") for name in NAMES] == [
        name.encode() for name in NAMES
    ]
    listed = await files.list(ref, "/tmp/made")
    assert [entry.name for entry in listed] == sorted((*NAMES, "folder"))
    assert {entry.name for entry in listed if entry.kind is FileKind.FOLDER} == {"folder"}
    assert {entry.size for entry in listed if entry.name == "plain"} == {5}


async def test_what_is_not_there_or_not_of_that_kind(place: tuple[Files, Ref]) -> None:
    files, ref = place
    await files.write(ref, "/tmp/file", b"")
    with pytest.raises(IsFolderError):
        await files.read(ref, "/tmp")
    with pytest.raises(NoSuchFileError):
        await files.read(ref, "/tmp/nothing")
    with pytest.raises(NoSuchFileError):
        await files.list(ref, "/tmp/nothing")
    with pytest.raises(FileError):
        await files.list(ref, "/tmp/file")
    with pytest.raises(FileError):
        await files.write(ref, "/tmp/file/below", b"")
    with pytest.raises(NotFoundError):
        await files.read(Ref.make(Kind.CONTAINER, "st-nobody"), "/tmp/file")


async def test_a_tree_goes_there_and_back(place: tuple[Files, Ref], tmp_path: Path) -> None:
    files, ref = place
    assert isinstance(files, Copies)
    tree = tmp_path / "a tree"
    (tree / "deep").mkdir(parents=True)
    (tree / "deep" / "file").write_bytes(b"content")

    pushing = await files.push(ref, tree, "/tmp/")
    assert [progress async for progress in pushing][-1].done > 0
    assert await pushing == "/tmp/a tree"
    assert await files.read(ref, "/tmp/a tree/deep/file") == b"content"
    assert await (await files.push(ref, tree / "deep" / "file", "/tmp/other")) == "/tmp/other"

    back = tmp_path / "back"
    assert await (await files.pull(ref, "/tmp/a tree", back)) == str(back)
    assert (back / "deep" / "file").read_bytes() == b"content"
    assert await (await files.pull(ref, "/tmp/other", back)) == str(back / "other")
    with pytest.raises(AlreadyThereError):
        await (await files.pull(ref, "/tmp/a tree/deep", back))
    with pytest.raises(NoSuchFileError):
        await (await files.pull(ref, "/tmp/nothing", tmp_path / "nothing"))
    with pytest.raises(FileError):
        await (await files.push(ref, tmp_path / "nothing", "/tmp/"))
