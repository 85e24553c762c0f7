"""What the actions do that carry files and images: one function per action.

Copies are answered with a `Transfer` as soon as they have begun; whoever asked awaits it.
"""

from __future__ import annotations

import asyncio
import os
import posixpath
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from sandbox_tui.backends.base import Builds, Commits, Copies, Files, ImageFiles, Images
from sandbox_tui.hub.hub import Hub
from sandbox_tui.model.actions import (
    Action,
    BuildImage,
    ExportImages,
    ImportImages,
    ListFiles,
    Pull,
    PullImage,
    Push,
    ReadFile,
    Snapshot,
    WriteFile,
)
from sandbox_tui.model.files import FileEntry
from sandbox_tui.model.specs import ContainerSpec
from sandbox_tui.runtime.transfer import Transfer

Ability = TypeVar("Ability")


async def read_file(hub: Hub, action: ReadFile) -> bytes:
    """The content of a file."""
    return await hub.having(action.ref, Files, "have files").read(action.ref, action.path)


async def write_file(hub: Hub, action: WriteFile) -> None:
    """Make or replace a file."""
    able = hub.having(action.ref, Files, "have files")
    await able.write(action.ref, action.path, action.content)


async def list_files(hub: Hub, action: ListFiles) -> tuple[FileEntry, ...]:
    """What a folder holds."""
    return await hub.having(action.ref, Files, "have files").list(action.ref, action.path)


async def push(hub: Hub, action: Push) -> Transfer:
    """Copy in."""
    able = hub.having(action.ref, Copies, "be copied into")
    return await able.push(action.ref, _local(action.source), action.target)


async def pull(hub: Hub, action: Pull) -> Transfer:
    """Copy out; a `target` that ends in `/` is a folder, also when it is not there yet."""
    able = hub.having(action.ref, Copies, "be copied out of")
    target = _local(action.target)
    if action.target.endswith("/") and not await asyncio.to_thread(target.is_dir):
        target /= _name(action.source)
    return await able.pull(action.ref, action.source, target)


async def snapshot(hub: Hub, action: Snapshot) -> str:
    """Keep its files as an image."""
    able = hub.having(action.ref, Commits, "be kept as an image")
    return await able.snapshot(action.ref, action.image)


async def pull_image(hub: Hub, action: PullImage) -> Transfer:
    """Fetch an image."""
    return await _engine(hub, action.runtime, Images, "fetch images").pull_image(action.image)


async def build_image(hub: Hub, action: BuildImage) -> Transfer:
    """Build an image."""
    able = _engine(hub, action.runtime, Builds, "build images")
    return await able.build_image(_local(action.folder), action.image, dockerfile=action.dockerfile)


async def export_images(hub: Hub, action: ExportImages) -> Transfer:
    """Write images into a file."""
    able = _engine(hub, action.runtime, ImageFiles, "export images")
    return await able.export_images(action.images, _local(action.target))


async def import_images(hub: Hub, action: ImportImages) -> Transfer:
    """Take in the images of a file."""
    able = _engine(hub, action.runtime, ImageFiles, "import images")
    return await able.import_images(_local(action.source))


HANDLERS: Mapping[type[Action], Callable[[Hub, Any], Awaitable[object]]] = {
    ReadFile: read_file,
    WriteFile: write_file,
    ListFiles: list_files,
    Push: push,
    Pull: pull,
    Snapshot: snapshot,
    PullImage: pull_image,
    BuildImage: build_image,
    ExportImages: export_images,
    ImportImages: import_images,
}


def _engine(hub: Hub, runtime: str, ability: type[Ability], verb: str) -> Ability:
    """The engine that a container of that runtime would be made by."""
    home = hub.home(ContainerSpec(name="image", runtime=runtime))
    return hub.able(home, ability, verb)


def _name(path: str) -> str:
    """The last part of a path inside."""
    return posixpath.basename(posixpath.normpath(path))


def _local(path: str) -> Path:
    """A path of this machine; `~` is the home of whoever runs this."""
    return Path(os.path.expanduser(path))  # noqa: PTH111  # the other raises for no such user
