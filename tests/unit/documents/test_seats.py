"""Who has a room open, and what they are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import cast

import pytest

from sandbox_tui.documents import seats as module
from sandbox_tui.documents.line import Announce, AnswersInput, Known, Merge, RoomNews
from sandbox_tui.documents.seats import Seat, Seats
from sandbox_tui.documents.shared import SharedDocument
from sandbox_tui.model.cells import CellRun
from sandbox_tui.model.errors import ConflictError
from sandbox_tui.model.room import KernelChanged

SOON = 2.0


class Said:
    """What cells said, for as long as a test says so."""

    def __init__(self) -> None:
        self.all: dict[str, CellRun] = {}

    def runs(self) -> dict[str, CellRun]:
        return dict(self.all)

    def run_of(self, cell_id: str) -> CellRun | None:
        return self.all.get(cell_id)


@pytest.fixture
def document() -> SharedDocument:
    return SharedDocument()


@pytest.fixture
def said() -> Said:
    return Said()


@pytest.fixture
def seats(document: SharedDocument, said: Said) -> Seats:
    return Seats(document, said)


class Client:
    """A replica that is kept up by hand."""

    def __init__(self, seats: Seats, known: Known | None = None) -> None:
        self.seat = Seat()
        self.news: AsyncIterator[RoomNews] = seats.news(self.seat, known or Known())
        self.document = SharedDocument("none yet")

    async def hear(self) -> RoomNews:
        async with asyncio.timeout(SOON):
            news = await anext(self.news)
        if news.epoch:
            self.document = SharedDocument(news.epoch)
        for update in news.updates:
            self.document.merge(update)
        return news

    async def close(self) -> None:
        await cast("AsyncGenerator[RoomNews]", self.news).aclose()


async def test_who_comes_has_all_of_it_and_then_hears_the_rest(
    seats: Seats, document: SharedDocument, said: Said
) -> None:
    cell = document.add("é")
    said.all[cell] = CellRun(execution_id="1", status="done")
    client = Client(seats)
    first = await client.hear()
    assert (first.you, first.runs, first.peers) == (client.seat.peer.id, said.all, seats.peers)
    document.append(cell, "🙂")
    await client.hear()
    assert client.document.cells() == document.cells()
    await client.close()
    assert seats.peers == ()


async def test_nobody_hears_an_own_change_again(seats: Seats, document: SharedDocument) -> None:
    one, other = Client(seats), Client(seats)
    await one.hear()
    await other.hear()
    sent: list[bytes] = []
    one.document.on_update(lambda update, _: sent.append(update))
    one.document.add("mine")
    seats.hear(one.seat, Merge(document.epoch, sent[0]))
    assert (await other.hear()).updates
    assert not one.seat.updates
    assert other.document.cells() == one.document.cells() == document.cells()


async def test_who_comes_back_hears_what_it_missed_only(
    seats: Seats, document: SharedDocument
) -> None:
    document.add("x" * 10_000)
    client = Client(seats)
    news = await client.hear()
    await client.close()
    document.add("new")
    again = Client(seats, Known(news.epoch, client.document.state()))
    missed = (await again.hear()).updates[0]
    assert len(missed) < 1000
    other = Client(seats, Known("another epoch", client.document.state()))
    assert len((await other.hear()).updates[0]) > 10_000


async def test_another_document_is_not_merged(seats: Seats) -> None:
    client = Client(seats)
    await client.hear()
    with pytest.raises(ConflictError, match="another one"):
        seats.hear(client.seat, Merge("other", SharedDocument().update()))


async def test_who_does_not_read_costs_little_and_loses_no_change(
    seats: Seats, document: SharedDocument, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_UPDATES", 5_000)
    client = Client(seats)
    await client.hear()
    cell = document.add("")
    for number in range(2_000):
        document.append(cell, f"{number}\n")
        seats.touch(cell)
        seats.tell(KernelChanged(state=str(number)))
    assert sum(map(len, client.seat.updates)) <= 5_000
    news = await client.hear()
    assert client.document.cells() == document.cells()
    assert len(news.events) == module.MOST_EVENTS
    assert news.events[-1] == KernelChanged(state="1999")


async def test_peers_and_who_answers(seats: Seats) -> None:
    one, other = Client(seats), Client(seats)
    await one.hear()
    await other.hear()
    assert [peer.id for peer in (await one.hear()).peers or ()] == [
        one.seat.peer.id,
        other.seat.peer.id,
    ]
    seats.hear(other.seat, Announce("bot", "cell-1", 3))
    bot = list((await one.hear()).peers or ())[1]
    assert (bot.name, bot.cell_id, bot.cursor) == ("bot", "cell-1", 3)
    assert not seats.answers_input
    seats.hear(other.seat, AnswersInput(True))
    assert seats.answers_input
    assert not seats.leave(other.seat)
    assert not seats.answers_input
    assert seats.leave(one.seat)
    assert not seats.leave(one.seat)


async def test_the_end_of_the_room_ends_its_news(seats: Seats) -> None:
    client = Client(seats)
    await client.hear()
    seats.end()
    with pytest.raises(StopAsyncIteration):
        await client.hear()
