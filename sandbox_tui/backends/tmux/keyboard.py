"""Typing into panes.

Text goes through a paste buffer of its own: it arrives byte for byte, of any length, and at the
program even when somebody scrolls that pane in copy mode. Enter follows as a stroke of its own
after a moment, because programs tell a paste by its speed.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import re
from weakref import WeakValueDictionary

from sandbox_tui.backends.tmux.server import Server
from sandbox_tui.backends.tmux.wire import Words
from sandbox_tui.model.errors import InvalidSpecError

BREATH = 0.04
"""Seconds between the text and Enter."""

INTERRUPT = "\x03"

_NAMED = (
    "BSpace|BTab|DC|Delete|Down|End|Enter|Escape|F1[0-2]|F[1-9]|Home|IC|Insert|Left|NPage|PPage|"
    "PageDown|PageUp|PgDn|PgUp|Right|Space|Tab|Up|KP[0-9*+/.-]|KPEnter"
)
_KEY = re.compile(rf"(?:[CMS]-)*(?:{_NAMED}|[^\s\x00-\x1f\x7f])", re.IGNORECASE)


class Keyboard:
    """Types into the panes of one server; whoever types says whether a program was there."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._numbers = itertools.count()

    async def type(self, pane: str, text: str, *, enter: bool) -> bool:
        """Type text as it is, then perhaps Enter; nothing of another call comes in between."""
        async with self._locks.setdefault(pane, asyncio.Lock()):
            is_there = not text or await self._paste(pane, text)
            if enter and is_there:
                await asyncio.sleep(BREATH if text else 0)
                is_there = await self._paste(pane, "\r")
        return is_there

    async def press(self, pane: str, key: str) -> bool:
        """Press one key. Raises `InvalidSpecError` for what is none."""
        if not _KEY.fullmatch(key):
            reason = f"{key!r} is no key; write it as C-c, M-x, Up, Enter, F5 or one character"
            raise InvalidSpecError("key", reason)
        leave_copy_mode = ("copy-mode", "-q", "-t", pane)
        return await self._do(pane, leave_copy_mode, ("send-keys", "-t", pane, "--", key))

    async def interrupt(self, pane: str) -> bool:
        """What Ctrl-C sends: the terminal makes a signal of it, or hands it to the program."""
        return await self._paste(pane, INTERRUPT)

    async def _paste(self, pane: str, text: str) -> bool:
        """Paste with care: in a pane that has died, it ends the whole server (tmux 3.3a).

        tmux looks whether the pane lives and pastes within one turn, so that it cannot die in
        between.
        """
        buffer = f"sandbox-tui-{os.getpid()}-{next(self._numbers)}"
        paste = " ".join(("paste-buffer", "-r", *self._raw, "-b", buffer, "-t", pane))
        return await self._do(
            pane,
            ("load-buffer", "-b", buffer, "-"),
            ("if-shell", "-F", "-t", pane, "#{pane_dead}", "", paste),
            ("delete-buffer", "-b", buffer),
            typed=text.encode("utf-8", "replace"),
        )

    async def _do(self, pane: str, *commands: Words, typed: bytes = b"") -> bool:
        look = ("display-message", "-p", "-t", pane, "#{pane_dead}")
        done = await self._server.do(*commands, look, typed=typed)
        return done.out == b"0\n"

    @property
    def _raw(self) -> tuple[str, ...]:
        """Since version 3.7 tmux escapes control characters unless told not to."""
        return ("-S",) if self._server.is_at_least(3, 7) else ()
