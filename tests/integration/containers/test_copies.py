"""Copies into and out of real containers: whole or not at all, and nothing beside them."""

# ruff: noqa: ASYNC240 - folders of this machine are looked at between two awaits

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import stat
from pathlib import Path

import pytest

from sandbox_tui.backends.containers.backend import ContainerBackend
from sandbox_tui.model.errors import (
    AlreadyThereError,
    FileError,
    NoSuchFileError,
    SandboxError,
    UnsafeEntryError,
)
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.runtime.transfer import Transfer
from tests.integration.containers.conftest import Outside, on_docker
from tests.support import retry_until_async

PYTHON = "sandbox-tui-test/python"
SLEEP = ("sleep", "1000")
UNSAFE = {
    "absolute": "ln -s /etc/passwd t/in/bad",
    "upwards": "ln -s ../../../etc/passwd t/in/bad",
    "through": "mkdir -p t/in/a/b; ln -s a/b/../../.. t/in/bad",
    "pipe": "mkfifo t/in/bad",
    "device": "mknod t/in/bad c 1 3",
}


def ref(name: str) -> Ref:
    return Ref.make(Kind.CONTAINER, name)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with everything that may be in one."""
    top = tmp_path / "tree $(x)\nof 'names'"
    (top / "deep" / "er").mkdir(parents=True)
    (top / "empty").mkdir()
    (top / "program").write_bytes(b"#!/bin/sh\necho ran\n")
    (top / "program").chmod(0o750)
    (top / "deep" / "er" / "big").write_bytes(os.urandom(3 * 2**20 + 17))
    (top / "deep" / "-rf").write_text("x" * 512)
    (top / ("long" * 50)).write_text("long")
    (top / "link").symlink_to("deep/er")
    (top / "far").symlink_to("/nowhere/at all")
    with socket.socket(socket.AF_UNIX) as bound, contextlib.chdir(top):
        bound.bind("sock")
    return top


async def test_a_tree_comes_back_as_it_was(
    backend: ContainerBackend, outside: Outside, tree: Path, tmp_path: Path
) -> None:
    box = ref(outside.run(*SLEEP))
    pushing = await backend.push(box, tree, "/w/")
    assert await pushing == f"/w/{tree.name}"
    assert pushing.progress.done == pushing.progress.total
    assert (tree / "deep" / "er" / "big").stat().st_size < pushing.progress.done

    entries = {entry.name: entry for entry in await backend.list(box, f"/w/{tree.name}")}
    assert entries.keys() == {path.name for path in tree.iterdir()} - {"sock"}
    assert entries["far"].target == "/nowhere/at all"
    assert entries["program"].mode == 0o750

    await _run(backend, box, "rm /w/*/far; touch -d '2001-02-03 04:05:06' /w/*/program")
    back = tmp_path / "back"
    assert await (await backend.pull(box, f"/w/{tree.name}", back)) == str(back)
    assert (back / "deep" / "er" / "big").read_bytes() == (tree / "deep/er/big").read_bytes()
    assert (back / "deep" / "-rf").read_text() == "x" * 512
    assert (back / ("long" * 50)).read_text() == "long"
    assert (back / "link").readlink() == Path("deep/er")
    assert (back / "empty").is_dir()
    assert stat.S_IMODE((back / "program").stat().st_mode) == 0o750
    assert (back / "program").stat().st_mtime == 981173106


async def test_where_a_push_goes(
    backend: ContainerBackend, outside: Outside, tmp_path: Path
) -> None:
    box = ref(outside.run(*SLEEP))
    source = tmp_path / "x"
    source.write_text("content")

    async def push(target: str) -> str:
        return await (await backend.push(box, source, target))

    assert await push("/tmp/") == "/tmp/x"
    assert await push("/new/folder/") == "/new/folder/x"
    assert await push("/new") == "/new/x"
    assert await push("/other/name") == "/other/name"
    assert await push("here") == "/here"
    assert await push("/") == "/x"
    assert await push("/other/name") == "/other/name"
    await _run(backend, box, "mkdir /real; ln -s /real /short; mkdir /taken /taken/x")
    assert await push("/short") == "/real/x"
    for target in ("/taken/x", "/taken"):
        if target == "/taken/x":
            assert await push(target) == "/taken/x/x"
        else:
            with pytest.raises(FileError):
                await push(target)
    with pytest.raises(FileError, match="no folder"):
        await push("/x/below")
    with pytest.raises(FileError, match="no such file"):
        await (await backend.push(box, tmp_path / "nothing", "/tmp/"))
    assert await backend.read(box, "/real/x") == b"content"


@on_docker
async def test_what_is_pushed_belongs_to_the_user(
    backend: ContainerBackend, outside: Outside, tree: Path
) -> None:
    box = ref(outside.run(*SLEEP, Image=PYTHON, User="sandbox"))

    await (await backend.push(box, tree, "new/"))

    said = await _run(
        backend, box, "find new -user sandbox -group sandbox | wc -l; find new | wc -l"
    )
    ours, every = said.split()
    assert ours == every
    assert await _run(backend, box, "new/*/program") == "ran"


async def test_memory_inside(
    backend: ContainerBackend, outside: Outside, tree: Path, tmp_path: Path
) -> None:
    host = {"ReadonlyRootfs": True, "Tmpfs": {"/work": "mode=1777"}}
    box = ref(outside.run(*SLEEP, host=host))

    assert await (await backend.push(box, tree, "/work")) == f"/work/{tree.name}"
    assert await _run(backend, box, "cd /work/*; sh ./program") == "ran"
    await _run(backend, box, "rm /work/*/far")
    await (await backend.pull(box, f"/work/{tree.name}", tmp_path / "back"))
    assert (tmp_path / "back/deep/er/big").read_bytes() == (tree / "deep/er/big").read_bytes()
    with pytest.raises(FileError, match="read-only"):
        await (await backend.push(box, tree / "program", "/etc/"))


async def test_where_a_pull_goes(
    backend: ContainerBackend, outside: Outside, tmp_path: Path
) -> None:
    box = ref(outside.shell("mkdir /d; echo new >/d/f; ln -s d /l; touch /r; exec sleep 1000"))
    await _there(backend, box, "/r")
    (tmp_path / "f").write_text("old")
    (tmp_path / "kept").mkdir()
    (tmp_path / "elsewhere").write_text("untouched")
    (tmp_path / "way").symlink_to("elsewhere")

    async def pull(source: str, target: Path) -> str:
        return await (await backend.pull(box, source, target))

    assert await pull("/d/f", tmp_path) == str(tmp_path / "f")
    assert (tmp_path / "f").read_text() == "new\n"
    assert await pull("/l", tmp_path / "kept") == str(tmp_path / "kept/l")
    assert (tmp_path / "kept/l/f").read_text() == "new\n"
    assert await pull("/d/f", tmp_path / "made/for it/g") == str(tmp_path / "made/for it/g")
    assert await pull("/d/f", tmp_path / "way") == str(tmp_path / "way")
    assert (tmp_path / "elsewhere").read_text() == "untouched"
    assert b"Linux" in Path(await pull("/proc/version", tmp_path)).read_bytes()
    with pytest.raises(AlreadyThereError):
        await pull("/l", tmp_path / "kept")
    with pytest.raises(AlreadyThereError):
        await pull("/d", tmp_path / "f")
    with pytest.raises(NoSuchFileError):
        await pull("/nothing", tmp_path / "nothing")
    with pytest.raises(FileError):
        await pull("/d/f", tmp_path / "f/below")
    assert _left_behind(tmp_path) == []


async def test_what_is_unsafe_is_refused_by_name(
    backend: ContainerBackend, outside: Outside, tmp_path: Path
) -> None:
    made = (f"mkdir -p /{kind}/t/in; cd /{kind}; {script}" for kind, script in UNSAFE.items())
    box = ref(outside.shell("; ".join([*made, "touch /r; exec sleep 1000"])))
    await _there(backend, box, "/r")

    for kind in UNSAFE:
        with pytest.raises(UnsafeEntryError) as refused:
            await (await backend.pull(box, f"/{kind}/t", tmp_path / "t"))
        assert refused.value.entry.endswith("in/bad")
    assert list(tmp_path.iterdir()) == []


async def test_a_cancelled_copy_leaves_nothing(
    backend: ContainerBackend, outside: Outside, tmp_path: Path
) -> None:
    box = ref(outside.shell("dd if=/dev/zero of=/big bs=1M count=64; touch /r; exec sleep 1000"))
    big = tmp_path / "big"
    with big.open("wb") as file:
        file.truncate(256 * 2**20)
    await _there(backend, box, "/r")

    pushing = await backend.push(box, big, "/new/place/")
    await _begun(pushing)
    await pushing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pushing
    with pytest.raises(NoSuchFileError):
        await backend.list(box, "/new")

    pulling = await backend.pull(box, "/big", tmp_path / "copy")
    await _begun(pulling)
    await pulling.cancel()
    assert [path.name for path in tmp_path.iterdir()] == ["big"]


@on_docker
async def test_fifty_at_once(backend: ContainerBackend, outside: Outside, tmp_path: Path) -> None:
    box = ref(outside.run(*SLEEP))
    for number in range(50):
        (tmp_path / f"in{number}").write_bytes(bytes([number]) * (1000 + number))

    async def there_and_back(number: int) -> bytes:
        target = f"/many/{number}"
        await (await backend.push(box, tmp_path / f"in{number}", target))
        if number % 2:
            return await backend.read(box, target)
        pulled = await (await backend.pull(box, target, tmp_path / f"out{number}"))
        return Path(pulled).read_bytes()

    contents = await asyncio.gather(*map(there_and_back, range(50)))

    for number, content in enumerate(contents):
        assert content == bytes([number]) * (1000 + number)


async def _begun(transfer: Transfer) -> None:
    async for progress in transfer:
        if progress.done > 2**20:
            return
    pytest.fail(f"it was over before it could be cancelled: {transfer.progress}")


def _left_behind(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.name.startswith(".sandbox-tui")]


async def _run(backend: ContainerBackend, box: Ref, code: str) -> str:
    result = await (await backend.execute(box, code))
    assert result.ok, result
    return result.stdout.rstrip("\n")


async def _there(backend: ContainerBackend, box: Ref, path: str) -> None:
    async def there() -> bool:
        try:
            await backend.read(box, path)
        except SandboxError:
            return False
        return True

    await retry_until_async(there, timeout=20)
