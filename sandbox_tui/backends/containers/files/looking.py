"""What stands under a path in a container, links followed."""

from __future__ import annotations

import base64
import posixpath
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from sandbox_tui.backends.containers.files.insides import PSEUDO, Inside, as_asked
from sandbox_tui.model.errors import FileError, NotFoundError, OperationFailedError
from sandbox_tui.model.files import FileKind

if TYPE_CHECKING:
    from sandbox_tui.backends.containers.engine.engine import Engine

_HEADER = "x-docker-container-path-stat"
_MOST_LINKS = 20

# The bits of a mode as Go has them.
_FOLDER = 1 << 31
_LINK = 1 << 27
_OTHER = 1 << 26 | 1 << 25 | 1 << 24 | 1 << 21 | 1 << 19


class _Stat(msgspec.Struct, frozen=True, rename="camel"):
    size: int = 0
    mode: int = 0
    link_target: str = ""


class Sight(NamedTuple):
    """What was found where a path leads to."""

    path: str
    """The path itself, or where the link in its place leads."""
    kind: FileKind | None = None
    """`None` when there is nothing, or nothing that an archive shows."""
    size: int = 0
    mode: int = 0

    @property
    def is_folder(self) -> bool:
        """Whether it is one."""
        return self.kind is FileKind.FOLDER


def look(engine: Engine, inside: Inside, path: str) -> Sight:
    """What is there; `path` is absolute. Raises `FileError` for links without an end."""
    path = _through_links(engine, inside, path) if set(inside.memory) - set(PSEUDO) else path
    for _ in range(_MOST_LINKS):
        found = _ask(engine, inside, path)
        if found is None:
            return Sight(path)
        if not found.mode & _LINK or found.link_target in ("", path):
            return Sight(path, _kind(found.mode), found.size, found.mode & 0o777)
        path = found.link_target
    raise FileError(path, "too many links")


def _through_links(engine: Engine, inside: Inside, path: str) -> str:
    """The path without links on the way: one may lead to where archives see nothing."""
    here, steps = "/", [step for step in path.split("/") if step]
    for number, step in enumerate(steps):
        here = posixpath.join(here, step)
        found = None if inside.hides(here) else _ask(engine, inside, here)
        if found is None:
            return posixpath.join(here, *steps[number + 1 :])
        if found.mode & _LINK and found.link_target:
            here = found.link_target
    return here


def _ask(engine: Engine, inside: Inside, path: str) -> _Stat | None:
    if inside.hides(path):
        return None
    ref, address = inside.box.ref, f"/containers/{inside.box.id}/archive"
    try:
        headers = engine.head(address, as_asked(engine, path), ref, "look into")
    except (NotFoundError, OperationFailedError):  # a head has no body that could say which
        return None
    with engine.talking():
        return msgspec.json.decode(base64.b64decode(headers.get(_HEADER, ""), b"-_"), type=_Stat)


def _kind(mode: int) -> FileKind:
    if mode & _FOLDER:
        return FileKind.FOLDER
    return FileKind.OTHER if mode & _OTHER else FileKind.FILE
