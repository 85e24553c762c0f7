"""What a folder in a container holds.

An archive of it has its whole tree, so it is read only as far as a small tree goes; then `find`
inside looks at this one folder. Both know names with blanks and newlines. Without `find`, or in a
container that does not run, the archive is read to its end.
"""

from __future__ import annotations

import contextlib
import posixpath
import re
import secrets
import stat
import tarfile
from typing import TYPE_CHECKING

from sandbox_tui.backends.containers.files.archive_in import Tape, entries
from sandbox_tui.backends.containers.files.inner import Inner
from sandbox_tui.backends.containers.files.insides import Inside, as_asked
from sandbox_tui.model.errors import FileError, NoSuchFileError, NotFoundError, UnsupportedError
from sandbox_tui.model.files import FileEntry, FileKind

if TYPE_CHECKING:
    from sandbox_tui.backends.containers.engine.engine import Engine

SMALL = 512 * 1024
"""Bytes of an archive that come sooner than a command inside could start."""

_BY_TYPE = {stat.S_IFREG: FileKind.FILE, stat.S_IFDIR: FileKind.FOLDER, stat.S_IFLNK: FileKind.LINK}
_BY_LETTER = {"f": FileKind.FILE, "d": FileKind.FOLDER, "l": FileKind.LINK}
_FOUND = re.compile(r"(\d+) (\w) (\d+) (-?[\d.]+) (.*)", re.DOTALL)
_STATTED = re.compile(r"([0-9a-f]+) (\d+) (-?\d+) (.*)", re.DOTALL)

Entries = dict[str, FileEntry]


def list_folder(
    engine: Engine, inside: Inside, path: str, *, hidden: bool
) -> tuple[FileEntry, ...]:
    """Its entries, sorted by name. Raises `FileError`."""
    found = None if hidden else _from_archive(engine, inside, path, SMALL)
    if found is None and inside.is_up:
        try:
            found = _from_find(engine, inside, path)
        except UnsupportedError:
            if hidden:
                raise
    if found is None:
        found = _from_archive(engine, inside, path, None) or {}
    return tuple(found[name] for name in sorted(found))


def _from_archive(engine: Engine, inside: Inside, path: str, most: int | None) -> Entries | None:
    """From the archive of its tree; `None` when that is longer than `most` bytes."""
    ref, address = inside.box.ref, f"/containers/{inside.box.id}/archive"
    try:
        stream = engine.stream("GET", address, as_asked(engine, path), ref, "list")
    except NotFoundError:
        raise NoSuchFileError(ref, path) from None
    found: Entries = {}
    with contextlib.closing(stream), stream.talking():
        tape = Tape(stream.read)
        for name, entry in entries(tape):
            if name and "/" not in name:
                found[name] = _entry(name, entry, found)
            if most is not None and tape.tell() + entry.size > most:
                return None
    return found


def _entry(name: str, entry: tarfile.TarInfo, found: Entries) -> FileEntry:
    first = found.get(posixpath.basename(entry.linkname)) if entry.islnk() else None
    if entry.isreg() or entry.islnk():
        kind = FileKind.FILE
    elif entry.isdir():
        kind = FileKind.FOLDER
    else:
        kind = FileKind.LINK if entry.issym() else FileKind.OTHER
    return FileEntry(
        name=_text(name),
        kind=kind,
        size=first.size if first else entry.size,
        mode=entry.mode & 0o7777,
        modified_at=float(entry.mtime),
        target=_text(entry.linkname) if entry.issym() else "",
    )


def _from_find(engine: Engine, inside: Inside, path: str) -> Entries:
    """By a program inside: GNU's prints all by itself, that of busybox needs `stat` beside it."""
    marker = f"/{secrets.token_hex(8)}/"  # no name has a slash in it, and nobody can guess it
    # The slash at the end: a link to a folder is followed.
    here = ("find", posixpath.join(path, ""), "-mindepth", "1", "-maxdepth", "1")
    printed = ("-printf", f"{marker}%m %y %s %T@ %f{marker}%l")
    said, complaint = _run(engine, inside, (*here, *printed))
    if not complaint:
        return _read_found(said, marker)
    if "printf" not in complaint:
        raise _fault(inside, path, complaint)
    statted = ("-exec", "stat", "-c", f"{marker}%f %s %Y %n{marker}%N", "{}", "+")
    said, complaint = _run(engine, inside, (*here, *statted))
    if complaint:
        raise _fault(inside, path, complaint)
    return _read_stat(said, marker)


def _read_found(said: str, marker: str) -> Entries:
    found: Entries = {}
    fields = said.split(marker)[1:]
    for told, target in zip(fields[::2], fields[1::2], strict=False):
        if match := _FOUND.fullmatch(told):
            mode, letter, size, at, name = match.groups()
            found[name] = FileEntry(
                name=name,
                kind=_BY_LETTER.get(letter, FileKind.OTHER),
                size=int(size),
                mode=int(mode, 8),
                modified_at=float(at),
                target=target,
            )
    return found


def _read_stat(said: str, marker: str) -> Entries:
    found: Entries = {}
    fields = said.split(marker)[1:]
    for told, quoted in zip(fields[::2], fields[1::2], strict=False):
        if match := _STATTED.fullmatch(told):
            bits, size, at, path = match.groups()
            name, mode = posixpath.basename(path), int(bits, 16)
            kind = _BY_TYPE.get(stat.S_IFMT(mode), FileKind.OTHER)
            found[name] = FileEntry(
                name=name,
                kind=kind,
                size=int(size),
                mode=stat.S_IMODE(mode),
                modified_at=float(at),
                target=_target(quoted, path) if kind is FileKind.LINK else "",
            )
    return found


def _target(quoted: str, path: str) -> str:
    """Out of `'PATH' -> 'TARGET'` and a line end."""
    return quoted.removesuffix("\n").partition(f"{path}' -> '")[2].removesuffix("'")


def _run(engine: Engine, inside: Inside, argv: tuple[str, ...]) -> tuple[str, str]:
    """What a program prints, and what it complains of if it failed."""
    command = Inner(engine, inside, argv)
    with contextlib.closing(command):
        command.feed(())
        said = b"".join(command.output())
        ending = command.ending()
    complaint = (ending.complaint or "it failed") if ending.code else ""
    return said.decode("utf-8", "replace"), complaint


def _fault(inside: Inside, path: str, complaint: str) -> FileError | NoSuchFileError:
    if "no such file" in complaint.lower():
        return NoSuchFileError(inside.box.ref, path)
    return FileError(path, complaint.rpartition(": ")[2])


def _text(name: str) -> str:
    """A name that is no UTF-8 as one that can be shown."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
