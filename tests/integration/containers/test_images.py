"""Images of real engines: fetched from a registry of our own, built, kept, carried as files."""

# ruff: noqa: ASYNC240 - folders of this machine are looked at between two awaits

from __future__ import annotations

import base64
import json
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox_tui.backends.containers import storage
from sandbox_tui.backends.containers.backend import ContainerBackend
from sandbox_tui.model.errors import (
    BuildFailedError,
    DeadlineError,
    FileError,
    ImageNotFoundError,
    InvalidSpecError,
    IsFolderError,
    NotFoundError,
    RegistryError,
)
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.model.specs import ContainerSpec
from tests.integration.containers.conftest import IMAGE, Outside, on_docker
from tests.integration.containers.registry import Registry
from tests.support import Engine

SLEEP = ("sleep", "1000")


@pytest.fixture
def registry() -> Iterator[Registry]:
    registry = Registry()
    yield registry
    registry.close()


@pytest.fixture
def image_name(outside: Outside) -> Iterator[Callable[[str], str]]:
    """Return a maker of names of images that are taken away at the end."""
    made: list[str] = []

    def name(prefix: str = "") -> str:
        made.append(f"{prefix}st-test-{uuid.uuid4().hex[:8]}")
        return made[-1]

    yield name
    outside.end()  # before what its containers are made of
    own = [each.rpartition("/")[2] for each in made]
    for tag in [tag for image in outside.client.images() for tag in image["RepoTags"] or ()]:
        if any(f"{each}:" in tag for each in own):  # the image may have the name of another, too
            outside.client.remove_image(tag)
    outside.client.prune_images({"dangling": True, "label": ["st-test=1"]})


def ref(name: str) -> Ref:
    return Ref.make(Kind.CONTAINER, name)


@on_docker
async def test_pull_with_progress(
    backend: ContainerBackend, registry: Registry, image_name: Callable[[str], str]
) -> None:
    image = image_name(f"{registry.host}/")
    assert not await backend.has_image(image)

    pulling = await backend.pull_image(image)
    seen = [progress async for progress in pulling]

    assert (await pulling).startswith("sha256:")
    assert await backend.has_image(image)
    assert await backend.has_image(f"{image}:latest")
    assert any(0 < progress.done < (progress.total or 0) for progress in seen)
    assert seen[-1].done == seen[-1].total
    assert (seen[-1].total or 0) > 2**20


@on_docker
@pytest.mark.parametrize(
    ("way", "error", "hint"),
    [
        ("missing", ImageNotFoundError, "Correct the name"),
        ("private", RegistryError, "docker login"),
        ("broken", RegistryError, "can be reached"),
    ],
)
async def test_what_a_registry_refuses(
    backend: ContainerBackend,
    registry: Registry,
    image_name: Callable[[str], str],
    way: str,
    error: type[Exception],
    hint: str,
) -> None:
    image = image_name(f"{registry.host}/")
    registry.ways[image.rpartition("/")[2]] = way

    with pytest.raises(error) as refused:
        await (await backend.pull_image(image))

    assert getattr(refused.value, "image", "") == image
    assert hint in getattr(refused.value, "hint", "")
    assert not await backend.has_image(image)


@on_docker
async def test_who_is_logged_in_may_pull(
    backend: ContainerBackend, registry: Registry, image_name: Callable[[str], str], home: Path
) -> None:
    image = image_name(f"{registry.host}/")
    registry.ways[image.rpartition("/")[2]] = "private"
    auth = base64.b64encode(b"me:secret").decode()
    (home / "home" / ".docker").mkdir()
    config = {"auths": {registry.host: {"auth": auth}}}
    (home / "home" / ".docker" / "config.json").write_text(json.dumps(config))

    await (await backend.pull_image(image))

    assert f"Basic {auth}" in {said for _, said in registry.asked}


