"""A pane's log: its last lines, and every new one within a tenth of a second."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

from sandbox_tui.backends.tmux.rows import rows_of
from sandbox_tui.backends.tmux.scrollback import Line, Look, Picture, Scroll, unfold
from sandbox_tui.backends.tmux.server import Server
from sandbox_tui.backends.tmux.wire import Reply, Words
from sandbox_tui.model.outputs import Text

PAUSE = 0.1
COSTLY_PAUSE = 1.0
"""Seconds between two looks: ordinarily, and while each costs a process."""

_LOOK = (
    "#{pane_width} #{pane_height} #{history_size} #{history_limit} #{cursor_y} "
    "#{alternate_on} #{pane_dead} #{window_activity} "
    "#{?pane_dead,#{E:remain-on-exit-format},}"
)
_MARGINS = (0, 200, 2000)
"""How many rows more than wanted are read, try by try, while the pane scrolls under the reader."""


class PaneLog:
    """One pane of one server, by its id."""

    def __init__(self, server: Server, pane: str) -> None:
        self._server = server
        self._pane = pane
        self._read = Reply(ok=False, body=b"")
        """The look that the last picture was taken with."""

    async def follow(self, tail: int, *, live: bool) -> AsyncGenerator[Text]:
        """The last `tail` lines, and (`live`) what comes until the pane ends or is gone.

        An unfinished line, a prompt for instance, is told with the rest of it; at the end, or
        when not `live`, as it is.
        """
        picture = await self._tail(tail)
        if picture is None:
            return
        lines = picture.finished() if live else picture.said()
        for line in lines[max(0, len(lines) - tail) :]:
            yield _text(line)
        if live and not picture.look.dead:
            async for line in self._new_lines(Scroll(picture)):
                yield _text(line)

    async def _tail(self, tail: int) -> Picture | None:
        """A picture with `tail` whole lines, or with all there are."""
        rows = tail + 1
        while True:
            picture = await self._picture(f"-{rows}")
            if picture is None or picture.lines[0].start == 0:
                return picture
            whole = picture.since(picture.lines[0].end)  # the first may be the end of a line
            if min(len(whole.said()), len(whole.finished())) >= tail:
                return whole
            rows *= 2

    async def _new_lines(self, scroll: Scroll) -> AsyncIterator[Line]:
        while True:
            await asyncio.sleep(PAUSE if self._server.is_cheap else COSTLY_PAUSE)
            reply = await self._look()
            if reply is None:
                return
            look = _parsed(reply)
            if look.alternate or self._is_quiet(reply):
                continue
            for line in await self._fresh(scroll, look):
                yield line
            if look.dead:
                return

    async def _look(self) -> Reply | None:
        """How far the pane is; `None` when it is gone."""
        replies = await self._server.ask(_look_at(self._pane))
        return replies[0] if replies and replies[0].ok else None

    def _is_quiet(self, reply: Reply) -> bool:
        """Whether nothing was said since the last picture; tmux's clock has whole seconds."""
        return reply.body == self._read.body and _activity(reply) < self._read.at

    async def _fresh(self, scroll: Scroll, look: Look) -> list[Line]:
        """The lines that were finished since the last picture."""
        start = scroll.expected(look)
        if start is not None:
            picture = await self._picture_from(start, look.history)
            fresh = None if picture is None else scroll.tell(picture, whole=False)
            if fresh is not None:
                return fresh
        picture = await self._picture("-")
        return (scroll.tell(picture, whole=True) if picture is not None else None) or []

    async def _picture_from(self, start: int, history: int) -> Picture | None:
        """A picture from that row on, however fast the pane scrolls meanwhile."""
        picture = None
        for margin in _MARGINS:
            picture = await self._picture(str(start - history - margin))
            if picture is None or picture.lines[0].start <= start:
                break
            history = picture.look.history
        return picture and picture.since(start)

    async def _picture(self, first: str) -> Picture | None:
        """What there is from a row on, as `capture-pane -S` counts; `None` without a pane."""
        replies = await self._server.ask(
            _look_at(self._pane),
            _capture(self._pane, first, "-N"),
            _capture(self._pane, first, "-J"),
        )
        if not replies or not all(reply.ok for reply in replies):
            return None
        self._read = replies[0]
        look = _parsed(self._read)
        top = 0 if first == "-" else max(0, look.history + int(first))
        rows, lines = (rows_of(reply.body) for reply in replies[1:])
        return Picture(look, unfold(rows, lines, top))


def _look_at(pane: str) -> Words:
    return ("display-message", "-p", "-t", pane, _LOOK)


def _capture(pane: str, first: str, folding: str) -> Words:
    return ("capture-pane", "-p", "-e", folding, "-S", first, "-t", pane)


def _parsed(reply: Reply) -> Look:
    words = reply.text.split(" ", 8)
    width, height, history, limit, cursor = map(int, words[:5])
    alternate, dead = (word == "1" for word in words[5:7])
    return Look(width, height, history, limit, cursor, alternate, dead, words[8])


def _activity(reply: Reply) -> int:
    return int(reply.body.split(b" ", 8)[7])


def _text(line: Line) -> Text:
    return Text("pty", f"{line.text}\n")
