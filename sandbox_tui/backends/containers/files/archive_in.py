"""A tar stream from a sandbox, put down on this machine: complete, or not at all.

What runs in a sandbox may be hostile, and so may the archive of its files be. Every entry is made
through the descriptor of its folder, without following any link, so that nothing can be written
outside whatever the entries before have put there; `tarfile`'s own extraction goes by paths, and
has been led astray more than once. What may be there are files, folders, and links that stay
inside; an entry of another kind ends the copy with an error that names it.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
import tarfile
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import IO, cast

from sandbox_tui.backends.containers.files.archive_out import PIECE, local_fault
from sandbox_tui.model.errors import UnsafeEntryError

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
BIG, BIGGEST = 2**20, 2**30
"""Sizes of files for which space is reserved: what an archive says of itself may be anything."""

_NEVER_KEPT = 0o7022
"""Bits of a mode: set-user-id and its like, and that others may write."""


class Tape:
    """The bytes of a stream as `tarfile` wants to read them; only ever forwards."""

    def __init__(self, read: Callable[[], bytes]) -> None:
        self._next = read
        self._rest: memoryview[int] = memoryview(b"")
        self._position = 0
        self.is_over = False
        """Whether more was wanted than there was."""

    def read(self, size: int) -> bytes:
        """That many bytes, or fewer at the end."""
        pieces: list[memoryview] = []
        while size > 0 and (self._rest or self._fill()):
            piece = self._rest[:size]
            self._rest = self._rest[size:]
            pieces.append(piece)
            size -= len(piece)
            self._position += len(piece)
        self.is_over = size > 0
        return b"".join(pieces)

    def take(self, size: int) -> memoryview:
        """At most that many bytes, as they lie there; none at the end."""
        if not self._rest and not self._fill():
            self.is_over = True
        piece, self._rest = self._rest[:size], self._rest[size:]
        self._position += len(piece)
        return piece

    def tell(self) -> int:
        """How many bytes have been read."""
        return self._position

    def seek(self, position: int) -> int:
        """Pass over what lies before `position`."""
        while self._position < position and self.read(min(PIECE, position - self._position)):
            continue
        return self._position

    def _fill(self) -> bool:
        self._rest = memoryview(self._next())
        return bool(self._rest)


def entries(tape: Tape) -> Iterator[tuple[str, tarfile.TarInfo]]:
    """Each entry with its name below the top, which is empty for the top itself.

    The content of a file stands on the tape when its entry is handed out. Raises `EOFError` for an
    archive that is cut off.
    """
    top = ""
    with _reading(tape) as archive:
        for number, entry in enumerate(archive):
            archive.members.clear()  # type: ignore[attr-defined]  # else it keeps them all
            name = posixpath.normpath(f"/{entry.name}").strip("/")
            if ".." in entry.name.split("/"):
                raise UnsafeEntryError(entry.name, "it would lie outside")
            if number == 0:
                top = f"{name}/" if name else ""
                yield "", entry
            elif not name.startswith(top):
                raise UnsafeEntryError(entry.name, "it lies beside what was asked for")
            else:
                yield name[len(top) :], entry
    if tape.is_over:
        raise EOFError("the archive has no end")


@contextlib.contextmanager
def _reading(tape: Tape) -> Generator[tarfile.TarFile]:
    try:
        with tarfile.open(
            fileobj=cast("IO[bytes]", tape),
            mode="r:",
            encoding="utf-8",
            errors="surrogateescape",
        ) as archive:
            yield archive
    except tarfile.TarError as error:
        raise EOFError(str(error)) from error


class Unpacking:
    """Puts entries down in a folder of their own, as `name`. Close it at the end."""

    def __init__(self, folder: Path, name: str) -> None:
        self._root = os.open(folder, _FOLDER)
        self._name = name
        self._near = ("", os.dup(self._root))

    def close(self) -> None:
        """Let go of the folders."""
        os.close(self._near[1])
        os.close(self._root)

    def put(self, name: str, entry: tarfile.TarInfo, tape: Tape) -> None:
        """Make one entry. Raises `UnsafeEntryError`, or `FileError` when there is no room."""
        path = posixpath.join(self._name, name) if name else self._name
        folder, _, last = path.rpartition("/")
        try:
            self._make(entry, last, self._folder(folder), path, tape)
        except (NotADirectoryError, FileExistsError):
            raise UnsafeEntryError(entry.name, "another entry is in its place") from None
        except OSError as error:
            raise local_fault(Path(path), error) from error

    def _make(self, entry: tarfile.TarInfo, name: str, folder: int, path: str, tape: Tape) -> None:
        if entry.isdir():
            os.mkdir(name, dir_fd=folder)
        elif entry.isreg() and not entry.issparse():
            _write(entry, name, folder, tape)
        elif entry.issym():
            self._may_point(entry, path)
            os.symlink(entry.linkname, name, dir_fd=folder)
        elif entry.islnk():
            self._link(entry, name, folder)
        else:
            raise UnsafeEntryError(entry.name, f"it is a {_kind(entry)}")

    def _may_point(self, entry: tarfile.TarInfo, path: str) -> None:
        """Refuse a link that leads outside.

        Steps upwards count only at its beginning, where they go up from a folder that was made
        here; after a name, which may be another link, nobody knows what they go up from.
        """
        steps = entry.linkname.split("/")
        ups = next((n for n, step in enumerate(steps) if step not in ("..", ".", "")), len(steps))
        height = sum(step == ".." for step in steps[:ups])
        depth = path.count("/") - 1
        if entry.linkname.startswith("/") or height > depth or ".." in steps[ups:]:
            raise UnsafeEntryError(entry.name, f"it links to {entry.linkname!r}")

    def _link(self, entry: tarfile.TarInfo, name: str, folder: int) -> None:
        """A second name of a file that came before."""
        first = posixpath.normpath(f"/{entry.linkname}").strip("/").partition("/")[2]
        path = posixpath.join(self._name, first) if first else self._name
        inside, _, last = path.rpartition("/")
        source = self._walk(inside)
        try:
            os.link(last, name, src_dir_fd=source, dst_dir_fd=folder, follow_symlinks=False)
        finally:
            os.close(source)

    def _folder(self, path: str) -> int:
        """The descriptor of a folder; entries of one folder mostly follow each other."""
        if self._near[0] != path:
            opened = self._walk(path)
            os.close(self._near[1])
            self._near = (path, opened)
        return self._near[1]

    def _walk(self, path: str) -> int:
        """Open a folder step by step. Raises `NotADirectoryError` when a link is on the way."""
        here = os.dup(self._root)
        for step in filter(None, path.split("/")):
            try:
                inner = os.open(step, _FOLDER, dir_fd=here)
            finally:
                os.close(here)
            here = inner
        return here


def _write(entry: tarfile.TarInfo, name: str, folder: int, tape: Tape) -> None:
    left = entry.size
    descriptor = os.open(name, _NEW, 0o600, dir_fd=folder)
    with os.fdopen(descriptor, "wb") as file:
        if BIG <= entry.size <= BIGGEST:
            _reserve(descriptor, entry.size)
        while left:
            piece = tape.take(left)
            if not piece:
                raise EOFError("the archive ends within a file")
            file.write(piece)
            left -= len(piece)
        file.flush()
        with contextlib.suppress(OverflowError):  # a moment that this machine cannot name
            os.utime(descriptor, (entry.mtime, entry.mtime))
        os.fchmod(descriptor, entry.mode & 0o777 & ~_NEVER_KEPT | 0o600)


def _reserve(descriptor: int, size: int) -> None:
    """Have the space of a file at once, where that can be had; if not, writing will tell.

    Ext4 else begins to write all of it to the disk when it takes the place of an older file. Not by
    `os.posix_fallocate`: where that cannot be had, it writes to every block.
    """
    import ctypes  # not needed for a listing

    fallocate = getattr(ctypes.CDLL(None), "fallocate64", None)
    if fallocate is not None:
        fallocate(descriptor, 0, ctypes.c_int64(0), ctypes.c_int64(size))


def _kind(entry: tarfile.TarInfo) -> str:
    kinds = {tarfile.FIFOTYPE: "pipe", tarfile.CHRTYPE: "device", tarfile.BLKTYPE: "device"}
    return kinds.get(entry.type, "thing that no folder here can hold")
