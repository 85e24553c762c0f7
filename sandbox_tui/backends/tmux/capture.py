"""What panes show now, read again only where something may have changed.

Many times a second each quiet pane is first fingerprinted, which costs tmux next to nothing. The
cursor and the size tell most changes; what repaints in place and puts the cursor back is told by
the time of the last output. tmux keeps that time in whole seconds, so a pane that spoke in the
second of its capture is captured again until a later second: nothing is ever missed.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sandbox_tui.backends.tmux.rows import rows_of
from sandbox_tui.backends.tmux.server import Server
from sandbox_tui.backends.tmux.wire import Reply, Words
from sandbox_tui.model.outputs import Screen
from sandbox_tui.model.refs import Ref

FINGERPRINT = (
    "#{window_activity} #{pane_id} #{pane_width} #{pane_height} #{cursor_x} #{cursor_y} "
    "#{cursor_flag} #{alternate_on} #{history_size} #{pane_dead} #{pane_title}"
)

_COSTLY_PAUSE = 0.5
"""Seconds between two captures while each costs a process."""

_KEPT = 128
"""How many screens are remembered; the ones looked at least lately are forgotten."""


class _Seen(NamedTuple):
    """A screen and what it was made of."""

    fingerprint: bytes
    body: bytes
    at: int
    screen: Screen

    @property
    def is_certain(self) -> bool:
        """Whether the same fingerprint again proves that nothing was said since."""
        return int(self.fingerprint.partition(b" ")[0]) < self.at


class Captures:
    """The screens of one server's sessions, by session id."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._seen: dict[str, _Seen] = {}
        self._renewed_at = 0.0

    async def of(self, sessions: Mapping[Ref, str]) -> dict[Ref, Screen]:
        """What the active panes of these sessions show; the same object while it is the same."""
        outdated = await self._outdated(tuple(sessions.values()))
        if outdated:
            await self._renew(outdated)
        shown = {ref: self._seen.get(session) for ref, session in sessions.items()}
        return {ref: seen.screen for ref, seen in shown.items() if seen is not None}

    async def _outdated(self, sessions: Sequence[str]) -> list[str]:
        """The sessions whose screen has to be read again."""
        if not self._server.is_cheap:
            is_early = time.monotonic() < self._renewed_at + _COSTLY_PAUSE
            return [] if is_early else list(sessions)
        settled = [session for session in sessions if self._is_settled(session)]
        replies = await self._server.ask(*map(_fingerprint, settled))
        told = dict(zip(settled, replies or [_GONE] * len(settled), strict=True))
        return [s for s in sessions if s not in told or self._has_changed(s, told[s])]

    def _is_settled(self, session: str) -> bool:
        """Whether a fingerprint can prove anything; else the screen is read without one."""
        seen = self._seen.get(session)
        return seen is not None and seen.is_certain

    def _has_changed(self, session: str, reply: Reply) -> bool:
        """Whether there is something new to read; of a session that is gone there never is."""
        if not reply.ok:
            self._seen.pop(session, None)
            return False
        seen = self._seen.get(session)
        return seen is None or seen.fingerprint != reply.body

    async def _renew(self, sessions: Sequence[str]) -> None:
        """Read screens, each together with the fingerprint of the very same moment."""
        pairs = [part for session in sessions for part in (_fingerprint(session), _rows(session))]
        replies = await self._server.ask(*pairs) or [_GONE] * len(pairs)
        self._renewed_at = time.monotonic()
        for session, look, rows in zip(sessions, replies[::2], replies[1::2], strict=True):
            before = self._seen.pop(session, None)
            if look.ok and rows.ok:
                self._seen[session] = _see(look, rows, before)
        for session in list(self._seen)[:-_KEPT]:
            del self._seen[session]


def _see(look: Reply, rows: Reply, before: _Seen | None) -> _Seen:
    if before is not None and _same(before, look, rows):
        screen = before.screen
    else:
        screen = _screen(look.text, rows.body)
    return _Seen(look.body, rows.body, look.at, screen)


def _same(seen: _Seen, look: Reply, rows: Reply) -> bool:
    """Whether a person would see no difference; the time of the last output is none."""
    then, now = seen.fingerprint.partition(b" ")[2], look.body.partition(b" ")[2]
    return seen.body == rows.body and then == now


def _screen(look: str, body: bytes) -> Screen:
    _, _, width, height, x, y, cursor, _, _, dead, title = look.split(" ", 10)
    rows = rows_of(body)[: int(height)]
    return Screen(
        rows=(*rows, *[""] * (int(height) - len(rows))),
        width=int(width),
        height=int(height),
        cursor=(int(x), int(y)) if cursor == "1" and dead == "0" else None,
        title=title,
    )


def _fingerprint(session: str) -> Words:
    return ("display-message", "-p", "-t", f"{session}:", FINGERPRINT)


def _rows(session: str) -> Words:
    return ("capture-pane", "-p", "-e", "-N", "-t", f"{session}:")


_GONE = Reply(ok=False, body=b"")
