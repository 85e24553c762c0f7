"""Rooms on disk: a log of each, which is the truth, and a notebook file made from it.

The log is only ever appended to, or replaced whole. The notebook file is what a person finds, what
is listed without a daemon, and what is left should the log be unreadable. File names are derived
from the names of rooms and never are those names. What cannot be read is set aside, and told.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from sandbox_tui.documents import records
from sandbox_tui.documents.files import append, aside, replace, set_aside
from sandbox_tui.documents.frames import is_torn
from sandbox_tui.documents.ipynb import (
    BrokenNotebookError,
    StoredNotebook,
    StoredRun,
    decode,
    encode,
)
from sandbox_tui.documents.notebook_files import described
from sandbox_tui.documents.room_log import DamagedLogError, StoredRoom, replayed
from sandbox_tui.documents.stored import KEY, SUFFIX
from sandbox_tui.model import codec
from sandbox_tui.model.specs import RoomSpec

LOG = ".log"
RUNS = ".runs"
"""The folder of what its runs said."""

_SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,79}")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


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
        for stem in sorted({path.stem for path in self._files()}):
            try:
                loaded.rooms.append(self._with_last_words(self._read(stem, loaded.notices)))
            except FileNotFoundError:
                continue  # its log was set aside, and it never had a notebook file
            except (OSError, BrokenNotebookError) as error:
                loaded.notices.append(f"{stem}{SUFFIX} is set aside: {error}")
                set_aside(self._folder / f"{stem}{SUFFIX}")
        return loaded

    def rewrite(self, name: str, log: bytes) -> None:
        """Replace the room's log; it is on the disk when this returns. Raises `OSError`."""
        self._make_folder()
        replace(self._path(name, LOG), log)

    def append(self, name: str, data: bytes) -> None:
        """Add to the room's log, all or nothing; then it is on the disk. Raises `OSError`."""
        append(self._path(name, LOG), data, sync=True)

    def checkpoint(self, room: StoredRoom) -> None:
        """Replace the room's notebook file. Raises `OSError`."""
        self._make_folder()
        replace(self._path(room.spec.name, SUFFIX), encode(_notebook(room)))

    def delete(self, name: str) -> None:
        """Remove the room's files, if there are any."""
        self._path(name, LOG).unlink(missing_ok=True)
        self._path(name, SUFFIX).unlink(missing_ok=True)
        import shutil  # not needed to list rooms

        shutil.rmtree(self.runs(name), ignore_errors=True)

    def runs(self, name: str) -> Path:
        """The folder of what the room's runs said."""
        return self._path(name, RUNS)

    def _files(self) -> Iterator[Path]:
        yield from self._folder.glob(f"*{SUFFIX}")
        yield from self._folder.glob(f"*{LOG}")

    def _read(self, stem: str, notices: list[str]) -> StoredRoom:
        log = self._folder / f"{stem}{LOG}"
        try:
            return _from_log(log, notices)
        except FileNotFoundError:
            pass  # written by a version that kept no logs
        except (OSError, DamagedLogError) as error:
            notices.append(f"{log.name} is set aside: {error}")
            set_aside(log)
        return _from_notebook(self._folder / f"{stem}{SUFFIX}")

    def _with_last_words(self, room: StoredRoom) -> StoredRoom:
        """What cells that ran had said until their daemon was killed."""
        runs = dict(room.runs)
        for cell_id, execution_id in room.running.items():
            record = records.read(self.runs(room.spec.name), execution_id)
            if record is not None:
                runs[cell_id] = StoredRun(None, tuple(record.outputs))
        return msgspec.structs.replace(room, runs=runs)

    def _make_folder(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def _path(self, name: str, suffix: str) -> Path:
        return self._folder / f"{file_stem(name)}{suffix}"


def file_stem(name: str) -> str:
    """The beginning of file names for a room: no path in it, and no two rooms share one.

    >>> file_stem("lab")
    'lab'
    >>> file_stem("../lab")
    'lab~f6d40f106bbe'
    """
    if _SAFE.fullmatch(name):
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    readable = _UNSAFE.sub("-", name).strip(".-")[:40]
    return f"{readable}~{digest}"


def _from_log(path: Path, notices: list[str]) -> StoredRoom:
    """The room as far as its log is sound; the log ends there from now on."""
    data = path.read_bytes()
    room, sound = replayed(data)
    if sound < len(data):
        if not is_torn(data, sound):
            notices.append(f"{path.name}: {len(data) - sound} bytes at its end are damaged")
            import shutil

            shutil.copyfile(path, aside(path))
        os.truncate(path, sound)
    return room


def _from_notebook(path: Path) -> StoredRoom:
    notebook = decode(path.read_bytes())
    metadata = dict(notebook.metadata)
    try:
        own = codec.convert(metadata.pop(KEY, None), _Own)
    except msgspec.ValidationError as error:
        raise BrokenNotebookError(f"its metadata does not say which room it is: {error}") from error
    return StoredRoom(
        spec=own.spec,
        created_at=own.created_at,
        notebook=msgspec.structs.replace(notebook, metadata=metadata, runs={}),
        runs=notebook.runs,
        running=dict.fromkeys(own.running, ""),
    )


def _notebook(room: StoredRoom) -> StoredNotebook:
    own = _Own(room.spec, room.created_at, tuple(room.running))
    ours = {KEY: codec.to_builtins(own)}
    metadata = {**described(room.spec.kernel), **room.notebook.metadata, **ours}
    return msgspec.structs.replace(room.notebook, metadata=metadata, runs=room.runs)
