"""A server that went away with sessions in it is bad news, and not an empty listing.

tmux ends with its last session, and then nothing is wrong. It also ends when it is killed or
crashes, with everything in it. From outside both look alike, so unless the end was asked for here
it is told, with the names of what it took along: until a server is back, or for a while when it
was a single session, which most likely ended by itself.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator, Sequence

from sandbox_tui.model.errors import BackendUnavailableError
from sandbox_tui.model.refs import Place
from sandbox_tui.model.world import Sandbox

TOLD_FOR = 30.0
"""How long the loss of a single session is told, in seconds."""

ENDED_FOR = 5.0
"""How long after a stop or a removal the server may end with its last session, in seconds."""


class Loss:
    """What the server took along when it ended."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._names: tuple[str, ...] = ()
        self._since = 0.0
        self._ending = 0
        self._ended_at = -ENDED_FOR

    @contextlib.contextmanager
    def expected(self) -> Generator[None]:
        """A session is ended from here: the server may well end with it."""
        self._ending += 1
        try:
            yield
        finally:
            self._ending -= 1
            self._ended_at = time.monotonic()

    def server_is_there(self) -> None:
        """Whatever was lost, there is a server again."""
        self._names = ()

    def server_is_gone(self, boxes: Sequence[Sandbox]) -> None:
        """Raise `BackendUnavailableError` while it has to be told what went with it."""
        now = time.monotonic()
        meant = self._ending > 0 or now < self._ended_at + ENDED_FOR
        if boxes and not meant and not self._names:
            self._names, self._since = tuple(box.ref.name for box in boxes), now
        if len(self._names) > 1 or (self._names and now < self._since + TOLD_FOR):
            reason = f"the server is gone, and with it {_listed(self._names)}"
            hint = "Start it again: tmux new -d -s NAME"
            raise BackendUnavailableError(str(self._place), reason, hint=hint)
        self._names = ()


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown
