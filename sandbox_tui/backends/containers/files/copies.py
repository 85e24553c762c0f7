"""Files and folders copied into a container and out of it, streamed, for one working thread."""

from __future__ import annotations

import contextlib
import os
import posixpath
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox_tui.backends.containers.engine.replies import Box
from sandbox_tui.backends.containers.files import destinations
from sandbox_tui.backends.containers.files.archive_in import Tape, Unpacking, entries
from sandbox_tui.backends.containers.files.archive_out import Parcel, local_fault, pack, size_of
from sandbox_tui.backends.containers.files.files import told_fault
from sandbox_tui.backends.containers.files.hauling import Haul
from sandbox_tui.backends.containers.files.inner import Inner, complaint_of
from sandbox_tui.backends.containers.files.insides import Inside, as_asked, is_under, look_inside
from sandbox_tui.backends.containers.files.looking import look
from sandbox_tui.backends.containers.files.owners import owner_of
from sandbox_tui.model.errors import (
    AlreadyThereError,
    BackendUnavailableError,
    NoSuchFileError,
    NotFoundError,
    SandboxError,
)

if TYPE_CHECKING:
    from sandbox_tui.backends.containers.engine.engine import Engine
    from sandbox_tui.backends.containers.engine.stream import Stream

TEMPORARY = ".sandbox-tui-"
"""What the names begin with under which something unfinished lies."""

_MADE_UP = ("/proc", "/sys")
"""Where the kernel says no sizes, so that only reading to the end tells."""


def push(engine: Engine, box: Box, source: Path, target: str, haul: Haul) -> str:
    """Copy in; the path that was made. What was begun and not finished is taken away again."""
    inside = look_inside(engine, box)
    spot = destinations.aim(engine, inside, target, source.resolve().name)
    parcel = Parcel(source, spot.name, owner_of(engine, inside))
    haul.say(total=size_of(parcel, spot.missing), step=f"to {spot.path}")
    was_there = destinations.exists(engine, inside, spot)
    pieces = haul.counted(pack(parcel, spot.missing))
    try:
        destinations.put(engine, inside, spot, pieces, haul.held)
    except BackendUnavailableError as error:
        if not haul.is_stopped:  # it is lost, and what it has begun with it
            hint = f"Push it again when it answers: {spot.path} may be incomplete."
            raise BackendUnavailableError(error.place, error.reason, hint=hint) from error
        _take_away(engine, inside, spot, was_there=was_there)
        raise
    except BaseException:
        _take_away(engine, inside, spot, was_there=was_there)
        raise
    return spot.path


def pull(engine: Engine, box: Box, source: str, target: Path, haul: Haul) -> str:
    """Copy out; the path that was made. Nothing is there before all of it is."""
    inside = look_inside(engine, box)
    sight = look(engine, inside, inside.absolute(source))
    hidden = inside.hides(sight.path)
    if sight.kind is None and not hidden:
        raise NoSuchFileError(box.ref, source)
    end = _end(target, posixpath.basename(posixpath.normpath(source)) or box.ref.name)
    haul.say(total=None if sight.is_folder else sight.size or None, step=f"to {end}")
    with _workshop(end) as folder:
        if is_under(sight.path, _MADE_UP):
            _read_to_the_end(engine, inside, sight.path, folder / end.name, haul)
        elif hidden:
            _unpack_from_tar(engine, inside, sight.path, folder, end.name, haul)
        else:
            _unpack_archive(engine, box, sight.path, folder, end.name, haul)
        haul.check()
        _settle(folder / end.name, end)
    return str(end)


def _take_away(engine: Engine, inside: Inside, spot: destinations.Spot, *, was_there: bool) -> None:
    """Remove what was begun, where nothing was before and a program inside can."""
    if not was_there and inside.is_up:
        with contextlib.suppress(SandboxError):  # the failure itself is what is told
            complaint_of(engine, inside, "rm", "-rf", spot.first_new)


def _end(target: Path, name: str) -> Path:
    """The path that a pull makes. Raises `AlreadyThereError` for a folder in its way."""
    end = target / name if target.is_dir() else target
    if end.is_dir() and not end.is_symlink():
        raise AlreadyThereError(str(end))
    return Path(os.path.abspath(end))  # noqa: PTH100  # `resolve` would follow a link in its place


@contextlib.contextmanager
def _workshop(end: Path) -> Generator[Path]:
    """A folder on the same disk that is gone afterwards, whatever happens."""
    near = next(folder for folder in end.parents if folder.exists())
    try:
        folder = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=near))
    except OSError as error:
        raise local_fault(near, error) from error
    try:
        yield folder
    finally:
        import shutil  # not needed for a listing

        shutil.rmtree(folder, ignore_errors=True)


def _settle(made: Path, end: Path) -> None:
    """Put what is complete in its place."""
    if made.is_dir() and os.path.lexists(end):
        raise AlreadyThereError(str(end))
    try:
        end.parent.mkdir(parents=True, exist_ok=True)
        made.replace(end)
    except OSError as error:
        raise local_fault(end, error) from error


def _unpack_archive(
    engine: Engine, box: Box, path: str, folder: Path, name: str, haul: Haul
) -> None:
    address, params = f"/containers/{box.id}/archive", as_asked(engine, path)
    try:
        stream = engine.haul(haul.held, "GET", address, params, ref=box.ref, verb="read from")
    except NotFoundError:
        raise NoSuchFileError(box.ref, path) from None
    with contextlib.closing(stream), stream.talking():
        _unpack(Tape(lambda: _next(stream, haul)), folder, name)


def _unpack_from_tar(
    engine: Engine, inside: Inside, path: str, folder: Path, name: str, haul: Haul
) -> None:
    parent, last = posixpath.split(posixpath.normpath(path))
    argv = ("tar", "-c", "-f", "-", "-C", parent, f"./{last}")
    command = Inner(engine, inside, argv, haul.held)
    with contextlib.closing(command):
        command.feed(())
        pieces = haul.counted(command.output())
        try:
            _unpack(Tape(lambda: next(pieces, b"")), folder, name)
        except EOFError as error:
            raise told_fault(inside, path, command.ending().complaint) from error


def _read_to_the_end(engine: Engine, inside: Inside, path: str, end: Path, haul: Haul) -> None:
    command = Inner(engine, inside, ("cat", path), haul.held)
    with contextlib.closing(command), end.open("wb") as file:
        command.feed(())
        for piece in haul.counted(command.output()):
            file.write(piece)
        ending = command.ending()
    if ending.code:
        raise told_fault(inside, path, ending.complaint)


def _next(stream: Stream, haul: Haul) -> bytes:
    piece = stream.read()
    haul.add(len(piece))
    return piece


def _unpack(tape: Tape, folder: Path, name: str) -> None:
    with contextlib.closing(Unpacking(folder, name)) as unpacking:
        for below, entry in entries(tape):
            unpacking.put(below, entry, tape)
