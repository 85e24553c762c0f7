"""Requests and replies on a socket: every way in which a reply ends, and every way it must not."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from sandbox_tui.backends.containers.engine.exchange import (
    Connection,
    Connections,
    RefusedError,
    Reply,
    Request,
    quoted,
)

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


class Pair:
    """A connection of ours and the engine's end of it."""

    def __init__(self) -> None:
        self.engine, ours = socket.socketpair()
        for end in (self.engine, ours):
            end.settimeout(5)
        self.connection = Connection(ours)

    def says(self, data: bytes) -> Pair:
        self.engine.sendall(data)
        self.engine.shutdown(socket.SHUT_WR)
        return self

    def reply(self) -> Reply:
        return Reply(self.connection)


@pytest.fixture
def pair() -> Iterator[Pair]:
    pair = Pair()
    yield pair
    pair.connection.close()
    pair.engine.close()


@pytest.mark.parametrize(
    ("data", "complete"),
    [
        (OK + b"Content-Length: 5\r\n\r\nhello", True),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"content-length: 5\r\n\r\nhello", True),
        (OK + b"Transfer-Encoding: Chunked\r\n\r\n2\r\nhe\r\n3;a=b\r\nllo\r\n0\r\n\r\n", True),
        (CHUNKED + b"5\r\nhello\r\n0\r\nTrailer: x\r\n\r\n", True),
        (OK + b"\r\nhello", False),
    ],
)
def test_a_whole_reply(pair: Pair, data: bytes, complete: bool) -> None:
    reply = pair.says(data).reply()

    assert reply.whole() == b"hello"
    assert reply.complete is complete


def test_pieces_are_what_has_come(pair: Pair) -> None:
    reply = pair.says(CHUNKED + b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n").reply()

    assert (reply.read(), reply.read()) == (b"hello", b"")


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_some_answers_have_no_body(pair: Pair, status: bytes) -> None:
    pair.engine.sendall(b"HTTP/1.1 %b\r\n\r\n" % status)

    assert pair.reply().whole() == b""


CUT_OFF = [
    b"",
    b"HTTP/1.1 200 O",
    OK + b"Content-Length: 5\r\n",
    OK + b"Content-Length: 6\r\n\r\nhello",
    CHUNKED + b"5\r\nhel",
    CHUNKED + b"5\r\nhello\r\n",
]


@pytest.mark.parametrize("data", [*CUT_OFF, CHUNKED + b"5\r\nhello\r\n0\r\n"])
def test_a_reply_that_is_cut_off_is_an_error(pair: Pair, data: bytes) -> None:
    pair.says(data)

    with pytest.raises(EOFError):
        pair.reply().whole()


@pytest.mark.parametrize("data", CUT_OFF)
def test_a_stream_that_is_cut_off_is_an_error(pair: Pair, data: bytes) -> None:
    pair.says(data)

    with pytest.raises(EOFError):  # noqa: PT012  # the head, or one of the pieces
        reply = pair.reply()
        while reply.read():
            continue


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-x\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        OK + b"Content-Length: -1\r\n\r\n",
        OK + b"Content-Length: 5, 5\r\n\r\nhello",
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
        OK + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        OK + b"no header\r\n\r\n",
        OK + b"X: y\r\n" * 101 + b"\r\n",
        OK + b"X: " + b"y" * 20_000 + b"\r\n\r\n",
        CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n",
        CHUNKED + b"+5\r\nhello\r\n0\r\n\r\n",
        CHUNKED + b"2\r\nhello\r\n0\r\n\r\n",
    ],
)
def test_what_is_not_understood_is_an_error(pair: Pair, data: bytes) -> None:
    pair.says(data)

    with pytest.raises(ValueError, match=r"."):
        pair.reply().whole()


@pytest.mark.parametrize(
    "data",
    [OK + b"Content-Length: 11\r\n\r\n", CHUNKED + b"6\r\nhello \r\n5\r\nworld\r\n", OK + b"\r\n"],
)
def test_a_reply_that_is_too_long_is_refused(pair: Pair, data: bytes) -> None:
    pair.says(data + b"hello world")

    with pytest.raises(ValueError, match="too long"):
        pair.reply().whole(10)


def test_a_refusal_brings_its_reason(pair: Pair) -> None:
    pair.says(b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone")

    with pytest.raises(RefusedError) as caught:
        pair.connection.ask(Request("GET", "/x"))
    assert (caught.value.status, caught.value.body) == (404, b"none")


def test_what_is_asked_for_is_written_as_it_must_be(pair: Pair) -> None:
    pair.says(OK + b"Content-Length: 0\r\n\r\n")
    pair.connection.ask(Request("GET", "/events", {"filters": '{"a":["é b"]}'}))

    head = b"GET /events?filters=%7B%22a%22%3A%5B%22%C3%A9%20b%22%5D%7D HTTP/1.1\r\n"
    assert pair.engine.recv(4096) == head + b"Host: engine\r\n\r\n"


def test_a_body_in_pieces_goes_out_as_they_come(pair: Pair) -> None:
    pair.says(OK + b"Content-Length: 0\r\n\r\n")
    pair.connection.ask(Request("PUT", "/archive", body=iter([b"one", b"", b"seven"])))

    body = pair.engine.recv(4096).partition(b"\r\n\r\n")[2]
    assert body == b"3\r\none\r\n5\r\nseven\r\n0\r\n\r\n"


def test_an_answer_before_the_end_of_a_body_counts(pair: Pair) -> None:
    pair.engine.sendall(b"HTTP/1.1 507 Insufficient Storage\r\nContent-Length: 4\r\n\r\nfull")
    pair.engine.close()

    with pytest.raises(RefusedError, match="507"):
        pair.connection.ask(Request("PUT", "/archive", body=iter([b"x" * 70_000] * 9)))


def test_a_part_of_an_address() -> None:
    assert quoted("a-b_c.d~e/é &") == "a-b_c.d~e%2F%C3%A9%20%26"


class Dialer:
    """Makes socket pairs, and keeps the other ends."""

    def __init__(self) -> None:
        self.ends: list[socket.socket] = []

    def dial(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        self.ends.append(theirs)
        return ours

    def complaint(self) -> str:
        return ""

    def close(self) -> None:
        for end in self.ends:
            end.close()


def test_connections_are_used_again_while_they_stand() -> None:
    dialer = Dialer()
    connections = Connections(dialer)
    first = connections.take()
    connections.give_back(first)
    assert connections.take() is first

    connections.give_back(first)
    dialer.ends[0].close()
    second = connections.take()
    assert second is not first

    connections.give_back(second)
    dialer.ends[1].sendall(b"unasked")
    third = connections.take()
    assert third is not second

    connections.close()
    connections.give_back(third)
    assert third.wire.fileno() == -1
    dialer.close()


def test_two_users_never_have_the_same_connection() -> None:
    dialer, taken = Dialer(), list[Connection]()
    connections = Connections(dialer)

    def use() -> None:
        for _ in range(200):
            connection = connections.take()
            assert connection not in taken
            taken.append(connection)
            taken.remove(connection)
            connections.give_back(connection)

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(dialer.ends) <= 8
    connections.close()
    dialer.close()
