"""Files of a container, one at a time and in memory; trees are copied in `copies`."""

from __future__ import annotations

import contextlib
import posixpath
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sandbox_tui.backends.containers.engine.replies import Box
from sandbox_tui.backends.containers.files import destinations, folders
from sandbox_tui.backends.containers.files.archive_in import Tape, entries
from sandbox_tui.backends.containers.files.archive_out import pack_bytes
from sandbox_tui.backends.containers.files.inner import Inner
from sandbox_tui.backends.containers.files.insides import Inside, as_asked, look_inside
from sandbox_tui.backends.containers.files.looking import Sight, look
from sandbox_tui.backends.containers.files.owners import home_of, owner_of
from sandbox_tui.model.errors import (
    FileError,
    IsFolderError,
    NoSuchFileError,
    NotFoundError,
    SandboxError,
    UnsupportedError,
)
from sandbox_tui.model.files import FileEntry

if TYPE_CHECKING:
    from sandbox_tui.backends.containers.engine.engine import Engine

LARGEST = 64 * 1024 * 1024
"""Bytes that are read at once; what is larger can be pulled."""

_NEW_MODE = 0o644


def read(engine: Engine, box: Box, path: str) -> bytes:
    """The content of a file. Raises `NoSuchFileError`, `IsFolderError`, `FileError`."""
    inside = look_inside(engine, box)
    sight = look(engine, inside, inside.absolute(path))
    if inside.hides(sight.path):
        return _read_with_cat(engine, inside, sight.path)
    if sight.kind is None:
        raise NoSuchFileError(box.ref, path)
    if sight.is_folder:
        raise IsFolderError(path)
    if sight.size or not inside.is_up:
        return _read_from_archive(engine, inside, sight)
    with contextlib.suppress(UnsupportedError):  # then it really is empty, as far as can be told
        return _read_with_cat(engine, inside, sight.path)  # some of the kernel's files say 0
    return b""


def write(engine: Engine, box: Box, path: str, content: bytes) -> None:
    """Make or replace a file as the container's user; one that was there keeps its mode."""
    inside = look_inside(engine, box)
    sight = look(engine, inside, inside.absolute(path))
    if sight.is_folder or path.endswith("/"):
        raise IsFolderError(path)
    spot = destinations.spot_of(engine, inside, sight.path)
    mode = sight.mode if sight.kind is not None else _NEW_MODE
    owner = owner_of(engine, inside)
    pieces = pack_bytes(spot.name, content, owner, mode, time.time(), spot.missing)
    destinations.put(engine, inside, spot, pieces)


def entries_of(engine: Engine, box: Box, path: str) -> tuple[FileEntry, ...]:
    """What a folder holds, sorted by name. Raises `NoSuchFileError`, `FileError`."""
    inside = look_inside(engine, box)
    start = inside.absolute(path) if path else home_of(engine, inside)
    sight = look(engine, inside, start)
    hidden = inside.hides(sight.path)
    if not hidden and sight.kind is None:
        raise NoSuchFileError(box.ref, start)
    if not hidden and not sight.is_folder:
        raise FileError(start, "it is no folder")
    return folders.list_folder(engine, inside, sight.path, hidden=hidden)


def told_fault(inside: Inside, path: str, complaint: str) -> SandboxError:
    """What a program inside has said of a file, as an error."""
    words = complaint.lower()
    if "no such file" in words:
        return NoSuchFileError(inside.box.ref, path)
    if "is a directory" in words:
        return IsFolderError(path)
    return FileError(path, complaint.rpartition(": ")[2] or "it cannot be read")


def _read_from_archive(engine: Engine, inside: Inside, sight: Sight) -> bytes:
    if sight.size > LARGEST:
        raise _too_large(inside, sight.path)
    box, address = inside.box, f"/containers/{inside.box.id}/archive"
    try:
        stream = engine.stream("GET", address, as_asked(engine, sight.path), box.ref, "read in")
    except NotFoundError:
        raise NoSuchFileError(box.ref, sight.path) from None
    with contextlib.closing(stream), stream.talking():
        return _first(Tape(stream.read), inside, sight.path)


def _first(tape: Tape, inside: Inside, path: str) -> bytes:
    """The content of the file that an archive begins with."""
    for _, entry in entries(tape):
        if not entry.isreg():
            raise FileError(path, "it is no file")
        if entry.size > LARGEST:
            raise _too_large(inside, path)
        content = tape.read(entry.size)
        if len(content) == entry.size:
            return content
    raise EOFError


def _read_with_cat(engine: Engine, inside: Inside, path: str) -> bytes:
    command = Inner(engine, inside, ("cat", path))
    with contextlib.closing(command):
        command.feed(())
        content = b"".join(_at_most(command.output(), inside, path))
        ending = command.ending()
    if ending.code:
        raise told_fault(inside, path, ending.complaint)
    return content


def _at_most(pieces: Iterator[bytes], inside: Inside, path: str) -> Iterator[bytes]:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > LARGEST:
            raise _too_large(inside, path)
        yield piece


def _too_large(inside: Inside, path: str) -> FileError:
    hint = f"Run: sandbox-tui pull {inside.box.ref} {posixpath.normpath(path)} ."
    return FileError(path, f"it is larger than {LARGEST >> 20} MB", hint=hint)
