"""A room's document over a WebSocket: replicas on both sides, by the document's own protocol."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from sandbox_tui.documents.line import Announce, Known, Merge, RoomNews
from sandbox_tui.documents.shared import SharedDocument
from sandbox_tui.model.codec import from_msgpack, to_msgpack
from tests.integration.http.conftest import Served


class Peer:
    """A client with a replica of the document."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        socket.send(to_msgpack(Known()))
        first = self.hear()
        self.document = SharedDocument(first.epoch)
        self.merge(first)

    def hear(self) -> RoomNews:
        """The next news."""
        data = self.socket.recv(timeout=10)
        assert isinstance(data, bytes)
        return from_msgpack(data, RoomNews)

    def merge(self, news: RoomNews) -> None:
        """Take the updates in."""
        for update in news.updates:
            self.document.merge(update)

    def add(self, source: str) -> str:
        """Add a cell here and tell the room."""
        before = self.document.state()
        cell_id = self.document.add(source)
        self.socket.send(to_msgpack(Merge(self.document.epoch, self.document.update(before))))
        return cell_id

    def sources(self) -> list[str]:
        return [cell.source for cell in self.document.cells()]

    def until(self, sources: list[str]) -> None:
        """Hear news until the cells are these."""
        while self.sources() != sources:
            self.merge(self.hear())


@contextmanager
def seat(server: Served, name: str = "lab", **options: Any) -> Iterator[ClientConnection]:
    where = f"{server.url.replace('http', 'ws')}/v1/rooms/{name}/sync"
    with connect(where, proxy=None, **options) as socket:
        yield socket


@pytest.fixture(autouse=True)
def _lab(server: Served) -> None:
    with server.client() as http:
        http.post("/v1/rooms", json={"name": "lab"})


def test_what_one_writes_the_other_reads(server: Served, http: httpx.Client) -> None:
    with seat(server) as one, seat(server) as two:
        first, second = Peer(one), Peer(two)
        cell_id = first.add("x = 'é'")
        second.until(["x = 'é'"])
        second.add("y = 2")
        first.until(["x = 'é'", "y = 2"])

        http.put(f"/v1/rooms/lab/cells/{cell_id}", json={"source": "z"})
        first.until(["z", "y = 2"])
        second.until(["z", "y = 2"])


def test_peers_and_runs_are_told(server: Served, http: httpx.Client) -> None:
    cell = http.post("/v1/rooms/lab/cells", json={"source": "6 * 7"}).json()["cell"]["id"]
    with seat(server) as socket:
        peer = Peer(socket)
        socket.send(to_msgpack(Announce("ann")))
        while "ann" not in [each.name for each in peer.hear().peers or ()]:
            pass
        http.post(f"/v1/rooms/lab/cells/{cell}/run", json={})

        def value() -> Any:
            run = peer.hear().runs.get(cell)
            return run and run.status == "done" and run.outputs

        while not (outputs := value()):
            pass
        assert outputs[0].data == {"text/plain": "42"}


def test_a_browser_speaks_json(server: Served) -> None:
    with seat(server) as socket:
        socket.send("{}")
        news = json.loads(socket.recv(timeout=10))
        assert news["epoch"]
        assert news["you"]


@pytest.mark.parametrize("message", ["no json", b"\xff", '{"type": "Dance"}'])
def test_who_talks_nonsense_is_told_and_left(server: Served, message: str | bytes) -> None:
    with seat(server) as socket:
        socket.send("{}" if isinstance(message, str) else to_msgpack(Known()))
        socket.send(message)
        said = b""
        with suppress(ConnectionClosedError):
            for each in socket:
                said = _bytes(each)
        assert b"UsageError" in said
        assert socket.close_code == 1008


def test_an_unknown_room_and_a_foreign_page_get_no_seat(server: Served) -> None:
    with seat(server, "nobody") as socket:
        assert b"NotFoundError" in _bytes(socket.recv(timeout=10))
    foreign = {"origin": "http://evil.example"}
    with pytest.raises(InvalidStatus, match="403"), seat(server, additional_headers=foreign):
        pass


def _bytes(data: bytes | str) -> bytes:
    return data if isinstance(data, bytes) else data.encode()
