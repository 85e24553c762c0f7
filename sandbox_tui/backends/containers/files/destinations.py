"""Where something is put in a container: which folder is there, what must be made, which way in."""

from __future__ import annotations

import contextlib
import posixpath
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from sandbox_tui.backends.containers.files.inner import Held, Inner, complaint_of, unheld
from sandbox_tui.backends.containers.files.insides import Inside
from sandbox_tui.backends.containers.files.looking import look
from sandbox_tui.model.errors import (
    FileError,
    NoSuchFileError,
    NotFoundError,
    OperationFailedError,
)

if TYPE_CHECKING:
    from sandbox_tui.backends.containers.engine.engine import Engine

_TAR = {"Content-Type": "application/x-tar"}
_HINT = "Choose a folder that can be written: a tmpfs, or a volume."


class Spot(NamedTuple):
    """A place for one file or folder."""

    folder: str
    """What is there already; absolute."""
    missing: tuple[str, ...]
    """Folders to make, each within the one before."""
    name: str
    is_hidden: bool = False
    """Whether an archive would put it where nobody inside sees it."""

    @property
    def path(self) -> str:
        """The whole path."""
        return posixpath.join(self.folder, *self.missing, self.name)

    @property
    def first_new(self) -> str:
        """The outermost path that is made, when the spot is new."""
        return posixpath.join(self.folder, (*self.missing, self.name)[0])


def aim(engine: Engine, inside: Inside, target: str, name: str) -> Spot:
    """Where a source called `name` goes: into `target` when that is a folder, else in its place.

    A target that ends in `/` is a folder, which is made when it is missing.
    """
    path = inside.absolute(target)
    sight = look(engine, inside, path)
    into = path.endswith("/") or sight.is_folder
    if not into and inside.hides(sight.path):
        into = not complaint_of(engine, inside, "test", "-d", sight.path)
    return spot_of(engine, inside, posixpath.join(sight.path, name) if into else sight.path)


def spot_of(engine: Engine, inside: Inside, path: str) -> Spot:
    """The spot for exactly that path. Raises `FileError` when it cannot be a place."""
    clean = posixpath.normpath(path)
    folder, name = posixpath.dirname(clean), posixpath.basename(clean)
    if not name:
        raise FileError(path, "it has no name")
    missing: list[str] = []
    sight = look(engine, inside, folder)
    while sight.kind is None and folder != "/" and not inside.hides(sight.path):
        missing.insert(0, posixpath.basename(folder))
        folder = posixpath.dirname(folder)
        sight = look(engine, inside, folder)
    if inside.hides(sight.path):
        return Spot(posixpath.join(sight.path, *missing), (), name, is_hidden=True)
    if not sight.is_folder:
        raise FileError(folder, "it is no folder")
    return Spot(sight.path, tuple(missing), name)


def exists(engine: Engine, inside: Inside, spot: Spot) -> bool:
    """Whether something is there already."""
    if spot.is_hidden:
        return not complaint_of(engine, inside, "test", "-e", spot.path)
    return not spot.missing and look(engine, inside, spot.path).kind is not None


def put(
    engine: Engine, inside: Inside, spot: Spot, pieces: Iterable[bytes], held: Held = unheld
) -> None:
    """Unpack a tar stream there. Raises `FileError` with the engine's or the program's reason."""
    if spot.is_hidden:
        _put_with_tar(engine, inside, spot, pieces, held)
    else:
        _put_as_archive(engine, inside, spot, pieces, held)


def _put_as_archive(
    engine: Engine, inside: Inside, spot: Spot, pieces: Iterable[bytes], held: Held
) -> None:
    ref, address = inside.box.ref, f"/containers/{inside.box.id}/archive"
    params = {"path": spot.folder, "noOverwriteDirNonDir": "true"}
    try:
        stream = engine.haul(
            held, "PUT", address, params, body=pieces, headers=_TAR, ref=ref, verb="write to"
        )
        with contextlib.closing(stream):
            while stream.read():
                continue
    except NotFoundError:
        raise NoSuchFileError(ref, spot.folder) from None
    except OperationFailedError as error:
        raise _refusal(spot, error.reason) from error


def _put_with_tar(
    engine: Engine, inside: Inside, spot: Spot, pieces: Iterable[bytes], held: Held
) -> None:
    if complaint := complaint_of(engine, inside, "mkdir", "-p", spot.folder):
        raise _refusal(spot, complaint)
    command = Inner(engine, inside, ("tar", "-x", "-p", "-f", "-", "-C", spot.folder), held)
    with contextlib.closing(command):
        command.feed(pieces)
        ending = command.ending()
    if ending.code:
        raise _refusal(spot, ending.complaint)


def _refusal(spot: Spot, reason: str) -> FileError:
    words = " ".join(reason.split())
    if "read-only" in words.lower():
        return FileError(spot.path, "the file system is read-only", hint=_HINT)
    if "cannot overwrite non-directory" in words:
        return FileError(spot.path, "a folder cannot take the place of a file")
    if "cannot overwrite directory" in words:
        return FileError(spot.path, "a file cannot take the place of a folder")
    return FileError(spot.path, words)
