"""The files of the memory backend's containers: only their contents, and only in memory."""

from __future__ import annotations

import asyncio
import hashlib
import posixpath
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from sandbox_tui.backends.memory.base import MemoryBackend
from sandbox_tui.model.errors import AlreadyThereError, FileError, IsFolderError, NoSuchFileError
from sandbox_tui.model.files import FileEntry, FileKind
from sandbox_tui.model.refs import Place, Ref
from sandbox_tui.runtime.transfer import Progress, Transfer

HOME = "/home/sandbox"
STEPS = 10
PAUSE = 0.05
"""Seconds between two steps of a copy, so that its progress can be seen."""

Contents = dict[str, bytes]
"""By absolute path. A folder is there when something is in it."""

Work = Callable[[Transfer], Coroutine[Any, Any, str]]


class MemoryFiles(MemoryBackend):
    """Files, Copies and Commits; there are no links, owners or modes."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._contents: dict[Ref, Contents] = {}

    async def read(self, ref: Ref, path: str) -> bytes:
        """The content of a file."""
        await self._answer()
        contents, path = self._of(ref), _absolute(path)
        if _is_folder(contents, path):
            raise IsFolderError(path)
        if path not in contents:
            raise NoSuchFileError(ref, path)
        return contents[path]

    async def write(self, ref: Ref, path: str, content: bytes) -> None:
        """Make or replace a file."""
        await self._answer()
        contents, path = self._of(ref), _absolute(path)
        if _is_folder(contents, path):
            raise IsFolderError(path)
        if any(path.startswith(f"{file}/") for file in contents):
            raise FileError(posixpath.dirname(path), "it is no folder")
        contents[path] = content

    async def list(self, ref: Ref, path: str = "") -> tuple[FileEntry, ...]:
        """What a folder holds; every home is there."""
        await self._answer()
        contents, path = self._of(ref), _absolute(path)
        if path in contents:
            raise FileError(path, "it is no folder")
        if not _is_folder(contents, path):
            raise NoSuchFileError(ref, path)
        below = _below(contents, path)
        names = sorted({name.partition("/")[0] for name in below})
        return tuple(_entry(name, below.get(name)) for name in names)

    async def push(self, ref: Ref, source: Path, target: str) -> Transfer:
        """Copy in."""

        async def work(transfer: Transfer) -> str:
            await self._answer()
            read = await asyncio.to_thread(_read, source)
            into = target.endswith("/") or _is_folder(self._of(ref), _absolute(target))
            end = posixpath.join(_absolute(target), source.name) if into else _absolute(target)
            await _take_time(transfer, sum(map(len, read.values())))
            for name, content in read.items():
                await self.write(ref, posixpath.join(end, name) if name else end, content)
            return end

        return _begun(f"push {source} to {ref}", work)

    async def pull(self, ref: Ref, source: str, target: Path) -> Transfer:
        """Copy out."""

        async def work(transfer: Transfer) -> str:
            await self._answer()
            contents, path = self._of(ref), _absolute(source)
            found = {"": contents[path]} if path in contents else _below(contents, path)
            if not found:
                raise NoSuchFileError(ref, path)
            await _take_time(transfer, sum(map(len, found.values())))
            return await asyncio.to_thread(_write, found, target, posixpath.basename(path))

        return _begun(f"pull {source} from {ref}", work)

    async def snapshot(self, ref: Ref, image: str) -> str:
        """An id; nothing is kept."""
        await self._answer()
        self.box(ref)
        return f"sha256:{hashlib.sha256(image.encode()).hexdigest()}"

    def _of(self, ref: Ref) -> Contents:
        self.box(ref)
        return self._contents.setdefault(ref, {})


def _begun(title: str, work: Work) -> Transfer:
    transfer = Transfer(title)
    transfer.carry(asyncio.create_task(work(transfer), name=title))
    return transfer


async def _take_time(transfer: Transfer, total: int) -> None:
    for step in range(1, STEPS + 1):
        await asyncio.sleep(PAUSE)
        transfer.advance(Progress(total * step // STEPS, total))


def _absolute(path: str) -> str:
    return posixpath.normpath(posixpath.join(HOME, path))


def _is_folder(contents: Mapping[str, bytes], path: str) -> bool:
    return path in ("/", HOME, "/tmp") or bool(_below(contents, path))


def _below(contents: Mapping[str, bytes], folder: str) -> Contents:
    """The files in a folder and its folders, by their names from there."""
    start = posixpath.join(folder, "")
    return {path[len(start) :]: data for path, data in contents.items() if path.startswith(start)}


def _entry(name: str, content: bytes | None) -> FileEntry:
    if content is None:
        return FileEntry(name=name, kind=FileKind.FOLDER, mode=0o755)
    return FileEntry(name=name, kind=FileKind.FILE, size=len(content), mode=0o644)


def _read(source: Path) -> Contents:
    """A file of this machine under no name, or those of a folder by their names in it."""
    try:
        if not source.is_dir():
            return {"": source.read_bytes()}
        files = (path for path in source.rglob("*") if path.is_file())
        return {str(path.relative_to(source)): path.read_bytes() for path in files}
    except OSError as error:
        raise FileError(str(source), (error.strerror or str(error)).lower()) from error


def _write(found: Contents, target: Path, name: str) -> str:
    end = target / name if target.is_dir() else target
    if end.is_dir():
        raise AlreadyThereError(str(end))
    try:
        for below, content in found.items():
            file = end / below if below else end
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
    except OSError as error:
        raise FileError(str(end), (error.strerror or str(error)).lower()) from error
    return str(end)
