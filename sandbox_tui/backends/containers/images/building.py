"""An image built from a folder, by the engine's own builder."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox_tui.backends.containers.files.archive_out import END, Owner, as_entry, walk
from sandbox_tui.backends.containers.files.hauling import Haul
from sandbox_tui.backends.containers.images import ignoring
from sandbox_tui.backends.containers.images.image_names import split_own
from sandbox_tui.backends.containers.images.images import id_of
from sandbox_tui.backends.containers.images.progress_lines import Said, words
from sandbox_tui.model.errors import BuildFailedError, FileError, OperationFailedError

if TYPE_CHECKING:
    from sandbox_tui.backends.containers.engine.engine import Engine

_TAR = {"Content-Type": "application/x-tar"}
_LAST_LINES = 20


class Steps:
    """What the present step has said so far."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._unfinished = ""

    def take(self, said: Said) -> str:
        """Hear one word; the newest line."""
        *lines, self._unfinished = (self._unfinished + said.stream).split("\n")
        for line in filter(str.strip, lines):
            if line.upper().startswith("STEP "):
                self._lines.clear()
            self._lines.append(line.rstrip())
        return self._lines[-1] if self._lines else ""

    def told(self, error: str) -> str:
        """How it failed: the error, and what the step has said before."""
        return "\n".join([error, *self._lines, *filter(str.strip, [self._unfinished])])


def build(engine: Engine, folder: Path, image: str, dockerfile: str, haul: Haul) -> str:
    """Build it; its id. Raises `BuildFailedError` with what the failing step has said."""
    repository, tag = split_own(image)
    if not (folder / dockerfile).is_file() or Path(dockerfile).is_absolute():
        raise FileError(str(folder / dockerfile), "there is no such file in the folder")
    steps, made = Steps(), ""
    params = {"t": f"{repository}:{tag}", "dockerfile": dockerfile, "rm": "1", "forcerm": "1"}
    haul.say(step=f"reading {folder}")
    pieces = haul.counted(_context(folder, dockerfile))
    try:
        stream = engine.haul(
            haul.held, "POST", "/build", params, body=pieces, headers=_TAR, ref=image, verb="build"
        )
        with contextlib.closing(stream):
            for said in words(stream):
                haul.say(step=steps.take(said))
                if said.error:
                    raise BuildFailedError(image, steps.told(said.error.strip()))
                made = said.aux.id if said.aux else made
    except OperationFailedError as error:
        raise BuildFailedError(image, steps.told(error.reason)) from error
    return made or id_of(engine, image) or ""


def _context(folder: Path, dockerfile: str) -> Iterator[bytes]:
    """The tar stream of everything in the folder but what its `.dockerignore` keeps out."""
    ignored = ignoring.read(folder, (dockerfile, ignoring.FILE))

    def wanted(name: str) -> bool:
        return not ignored.has(name)

    for path, name in walk(folder, "", enter=None if ignored.takes_back else wanted):
        if name and wanted(name):
            yield from as_entry(path, name, Owner())
    yield END
