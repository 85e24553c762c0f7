"""Files of real containers, one at a time: names are only names, and what fails says why."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from sandbox_tui.backends.containers.backend import ContainerBackend
from sandbox_tui.model.errors import (
    FileError,
    IsFolderError,
    NoSuchFileError,
    NotFoundError,
    UnsupportedError,
)
from sandbox_tui.model.files import FileEntry, FileKind
from sandbox_tui.model.refs import Kind, Ref
from tests.integration.containers.conftest import Outside, on_docker

PYTHON = "sandbox-tui-test/python"
SLEEP = ("sleep", "1000")
NAMES = (
    "plain",
    "two words",
    "line\nbreak",
    "$(touch pwned)",
    "-rf",
    'it\'s "quoted"',
    "semi;colon && more",
    "ünïcödé",
    "back\\slash",
    "st*r [?]",
)


def ref(name: str) -> Ref:
    return Ref.make(Kind.CONTAINER, name)


def by_name(entries: tuple[FileEntry, ...]) -> dict[str, FileEntry]:
    return {entry.name: entry for entry in entries}


async def test_names_are_only_names(backend: ContainerBackend, outside: Outside) -> None:
    box = ref(outside.run(*SLEEP))
    for name in NAMES:
        await backend.write(box, f"/made/{name}", name.encode())

    assert [await backend.read(box, f"/made/{name}") for name in NAMES] == [
        name.encode() for name in NAMES
    ]
    entries = await backend.list(box, "/made")
    assert [entry.name for entry in entries] == sorted(NAMES)
    assert {entry.kind for entry in entries} == {FileKind.FILE}
    assert {entry.name: entry.size for entry in entries} == {n: len(n.encode()) for n in NAMES}

    for name in NAMES:
        await backend.write(box, f"/made/in {name}/file", b"below")
        assert await backend.read(box, f"/made/in {name}/file") == b"below"
        assert [entry.name for entry in await backend.list(box, f"/made/in {name}")] == ["file"]


async def test_a_large_tree_is_not_read_to_list_its_top(
    backend: ContainerBackend, outside: Outside
) -> None:
    script = (
        "mkdir -p /d/deep; dd if=/dev/zero of=/d/deep/big bs=1M count=20 2>/dev/null; "
        "echo hi >'/d/a b'; printf x >'/d/n\nl'; ln -s 'deep/b -> c' /d/link; mkfifo /d/pipe; "
        "chmod 640 '/d/a b'; touch /ready; exec sleep 1000"
    )
    box = ref(outside.shell(script))
    await _until(backend, box, "/ready")

    found = by_name(await backend.list(box, "/d"))

    assert {name: entry.kind for name, entry in found.items()} == {
        "a b": FileKind.FILE,
        "n\nl": FileKind.FILE,
        "deep": FileKind.FOLDER,
        "link": FileKind.LINK,
        "pipe": FileKind.OTHER,
    }
    assert (found["a b"].size, found["a b"].mode) == (3, 0o640)
    assert found["link"].target == "deep/b -> c"
    assert found["deep"].modified_at


@on_docker
async def test_gnu_find_lists_the_same(backend: ContainerBackend, outside: Outside) -> None:
    script = (
        "mkdir -p /tmp/d/deep; dd if=/dev/zero of=/tmp/d/deep/big bs=1M count=20 2>/dev/null; "
        "printf hi >'/tmp/d/n\nl %s'; ln -s 'x -> y' /tmp/d/link; touch /tmp/ready; exec sleep 1000"
    )
    box = ref(outside.run("sh", "-c", script, Image=PYTHON))
    await _until(backend, box, "/tmp/ready")

    found = by_name(await backend.list(box, "/tmp/d"))

    assert {name: (e.kind, e.target) for name, e in found.items()} == {
        "n\nl %s": (FileKind.FILE, ""),
        "deep": (FileKind.FOLDER, ""),
        "link": (FileKind.LINK, "x -> y"),
    }
    assert found["n\nl %s"].size == 2


async def test_files_of_a_container_that_does_not_run(
    backend: ContainerBackend, outside: Outside
) -> None:
    box = ref(outside.make(*SLEEP))

    await backend.write(box, "/later/file", b"soon")

    assert await backend.read(box, "/later/file") == b"soon"
    assert [entry.name for entry in await backend.list(box, "/later")] == ["file"]


async def test_an_image_without_a_shell(
    backend: ContainerBackend, outside: Outside, tmp_path: Path
) -> None:
    box = ref(outside.without_shell(tmp_path))

    await backend.write(box, "/x/y", b"z")

    assert await backend.read(box, "/x/y") == b"z"
    assert await backend.read(box, "/x/y") == b"z"
    assert [entry.name for entry in await backend.list(box, "/x")] == ["y"]
    await backend.write(box, "/x/empty", b"")
    assert await backend.read(box, "/x/empty") == b""


async def test_what_the_kernel_makes_up(backend: ContainerBackend, outside: Outside) -> None:
    box = ref(outside.run(*SLEEP))

    assert b"Linux" in await backend.read(box, "/proc/version")
    assert b"proc" in await backend.read(box, "/proc/mounts")
    assert "status" in by_name(await backend.list(box, "/proc/1"))
    with pytest.raises(IsFolderError):
        await backend.read(box, "/proc/1")
    with pytest.raises(NoSuchFileError):
        await backend.read(box, "/proc/nothing")


async def test_what_cannot_be_read(backend: ContainerBackend, outside: Outside) -> None:
    box = ref(outside.shell("ln -s nowhere /broken; ln -s loop /loop; touch /ready; sleep 1000"))
    await _until(backend, box, "/ready")

    with pytest.raises(IsFolderError) as folder:
        await backend.read(box, "/etc")
    assert folder.value.path == "/etc"
    assert folder.value.hint
    for path in ("/nothing", "/etc/passwd/below", "/broken", "relative"):
        with pytest.raises(NoSuchFileError) as missing:
            await backend.read(box, path)
        assert (missing.value.ref, missing.value.path) == (box, path)
    with pytest.raises((FileError, NoSuchFileError)):
        await backend.read(box, "/loop")
    with pytest.raises(NoSuchFileError):
        await backend.list(box, "/nothing")
    with pytest.raises(FileError, match="no folder"):
        await backend.list(box, "/etc/passwd")
    with pytest.raises(IsFolderError):
        await backend.write(box, "/etc", b"")
    with pytest.raises(FileError, match="no folder"):
        await backend.write(box, "/etc/passwd/below", b"")
    with pytest.raises(NotFoundError):
        await backend.read(ref("st-test-nobody"), "/x")


@on_docker
async def test_files_belong_to_the_configured_user(
    backend: ContainerBackend, outside: Outside
) -> None:
    box = ref(outside.run(*SLEEP, Image=PYTHON, User="sandbox"))
    await backend.write(box, "/home/sandbox/deep/er/file", b"mine")
    await backend.write(box, "relative", b"too")

    said = await _run(backend, box, "stat -c '%U:%G %a' ~/deep ~/deep/er ~/deep/er/file")
    assert said.split("\n")[:3] == ["sandbox:sandbox 755"] * 2 + ["sandbox:sandbox 644"]
    assert [entry.name for entry in await backend.list(box)].count("deep") == 1
    assert await _run(backend, box, "cat relative") == "too"
    await _run(backend, box, "chmod 751 ~/deep/er/file")
    await backend.write(box, "/home/sandbox/deep/er/file", b"again")
    found = by_name(await backend.list(box, "/home/sandbox/deep/er"))
    assert stat.S_IMODE(found["file"].mode) == 0o751


@on_docker
@pytest.mark.parametrize("user", ["1234:4321", "nobody:4321"])
async def test_users_by_number_and_name(
    backend: ContainerBackend, outside: Outside, user: str
) -> None:
    box = ref(outside.run(*SLEEP, Image=PYTHON, User=user))
    await backend.write(box, "/tmp/file", b"")

    ours, _, group = (await _run(backend, box, "stat -c %u:%g /tmp/file; id -u; id -g")).partition(
        "\n"
    )
    assert ours.split(":") == group.split()


async def test_memory_inside_and_a_root_that_is_read_only(
    backend: ContainerBackend, outside: Outside
) -> None:
    host = {"ReadonlyRootfs": True, "Tmpfs": {"/work": "mode=1777", "/var/deep": "mode=1777"}}
    name = outside.run(*SLEEP, host=host)
    box = ref(name)

    await backend.write(box, "/work/new/file name", b"in memory")

    assert await _run(backend, box, "cat '/work/new/file name'") == "in memory"
    assert await backend.read(box, "/work/new/file name") == b"in memory"
    assert [entry.name for entry in await backend.list(box, "/work")] == ["new"]
    with pytest.raises(FileError, match="read-only") as refused:
        await backend.write(box, "/etc/x", b"")
    assert "tmpfs" in refused.value.hint
    with pytest.raises(IsFolderError):
        await backend.read(box, "/work")
    with pytest.raises(NoSuchFileError):
        await backend.read(box, "/work/nothing")


async def test_links_lead_into_memory_too(backend: ContainerBackend, outside: Outside) -> None:
    box = ref(
        outside.shell(
            "ln -s /work /short; touch /ready; exec sleep 1000",
            host={"Tmpfs": {"/work": "mode=1777"}},
        )
    )
    await _until(backend, box, "/ready")

    await backend.write(box, "/short/file", b"far")

    assert await _run(backend, box, "cat /work/file") == "far"
    assert await backend.read(box, "/short/file") == b"far"
    assert [entry.name for entry in await backend.list(box, "/short")] == ["file"]


@on_docker  # podman's archives show what is in memory
async def test_memory_without_programs_is_a_clear_refusal(
    backend: ContainerBackend, outside: Outside, tmp_path: Path
) -> None:
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    binds = [f"{nothing}:/bin:ro", "/bin/busybox:/sleep:ro"]
    box = ref(outside.run("/sleep", "1000", host={"Binds": binds, "Tmpfs": {"/work": ""}}))

    with pytest.raises(UnsupportedError) as refused:
        await backend.write(box, "/work/x", b"")
    assert refused.value.hint
    with pytest.raises(UnsupportedError):
        await backend.read(box, "/proc/version")


async def _run(backend: ContainerBackend, box: Ref, code: str) -> str:
    result = await (await backend.execute(box, code))
    assert result.ok, result
    return result.stdout.rstrip("\n")


async def _until(backend: ContainerBackend, box: Ref, path: str) -> None:
    from tests.support import retry_until_async

    async def there() -> bool:
        try:
            await backend.read(box, path)
        except NoSuchFileError:
            return False
        return True

    await retry_until_async(there, timeout=10)
