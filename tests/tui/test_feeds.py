"""What is fetched: only what is on the screen, and never faster than it can be seen."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator

from textual.message import Message

from sandbox_tui.api.client import running
from sandbox_tui.api.local import LocalApi
from sandbox_tui.hub.hub import Hub
from sandbox_tui.model.outputs import Text
from sandbox_tui.model.refs import Ref
from sandbox_tui.tui.batch import MOST_PIECES, Batch, batched
from sandbox_tui.tui.feeds import Feeds
from sandbox_tui.tui.messages import (
    Inspected,
    LogArrived,
    LogBegan,
    Measured,
    NotebookChanged,
    ScreensChanged,
    WatchFailed,
)
from sandbox_tui.tui.watching import Feed, View, Watch
from tests.support import retry_until_async, stays
from tests.tui.machine import FAST, Machine

WEB, API, ROOM = Ref("container:web"), Ref("tmux:api"), Ref("room:analysis")
VIEW = frozenset({"view"})


@contextlib.asynccontextmanager
async def feeding(machine: Machine) -> AsyncGenerator[tuple[Feeds, list[Message]]]:
    hub = Hub((machine.terminals, machine.containers, machine.rooms), intervals=FAST)
    posted: list[Message] = []
    async with running(hub):
        api = LocalApi(hub)
        await api.settled()
        async with asyncio.TaskGroup() as tasks:
            feeds = Feeds(api, tasks, posted.append)
            yield feeds, posted
            feeds.watch(Watch())


def said(posted: list[Message]) -> str:
    pieces = (
        piece for message in posted if isinstance(message, LogArrived) for piece in message.pieces
    )
    return "".join(piece.text for piece in pieces)


async def test_a_log_is_told_from_the_start_and_goes_on(machine: Machine) -> None:
    machine.containers.journal(WEB).say("one\ntwo")
    async with feeding(machine) as (feeds, posted):
        feeds.watch(Watch(feeds={Feed(View.LOG, WEB): VIEW}))
        await retry_until_async(lambda: said(posted) == "one\ntwo\n")
        assert isinstance(posted[0], LogBegan)
        machine.containers.journal(WEB).say("three")
        await retry_until_async(lambda: said(posted).endswith("three\n"))


async def test_nothing_comes_of_what_is_no_longer_looked_at(machine: Machine) -> None:
    async with feeding(machine) as (feeds, posted):
        feeds.watch(Watch(feeds={Feed(View.LOG, WEB): VIEW}, screens=frozenset({API})))
        await retry_until_async(lambda: any(isinstance(m, ScreensChanged) for m in posted))
        feeds.watch(Watch())
        await asyncio.sleep(0)
        posted.clear()
        machine.containers.journal(WEB).say("unheard")
        machine.terminals.journal(API).say("unseen")
        assert await stays(lambda: posted == [])


async def test_somebody_new_is_told_everything(machine: Machine) -> None:
    machine.containers.journal(WEB).say("before")
    log = Feed(View.LOG, WEB)
    async with feeding(machine) as (feeds, posted):
        feeds.watch(Watch(feeds={log: frozenset({"wall"})}))
        await retry_until_async(lambda: said(posted) == "before\n")
        feeds.watch(Watch(feeds={log: frozenset({"wall", "view"})}))
        await retry_until_async(lambda: said(posted) == "before\nbefore\n")
        feeds.watch(Watch(feeds={log: VIEW}))
        assert await stays(lambda: sum(isinstance(m, LogBegan) for m in posted) == 2)


async def test_a_log_goes_on_after_a_restart_of_its_source(machine: Machine) -> None:
    machine.containers.journal(WEB).say("first life")
    async with feeding(machine) as (feeds, posted):
        feeds.watch(Watch(feeds={Feed(View.LOG, WEB): VIEW}))
        await retry_until_async(lambda: "first life" in said(posted))
        await machine.containers.stop(WEB)
        await machine.containers.restart(WEB)
        machine.containers.journal(WEB).say("second life")
        await retry_until_async(lambda: "second life" in said(posted))
        assert said(posted).count("first life") == 1


async def test_screens_notebooks_facts_and_vitals(machine: Machine) -> None:
    async with feeding(machine) as (feeds, posted):
        feeds.watch(
            Watch(
                screens=frozenset({API}),
                feeds={Feed(View.NOTEBOOK, ROOM): VIEW, Feed(View.INSPECT, WEB): VIEW},
                closely=frozenset({WEB}),
                loosely=frozenset({API}),
            )
        )
        kinds = (ScreensChanged, NotebookChanged, Inspected, Measured)
        await retry_until_async(
            lambda: all(any(isinstance(m, kind) for m in posted) for kind in kinds)
        )
        measured = next(m for m in posted if isinstance(m, Measured))
        assert measured.vitals.keys() == {WEB, API}


async def test_one_view_fails_and_the_others_go_on(machine: Machine) -> None:
    async with feeding(machine) as (feeds, posted):
        feeds.watch(
            Watch(feeds={Feed(View.NOTEBOOK, WEB): VIEW, Feed(View.LOG, Ref("tmux:gone")): VIEW})
        )
        await retry_until_async(lambda: sum(isinstance(m, WatchFailed) for m in posted) == 2)
        feeds.watch(Watch(screens=frozenset({API})))
        await retry_until_async(lambda: any(isinstance(m, ScreensChanged) for m in posted))


async def test_a_flood_neither_stops_the_loop_nor_grows_the_memory() -> None:
    posted: list[LogArrived] = []
    longest = 0.0

    async def heart() -> None:
        nonlocal longest
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0)
            longest = max(longest, time.perf_counter() - began)

    beating = asyncio.create_task(heart())
    line = Text("stdout", "x" * 80 + "\n")
    async with batched(WEB, posted.append) as batch:  # type: ignore[arg-type]
        for _ in range(100_000):
            await batch.put(line)
    beating.cancel()
    told = sum(len(message.pieces) + message.dropped for message in posted)
    assert told == 100_000
    assert max(len(message.pieces) for message in posted) <= MOST_PIECES
    assert longest < 0.25


async def test_a_batch_says_what_it_left_out() -> None:
    posted: list[LogArrived] = []
    batch = Batch(WEB, posted.append)  # type: ignore[arg-type]
    for number in range(MOST_PIECES + 5):
        await batch.put(Text("stdout", f"{number}\n"))
    batch.flush()
    batch.flush()
    assert [message.dropped for message in posted] == [5]
    assert posted[0].pieces[0].text == "5\n"
