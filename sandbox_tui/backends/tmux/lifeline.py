"""Have a control client end with this program, however that ends.

A client that outlives its reader is harm: tmux 3.3a cannot get rid of an answer that nobody will
ever read, keeps the client for ever, and `kill-server` waits for it. The kernel can be asked to
end a child with its parent; `setpriv` of util-linux asks it. Where there is none, a program that
is killed in the very moment of an answer leaves such a client.
"""

from __future__ import annotations

from collections.abc import Mapping

from sandbox_tui.backends.tmux import oneshot
from sandbox_tui.backends.tmux.wire import Words

_SETPRIV = ("setpriv", "--pdeathsig", "KILL")
_DEADLINE = 2.0


class Lifeline:
    """Finds out once whether it can be done here."""

    def __init__(self) -> None:
        self._words: Words | None = None

    async def words(self, environment: Mapping[str, str]) -> Words:
        """What to write before a program, to have it end with this one."""
        if self._words is None:
            self._words = _SETPRIV if await _works(environment) else ()
        return self._words


async def _works(environment: Mapping[str, str]) -> bool:
    trial = (*_SETPRIV, "true")
    try:
        done = await oneshot.run(trial, environment=environment, timeout=_DEADLINE)
    except OSError:
        return False
    return done.code == 0
