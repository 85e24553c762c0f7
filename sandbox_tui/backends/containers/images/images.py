"""Images that an engine has: whether, and carried in and out of it as files."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from sandbox_tui.backends.containers.engine.exchange import quoted
from sandbox_tui.backends.containers.engine.replies import Made
from sandbox_tui.backends.containers.files.archive_out import PIECE, local_fault
from sandbox_tui.backends.containers.files.copies import TEMPORARY
from sandbox_tui.backends.containers.files.hauling import Haul
from sandbox_tui.backends.containers.images.image_names import checked
from sandbox_tui.backends.containers.images.progress_lines import words
from sandbox_tui.model.errors import (
    FileError,
    ImageNotFoundError,
    InvalidSpecError,
    IsFolderError,
    NotFoundError,
    OperationFailedError,
)

if TYPE_CHECKING:
    from sandbox_tui.backends.containers.engine.engine import Engine

_LOADED = re.compile(r"Loaded image(?: ID|\(s\))?: (.+)")
_TAR = {"Content-Type": "application/x-tar"}
_UNFIT = "Export it again with: sandbox-tui image export"


def id_of(engine: Engine, image: str) -> str | None:
    """Its id; `None` when it is not here. Raises `InvalidSpecError` for what is no name."""
    address = f"/images/{quoted(checked(image))}/json"
    try:
        raw = engine.get(address, ref=image, verb="inspect")
    except NotFoundError:
        return None
    with engine.talking():
        return msgspec.json.decode(raw, type=Made).id


def export(engine: Engine, names: Sequence[str], target: Path, haul: Haul) -> str:
    """Write images into one file, which is there when it is complete. Answers with its path."""
    if not names:
        raise InvalidSpecError("images", "name at least one")
    for name in names:
        if id_of(engine, name) is None:
            raise ImageNotFoundError(name)
    query = "&".join(f"names={quoted(name)}" for name in names)
    haul.say(step=f"to {target}")
    stream = engine.haul(haul.held, "GET", f"/images/get?{query}", ref=names[0], verb="export")
    with contextlib.closing(stream), _new_file(target) as descriptor:
        while piece := stream.read():
            _write_all(descriptor, piece)
            haul.add(len(piece))
    return str(target)


def import_from(engine: Engine, source: Path, haul: Haul) -> str:
    """Take in the images of a file. Answers with their names, one per line."""
    haul.say(total=_size(source), step=f"from {source}")
    pieces, address = haul.counted(_pieces(source)), "/images/load"
    try:
        stream = engine.haul(
            haul.held, "POST", address, body=pieces, headers=_TAR, ref=str(source), verb="import"
        )
        with contextlib.closing(stream):
            said = list(words(stream))
    except OperationFailedError as error:
        raise FileError(str(source), " ".join(error.reason.split()), hint=_UNFIT) from error
    complaint = next((word.error for word in said if word.error), "")
    loaded = [name for word in said for name in _loaded(word.stream)]
    if complaint or not loaded:
        raise FileError(str(source), complaint or "it has no image", hint=_UNFIT)
    return "\n".join(loaded)


def _loaded(text: str) -> Iterator[str]:
    for found in _LOADED.finditer(text):
        yield from (name.strip() for name in found[1].split(","))


@contextlib.contextmanager
def _new_file(target: Path) -> Generator[int]:
    """A file that takes the place of `target` when all went well, and is gone otherwise."""
    if target.is_dir():
        raise IsFolderError(str(target))
    made: Path | None = None
    try:
        descriptor, name = tempfile.mkstemp(prefix=TEMPORARY, dir=target.parent)
        made = Path(name)
        with os.fdopen(descriptor, "wb"):
            yield descriptor
            os.fchmod(descriptor, 0o644)
            made.replace(target)
    except OSError as error:
        raise local_fault(target, error) from error
    finally:
        if made is not None:
            made.unlink(missing_ok=True)


def _write_all(descriptor: int, piece: bytes) -> None:
    rest = memoryview(piece)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _size(source: Path) -> int:
    if source.is_dir():
        raise IsFolderError(str(source))
    try:
        return source.stat().st_size
    except OSError as error:
        raise local_fault(source, error) from error


def _pieces(source: Path) -> Iterator[bytes]:
    try:
        with source.open("rb", buffering=0) as file:
            while piece := file.read(PIECE):
                yield piece
    except OSError as error:
        raise local_fault(source, error) from error
