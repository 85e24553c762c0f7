"""Files of this machine as a tar stream, in constant memory.

`tarfile` remembers every entry of an archive that it writes, and copies in small pieces. Here only
its headers are used, in GNU's format: the one that engines and the tar of busybox both understand
for long names, names that are no text, and big files.
"""

from __future__ import annotations

import errno
import os
import stat
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from sandbox_tui.model.errors import FileError, IsFolderError

PIECE = 256 * 1024
BLOCK = tarfile.BLOCKSIZE
END = bytes(2 * BLOCK)

_FOLDER_MODE = 0o755
_TYPES = {
    stat.S_IFREG: tarfile.REGTYPE,
    stat.S_IFDIR: tarfile.DIRTYPE,
    stat.S_IFLNK: tarfile.SYMTYPE,
    stat.S_IFIFO: tarfile.FIFOTYPE,
}


class Owner(NamedTuple):
    """Whom files belong to, by number."""

    uid: int = 0
    gid: int = 0


class Parcel(NamedTuple):
    """What is copied: a file or folder, its name on the other side, and whose it is there."""

    source: Path
    name: str
    owner: Owner


def pack(parcel: Parcel, folders: tuple[str, ...] = ()) -> Iterator[bytes]:
    """The tar stream of a parcel; `folders` are made before it, each within the one before.

    A link given as the source is followed, links below it are kept as links. Sockets are left out,
    as nobody could use them there. Raises `FileError`.
    """
    yield from _parents(folders, parcel.owner)
    inside = "".join(f"{folder}/" for folder in folders)
    for path, name in walk(parcel.source, parcel.name):
        yield from as_entry(path, f"{inside}{name}", parcel.owner, follow=path is parcel.source)
    yield END


def pack_bytes(
    name: str, content: bytes, owner: Owner, mode: int, modified_at: float, folders: tuple[str, ...]
) -> Iterator[bytes]:
    """The tar stream of one file that is in memory."""
    inside = "".join(f"{folder}/" for folder in folders)
    yield from _parents(folders, owner)
    entry = _header(f"{inside}{name}", owner, mode)
    entry.size, entry.mtime = len(content), int(modified_at)
    yield _as_bytes(entry)
    for at in range(0, len(content), PIECE):
        yield content[at : at + PIECE]
    yield _padding(len(content)) + END


def size_of(parcel: Parcel, folders: tuple[str, ...] = ()) -> int:
    """How long the tar stream of a parcel is, in bytes, if nothing changes meanwhile."""
    total = len(END) + BLOCK * len(folders)
    inside = "".join(f"{folder}/" for folder in folders)
    for path, name in walk(parcel.source, parcel.name):
        entry = _look_at(path, f"{inside}{name}", parcel.owner, follow=path is parcel.source)
        if entry is not None:
            total += len(_as_bytes(entry)) + entry.size + len(_padding(entry.size))
    return total


def walk(
    source: Path, name: str, enter: Callable[[str], bool] | None = None
) -> Iterator[tuple[Path, str]]:
    """Every path of a tree with its name in the archive: a folder before what is in it.

    Folders whose name `enter` does not want are not looked into.
    """
    yield source, name
    if not source.is_dir() or (enter is not None and name and not enter(name)):
        return
    try:
        inner = sorted(os.listdir(source))  # noqa: PTH208  # a name is lighter than a path
    except OSError as error:
        raise local_fault(source, error) from error
    for last in inner:
        path, below = source / last, f"{name}/{last}" if name else last
        if path.is_symlink():
            yield path, below
        else:
            yield from walk(path, below, enter)


def as_entry(path: Path, name: str, owner: Owner, *, follow: bool = False) -> Iterator[bytes]:
    """One path as it stands in an archive: its header, and what is in it. Raises `FileError`."""
    entry = _look_at(path, name, owner, follow=follow)
    if entry is not None and entry.isreg():
        yield from _file(path, entry, follow=follow)
    elif entry is not None:
        yield _as_bytes(entry)


def _look_at(path: Path, name: str, owner: Owner, *, follow: bool) -> tarfile.TarInfo | None:
    """The header of a path; `None` for what is left out."""
    try:
        about = path.stat(follow_symlinks=follow)
        link = os.readlink(path) if stat.S_ISLNK(about.st_mode) else ""  # noqa: PTH115
    except OSError as error:
        raise local_fault(path, error) from error
    kind = _TYPES.get(stat.S_IFMT(about.st_mode))
    if kind is None:
        if stat.S_ISSOCK(about.st_mode):
            return None
        raise FileError(str(path), "it is a device")
    entry = _header(name, owner, stat.S_IMODE(about.st_mode))
    entry.type, entry.linkname, entry.mtime = kind, link, int(about.st_mtime)
    entry.size = about.st_size if entry.isreg() else 0
    return entry


def _file(path: Path, entry: tarfile.TarInfo, *, follow: bool) -> Iterator[bytes]:
    """Exactly as many bytes as the header says, whatever happens to the file meanwhile."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW))
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            entry.size = left = os.fstat(descriptor).st_size
            yield _as_bytes(entry)
            while left:
                piece = file.read(min(left, PIECE))
                if not piece:
                    raise FileError(str(path), "it became shorter while it was copied")
                left -= len(piece)
                yield piece
    except OSError as error:
        raise local_fault(path, error) from error
    yield _padding(entry.size)


def _parents(folders: tuple[str, ...], owner: Owner) -> Iterator[bytes]:
    for depth in range(1, len(folders) + 1):
        entry = _header("/".join(folders[:depth]), owner, _FOLDER_MODE)
        entry.type = tarfile.DIRTYPE
        yield _as_bytes(entry)


def _header(name: str, owner: Owner, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.uid, entry.gid = owner
    entry.mode = mode
    return entry


def _as_bytes(entry: tarfile.TarInfo) -> bytes:
    return entry.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")


def _padding(size: int) -> bytes:
    return bytes(-size % BLOCK)


def local_fault(path: Path, error: OSError) -> FileError:
    """What is wrong with a file of this machine."""
    if error.errno == errno.EISDIR:
        return IsFolderError(str(path))
    return FileError(str(path), (error.strerror or str(error)).lower())
