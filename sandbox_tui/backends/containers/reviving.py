"""Runs an ended container again. Of several that try at once, one does.

Engines tell two that start the same container at the same time that both have. So the programs of
one user take turns here, by a lock on a file.
"""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Generator
from typing import TYPE_CHECKING

from sandbox_tui.backends.containers.engine.replies import Box
from sandbox_tui.model.errors import AlreadyExistsError, ConflictError
from sandbox_tui.settings.paths import state_folder

if TYPE_CHECKING:
    from sandbox_tui.backends.containers.engine.engine import Engine


def revive(engine: Engine, box: Box) -> None:
    """Start it as it is. Raises `AlreadyExistsError` when somebody else was quicker."""
    with _turn():
        state = engine.inspect(box).state
        if state.running or state.restarting:
            raise AlreadyExistsError(box.ref)
        try:
            engine.begin(box)
        except ConflictError:
            raise AlreadyExistsError(box.ref) from None


@contextlib.contextmanager
def _turn() -> Generator[None]:
    """Wait until nobody else is at it."""
    folder = state_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "starting.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
