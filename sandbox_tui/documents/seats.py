"""Who has a room open, and what each of them has not heard yet.

Nothing piles up for one who does not read: runs and peers are told as they are when asked for,
events are a ring, and changes of the document beyond a bound become the whole document.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Protocol

import msgspec

from sandbox_tui.documents.line import Announce, AnswersInput, Known, Merge, RoomNews
from sandbox_tui.documents.shared import SharedDocument
from sandbox_tui.model.cells import CellRun
from sandbox_tui.model.errors import ConflictError
from sandbox_tui.model.room import Peer, RoomEvent
from sandbox_tui.runtime.pulse import Pulse
from sandbox_tui.runtime.ring import Ring

MOST_UPDATES = 1024 * 1024
"""Bytes of changes that wait for one client, before it is given the whole document instead."""

MOST_EVENTS = 1000
"""Events that wait for one client; the oldest go."""

PACE = 1 / 30
"""Seconds between two tellings of what runs say; nothing else waits."""


class Runs(Protocol):
    """What a room's cells said last."""

    def runs(self) -> Mapping[str, CellRun]:
        """All of it, by cell id."""
        ...

    def run_of(self, cell_id: str) -> CellRun | None:
        """That of one cell."""
        ...


class Seat:
    """One client's place, and what it has not heard."""

    def __init__(self) -> None:
        self.peer = Peer(id=uuid.uuid4().hex[:12])
        self.answers_input = False
        self.pulse = Pulse()
        self.runs: set[str] = set()
        self.peers = False
        self.events: Ring[RoomEvent] = Ring(MOST_EVENTS)
        self.updates: list[bytes] = []
        self.is_left = False
        self.behind = False
        """Whether it gets the whole document next."""
        self._waiting = 0

    @property
    def is_urgent(self) -> bool:
        """Whether something waits that is worth telling at once, if only the end."""
        waits = self.updates or self.behind or self.peers or len(self.events)
        return bool(waits or self.is_left)

    def owe(self, update: bytes) -> None:
        """It has not heard of this change of the document."""
        self._waiting += len(update)
        self.behind = self.behind or self._waiting > MOST_UPDATES
        self.updates.append(update)
        if self.behind:
            self.updates.clear()

    def heard_updates(self) -> None:
        """It is as the document is."""
        self.updates, self.behind, self._waiting = [], False, 0


class Seats:
    """The clients of one room."""

    def __init__(self, document: SharedDocument, runs: Runs) -> None:
        self.document = document
        self._runs = runs
        self._seats: dict[str, Seat] = {}
        self._ended = False
        self.on_peers: Callable[[], None] = _nobody
        """Called when somebody came, went, is elsewhere, or answers input or no longer does."""
        document.on_update(self._pass_on)

    @property
    def peers(self) -> tuple[Peer, ...]:
        """Who is here, in order of arrival."""
        return tuple(seat.peer for seat in self._seats.values())

    @property
    def answers_input(self) -> bool:
        """Whether anybody answers when code asks for a line."""
        return any(seat.answers_input for seat in self._seats.values())

    async def news(self, seat: Seat, known: Known) -> AsyncIterator[RoomNews]:
        """Sit down; all there is, then what is new, until the room is gone or this is left."""
        self._seats[seat.peer.id] = seat
        self._tell_peers()
        try:
            yield self._welcome(seat, known)
            while not (self._ended or seat.is_left):
                told = time.monotonic()
                await self._something(seat, told + PACE)
                yield self._take(seat)
        finally:
            self.leave(seat)

    def leave(self, seat: Seat) -> bool:
        """Stand up; whether that was the last one here."""
        was_here = self._seats.pop(seat.peer.id, None) is not None
        seat.is_left = True
        seat.pulse.fire()
        if was_here:
            self._tell_peers()
        return was_here and not self._seats

    def hear(self, seat: Seat, word: Merge | Announce | AnswersInput) -> None:
        """Somebody said that. Raises `ConflictError` for a change of another document."""
        match word:
            case Merge(epoch, update):
                if epoch != self.document.epoch:
                    raise ConflictError("the document is another one now", hint="Open it again.")
                self.document.merge(update, seat)
            case Announce(name, cell_id, cursor):
                replace = msgspec.structs.replace
                seat.peer = replace(seat.peer, name=name, cell_id=cell_id, cursor=cursor)
                self._tell_peers()
            case AnswersInput(answers):
                seat.answers_input = answers
                self.on_peers()

    def tell(self, event: RoomEvent) -> None:
        """Something happened."""
        for seat in self._seats.values():
            seat.events.append(event)
            seat.pulse.fire()

    def touch(self, cell_id: str) -> None:
        """The latest run of that cell went on, or is another one."""
        for seat in self._seats.values():
            seat.runs.add(cell_id)
            seat.pulse.fire()

    def end(self) -> None:
        """The room is gone."""
        self._ended = True
        for seat in self._seats.values():
            seat.pulse.fire()

    def _welcome(self, seat: Seat, known: Known) -> RoomNews:
        document = self.document
        since = known.state if known.epoch == document.epoch else b""
        seat.heard_updates()
        seat.runs.clear()
        seat.peers = False
        return RoomNews(
            you=seat.peer.id,
            epoch=document.epoch,
            state=document.state(),
            updates=(document.update(since),),
            runs=self._runs.runs(),
            peers=self.peers,
        )

    def _take(self, seat: Seat) -> RoomNews:
        """What it has not heard, which it has heard then."""
        updates = (self.document.update(),) if seat.behind else tuple(seat.updates)
        runs, seat.runs = seat.runs, set()
        peers, seat.peers = self.peers if seat.peers else None, False
        seat.heard_updates()
        return RoomNews(
            updates=updates,
            runs={cell_id: self._runs.run_of(cell_id) for cell_id in runs},
            peers=peers,
            events=tuple(seat.events.clear()),
        )

    async def _something(self, seat: Seat, decent: float) -> None:
        """Return when there is something to tell; what runs say waits until it is decent."""
        while not (self._ended or seat.is_urgent or seat.runs):
            await seat.pulse.wait()
        try:
            async with asyncio.timeout(max(0.0, decent - time.monotonic())):
                while not (self._ended or seat.is_urgent):
                    await seat.pulse.wait()
        except TimeoutError:
            return

    def _pass_on(self, update: bytes, origin: object) -> None:
        for seat in self._seats.values():
            if seat is not origin:
                seat.owe(update)
                seat.pulse.fire()

    def _tell_peers(self) -> None:
        self.on_peers()
        for seat in self._seats.values():
            seat.peers = True
            seat.pulse.fire()


def _nobody() -> None:
    """Nobody listens yet."""