@on_docker
async def test_a_registry_that_hangs(
    engine: Engine, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.ways["stuck"] = "hangs"
    monkeypatch.setattr(storage, "REGISTRY_QUIET", 1)
    backend = ContainerBackend(engine.url, patience=1)
    try:
        with pytest.raises(DeadlineError):
            await (await backend.pull_image(f"{registry.host}/stuck"))
        assert await backend.has_image(IMAGE)
    finally:
        await backend.aclose()


@on_docker
async def test_a_registry_that_cuts_off(
    backend: ContainerBackend, registry: Registry, image_name: Callable[[str], str]
) -> None:
    image = image_name(f"{registry.host}/")
    registry.ways[image.rpartition("/")[2]] = "cut"

    pulling = await backend.pull_image(image)
    async for progress in pulling:
        if "Retrying" in progress.step:  # as the engine does, for more than a minute
            break
    assert not pulling.is_done
    await pulling.cancel()

    assert not await backend.has_image(image)


@on_docker
async def test_a_registry_that_nobody_can_reach(backend: ContainerBackend) -> None:
    with pytest.raises(RegistryError) as refused:
        await (await backend.pull_image("127.0.0.1:9/nothing"))
    assert "127.0.0.1:9" in refused.value.hint
    with pytest.raises(InvalidSpecError):
        await (await backend.pull_image("No Image"))


async def test_build_and_start(
    backend: ContainerBackend,
    outside: Outside,
    image_name: Callable[[str], str],
    tmp_path: Path,
) -> None:
    image = image_name("")
    (tmp_path / "secret").write_text("do not send")
    (tmp_path / ".dockerignore").write_text("secret\n*.log\n!kept.log\n")
    (tmp_path / "kept.log").write_text("kept")
    (tmp_path / "lost.log").write_text("lost")
    (tmp_path / "run.sh").write_text("#!/bin/sh\ncat /all/kept.log; ls /all\n")
    (tmp_path / "run.sh").chmod(0o755)
    recipe = f"FROM {IMAGE}\nLABEL st-test=1\nCOPY . /all\nCMD /all/run.sh\n"
    (tmp_path / "Dockerfile").write_text(recipe)

    building = await backend.build_image(tmp_path, image)
    steps = [progress.step async for progress in building]
    built = await building

    assert built
    assert await backend.has_image(image)
    assert any(step for step in steps)
    name = outside.name()
    await backend.start(ContainerSpec(name=name, image=image))
    outside.client.wait(name)
    said = outside.client.logs(name).decode().split()
    assert "kept" in said[0]
    assert not {"secret", "lost.log"} & set(said)


async def test_a_build_that_fails_says_where(
    backend: ContainerBackend, image_name: Callable[[str], str], tmp_path: Path
) -> None:
    image = image_name("")
    (tmp_path / "Other").write_text(
        f"FROM {IMAGE}\nLABEL st-test=1\nRUN echo well\nRUN echo it breaks here >&2; exit 7\n"
    )

    with pytest.raises(BuildFailedError) as failed:
        await (await backend.build_image(tmp_path, image, dockerfile="Other"))

    assert "it breaks here" in failed.value.reason
    assert "7" in failed.value.reason
    assert not await backend.has_image(image)
    with pytest.raises(FileError, match="no such file"):
        await (await backend.build_image(tmp_path, image))
    with pytest.raises(InvalidSpecError):
        await (await backend.build_image(tmp_path, "UPPER CASE", dockerfile="Other"))


async def test_images_are_carried_as_files(
    backend: ContainerBackend,
    outside: Outside,
    image_name: Callable[[str], str],
    tmp_path: Path,
) -> None:
    image = image_name("localhost/")
    outside.client.tag(IMAGE, image)
    file = tmp_path / "images.tar"

    exporting = await backend.export_images([image], file)
    assert await exporting == str(file)
    assert exporting.progress.done == file.stat().st_size > 2**20
    outside.client.remove_image(image)
    assert not await backend.has_image(image)

    importing = await backend.import_images(file)
    assert image in await importing
    assert importing.progress.done == file.stat().st_size
    assert await backend.has_image(image)


async def test_files_that_are_no_images(
    backend: ContainerBackend, image_name: Callable[[str], str], tmp_path: Path
) -> None:
    (tmp_path / "noise").write_bytes(os.urandom(100_000))

    for path, error in (
        (tmp_path / "noise", FileError),
        (tmp_path / "nothing", FileError),
        (tmp_path, IsFolderError),
    ):
        with pytest.raises(error):
            await (await backend.import_images(path))
    with pytest.raises(ImageNotFoundError):
        await (await backend.export_images([IMAGE, "st-test-nothing"], tmp_path / "out"))
    with pytest.raises(IsFolderError):
        await (await backend.export_images([IMAGE], tmp_path))
    with pytest.raises(FileError):
        await (await backend.export_images([IMAGE], tmp_path / "no" / "folder"))
    assert [path.name for path in tmp_path.iterdir()] == ["noise"]


async def test_snapshot(
    backend: ContainerBackend, outside: Outside, image_name: Callable[[str], str]
) -> None:
    image, name = image_name("localhost/"), outside.name()
    box = await backend.start(ContainerSpec(name=name, image=IMAGE, command=SLEEP))
    await backend.write(box, "/state/of", b"things")

    made = await backend.snapshot(box, f"{image}:v1")

    found: Any = outside.client.inspect_image(f"{image}:v1")
    assert made.removeprefix("sha256:") == found["Id"].removeprefix("sha256:")
    labels = found["Config"]["Labels"]
    assert not any(value for key, value in labels.items() if key.startswith("sandbox-tui."))
    other = outside.run(*SLEEP, Image=f"{image}:v1")
    assert await backend.read(ref(other), "/state/of") == b"things"
    listed = {each.ref.name: each for each in await backend.poll()}
    assert listed[name].managed
    assert not listed[other].managed
    for bad in ("", "UPPER", "two words", "x:y:z", "$(x)", "a@sha256:" + "0" * 64):
        with pytest.raises(InvalidSpecError):
            await backend.snapshot(box, bad)
    with pytest.raises(NotFoundError):
        await backend.snapshot(ref("st-test-nobody"), image)
