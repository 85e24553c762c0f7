"""Rooms on disk: one `.ipynb` file per room, replaced whole, never half.

File names are derived from the names of rooms and never are those names; what a room is called
stands inside its file. A file that cannot be read is set aside, not overwritten.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from sandbox_tui.documents.ipynb import (
    BrokenNotebookError,
    StoredNotebook,
    StoredRun,
    decode,
    encode,
)
from sandbox_tui.model import codec
from sandbox_tui.model.cells import Cell
from sandbox_tui.model.specs import RoomSpec

SUFFIX = ".ipynb"

KEY = "sandbox_tui"
"""Under which the notebook's metadata holds what only this program needs."""

_SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,79}")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


class StoredRoom(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of a room that outlives its daemon."""

    spec: RoomSpec
    created_at: float | None = None
    cells: tuple[Cell, ...] = ()
    runs: Mapping[str, StoredRun] = {}
    """What the last run of a cell said, by cell id."""
    interrupted: tuple[str, ...] = ()
    """Cells that were running when this was written."""


class Loaded(NamedTuple):
    """What a folder of rooms held, and a line for a person on each file that was set aside."""

    rooms: list[StoredRoom]
    notices: list[str]


class _Own(msgspec.Struct, frozen=True):
    spec: RoomSpec
    created_at: float | None = None
    running: tuple[str, ...] = ()


class RoomStore:
    """The rooms in one folder. Every method does file I/O: call it in a thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self) -> Loaded:
        """Read every room; what is broken is renamed and told."""
        loaded = Loaded([], [])
        for path in sorted(self._folder.glob(f"*{SUFFIX}")):
            try:
                loaded.rooms.append(_read(path))
            except (OSError, BrokenNotebookError) as error:
                loaded.notices.append(f"{path.name} is set aside: {error}")
                _set_aside(path)
        return loaded

    def save(self, room: StoredRoom) -> None:
        """Replace the room's file; it is on the disk when this returns. Raises `OSError`."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._path(room.spec.name)
        _replace(path, encode(_notebook(room)))

    def delete(self, name: str) -> None:
        """Remove the room's file, if there is one."""
        self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._folder / file_name(name)


def file_name(name: str) -> str:
    """A file name for a room of any name: no path in it, and no two rooms share one.

    >>> file_name("lab")
    'lab.ipynb'
    >>> file_name("../lab")
    'lab~f6d40f106bbe.ipynb'
    """
    if _SAFE.fullmatch(name):
        return f"{name}{SUFFIX}"
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    readable = _UNSAFE.sub("-", name).strip(".-")[:40]
    return f"{readable}~{digest}{SUFFIX}"


def _notebook(room: StoredRoom) -> StoredNotebook:
    own = _Own(room.spec, room.created_at, room.interrupted)
    language = "python" if room.spec.kernel.startswith("python") else room.spec.kernel
    metadata: dict[str, object] = {
        "kernelspec": {"name": room.spec.kernel, "display_name": room.spec.kernel},
        "language_info": {"name": language},
        KEY: codec.to_builtins(own),
    }
    return StoredNotebook(room.cells, room.runs, metadata)


def _read(path: Path) -> StoredRoom:
    notebook = decode(path.read_bytes())
    try:
        own = codec.convert(notebook.metadata.get(KEY), _Own)
    except msgspec.ValidationError as error:
        raise BrokenNotebookError(f"its metadata does not say which room it is: {error}") from error
    return StoredRoom(
        spec=own.spec,
        created_at=own.created_at,
        cells=notebook.cells,
        runs=notebook.runs,
        interrupted=own.running,
    )


def _set_aside(path: Path) -> None:
    number = 1
    while (aside := path.with_suffix(f".broken-{number}")).exists():
        number += 1
    try:
        path.rename(aside)
    except OSError:
        return  # it stays where it is; a room of that name replaces it only when it is saved


def _replace(path: Path, data: bytes) -> None:
    fresh = path.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """A rename is on the disk when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
