"""The log of a container: exactly its last lines, in true order, and what it goes on to say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, closing
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from sandbox_tui.backends.containers.engine.link import Link
from sandbox_tui.backends.containers.engine.pump import Pump
from sandbox_tui.backends.containers.engine.replies import Box, Inspected
from sandbox_tui.backends.containers.engine.stream import Stream
from sandbox_tui.backends.containers.entries import LogReader, LogSource, Style
from sandbox_tui.backends.containers.listing import find
from sandbox_tui.model.errors import NotFoundError
from sandbox_tui.model.outputs import Text
from sandbox_tui.model.refs import Ref

if TYPE_CHECKING:
    from sandbox_tui.backends.containers.engine.engine import Engine

RESTART_SECONDS = 1.0
"""How long after its end a container may begin again and go on in the same log."""

JUST_AFTER = 1e-6
"""Seconds: what a time of day in a float can tell apart."""

COUNT_SECONDS = 60.0
MOST_COUNTED = 10_000
"""Up to how many lines the entries are counted first."""


class Window(NamedTuple):
    """Which entries to ask an engine for, and how many whole lines of them to leave out."""

    tail: str
    since: float | None = None
    surplus: int = 0


async def follow(
    link: Link, ref: Ref, *, tail: int, live: bool, since: float | None
) -> AsyncGenerator[Text]:
    """The last `tail` lines, then (`live`) what is new until the container ends.

    A container that begins again goes on here, after a line on stderr that says so.
    """
    box = await link.ask(lambda engine: find(engine, ref))
    about = await link.ask(lambda engine: engine.inspect(box))
    style = await link.ask(lambda engine: _style(engine, about))
    window = await link.order(
        f"read {box.ref}",
        COUNT_SECONDS,
        lambda engine: _window(engine, box, style, tail, since),
    )
    goes_on = live and about.state.running
    heard: float | None = None
    while True:
        async with aclosing(_read(link, box, style, window, follow=goes_on)) as batches:
            async for texts in batches:
                for text in texts:
                    heard = text.at
                    yield text
        again = await _begun_again(link, box, about) if goes_on else None
        if again is None:
            return
        # Not from its beginning: the engine may set that down after the first words were said.
        since = heard + JUST_AFTER if heard else _epoch(again.state.finished_at)
        about, window = again, Window("all", since)
        yield Text("stderr", f"[{box.ref.name} started again]\n", _epoch(about.state.started_at))


async def _read(
    link: Link, box: Box, style: Style, window: Window, *, follow: bool
) -> AsyncGenerator[Sequence[Text]]:
    stream = await link.open(lambda engine: _open(engine, box, style, window, follow=follow))
    pump = Pump(f"log of {box.ref}", LogSource(stream, style, window.surplus))
    try:
        async with aclosing(pump.batches()) as batches:
            async for texts in batches:
                yield texts
    finally:
        await pump.aclose()


async def _begun_again(link: Link, box: Box, before: Inspected) -> Inspected | None:
    """The container as it runs now, when it is another run than `before`; `None` when it ended."""
    loop = asyncio.get_running_loop()
    until = loop.time() + RESTART_SECONDS
    while True:
        try:
            now = await link.ask(lambda engine: engine.inspect(box))
        except NotFoundError:
            return None
        if now.state.started_at != before.state.started_at:
            return now
        if not now.state.restarting and loop.time() > until:
            return None
        await asyncio.sleep(0.05)


def _style(engine: Engine, about: Inspected) -> Style:
    tty = about.config.tty
    return Style(tty=tty, stamped=not (tty and engine.version.runtime == "podman"))


def _open(engine: Engine, box: Box, style: Style, window: Window, *, follow: bool) -> Stream:
    tail, since = window.tail, window.since
    return engine.logs(box, tail=tail, since=since, follow=follow, stamps=style.stamped)


def _window(engine: Engine, box: Box, style: Style, lines: int, since: float | None) -> Window:
    """Engines count entries, and a long line is several: ask for more until it is enough.

    One line more than wanted, because the first may be only the end of one. Podman's own counting
    loses line ends (seen in 4.3), so there everything is read and what is too much left out.
    """
    if lines < 0:
        return Window("all", since)
    if engine.version.runtime == "podman":
        _, whole = _count(engine, box, Window("all", since), style)
        return Window("all", since, max(0, whole - lines))
    if lines == 0 or lines > MOST_COUNTED:
        return Window(str(lines), since)
    asked = lines + 1
    while True:
        entries, whole = _count(engine, box, Window(str(asked), since), style)
        if whole > lines or entries < asked:
            return Window(str(asked), since, max(0, whole - lines))
        asked *= 4


def _count(engine: Engine, box: Box, window: Window, style: Style) -> tuple[int, int]:
    """How many entries, and how many lines."""
    entries, lines, ended = 0, 0, True
    with closing(_open(engine, box, style, window, follow=False)) as stream:
        reader = LogReader(stream, style)
        while (batch := reader.read()) is not None:
            for entry in batch[0]:
                ended = entry.ends_line
                entries, lines = entries + 1, lines + ended
    return entries, lines + (not ended)


def _epoch(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()
