"""The log stream, entry by entry: stamps off, long lines whole, both kinds of containers."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from sandbox_tui.backends.containers.engine.exchange import Connection, Reply
from sandbox_tui.backends.containers.engine.stream import Stream
from sandbox_tui.backends.containers.entries import LogSource, Style
from sandbox_tui.model.outputs import Text

STAMP = "2026-11-21T00:28:35.714796194Z "
AT = 1795220915.714796194


class Wire:
    """A stream whose bytes come from a socket pair, as any other's."""

    def __init__(self) -> None:
        self.ours, theirs = socket.socketpair()
        self.ours.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        self._connection = Connection(theirs)
        self.stream = Stream(Reply(self._connection), nullcontext)

    def say(self, data: bytes) -> None:
        self.ours.sendall(data)

    def close(self) -> None:
        self.ours.close()
        self._connection.close()


@pytest.fixture
def wire() -> Iterator[Wire]:
    wire = Wire()
    yield wire
    wire.close()


def framed(stream: int, text: str) -> bytes:
    return struct.pack(">BxxxL", stream, len(text.encode())) + text.encode()


def everything(source: LogSource) -> list[Text]:
    texts: list[Text] = []
    while (batch := source.read()) is not None:
        texts += batch[0]
    return texts


def test_stamps_become_times(wire: Wire) -> None:
    wire.say(framed(1, f"{STAMP}out\n") + framed(2, f"{STAMP}err\n"))
    wire.ours.shutdown(socket.SHUT_WR)

    assert everything(LogSource(wire.stream, Style())) == [
        Text("stdout", "out\n", AT),
        Text("stderr", "err\n", AT),
    ]


def test_only_the_engines_own_stamp_is_taken_off(wire: Wire) -> None:
    wire.say(framed(1, f"{STAMP}{STAMP}out\n") + framed(1, "bare\n"))
    wire.ours.shutdown(socket.SHUT_WR)

    first, second = everything(LogSource(wire.stream, Style()))
    assert first == Text("stdout", f"{STAMP}out\n", AT)
    assert second == Text("stdout", "bare\n", None)


def test_a_stamp_of_seconds_with_a_zone_is_read_too(wire: Wire) -> None:
    wire.say(framed(1, "2026-11-21T01:28:35+01:00 out\n"))
    wire.ours.shutdown(socket.SHUT_WR)

    assert everything(LogSource(wire.stream, Style())) == [Text("stdout", "out\n", 1795220915.0)]


def test_a_terminals_lines_are_one_stream(wire: Wire) -> None:
    wire.say(f"{STAMP}one\r\n{STAMP}tw".encode())
    wire.say(f"o\r\n{STAMP}$ ".encode())
    wire.ours.shutdown(socket.SHUT_WR)

    assert everything(LogSource(wire.stream, Style(tty=True))) == [
        Text("pty", "one\r\n", AT),
        Text("pty", "two\r\n", AT),
        Text("pty", "$ ", AT),
    ]


def test_a_log_without_stamps_is_left_as_it_is(wire: Wire) -> None:
    source = LogSource(wire.stream, Style(tty=True, stamped=False), 1)
    wire.say(f"left out\r\n{STAMP}mine\r\n$ ".encode())

    batch = source.read()
    assert batch is not None
    assert batch[0] == [Text("pty", f"{STAMP}mine\r\n"), Text("pty", "$ ")]


def test_stamps_within_a_long_line_of_a_terminal_are_taken_off(wire: Wire) -> None:
    cut = "x" * 16384
    wire.say(f"{STAMP}{cut}{STAMP}{cut}{STAMP}end\r\n".encode())
    wire.ours.shutdown(socket.SHUT_WR)

    texts = everything(LogSource(wire.stream, Style(tty=True)))
    assert "".join(text.text for text in texts) == f"{cut}{cut}end\r\n"


def test_a_surplus_is_counted_in_lines_not_in_entries(wire: Wire) -> None:
    for text in ("old ", "line\n", "kept\n"):
        wire.say(framed(1, STAMP + text))
    wire.ours.shutdown(socket.SHUT_WR)

    source = LogSource(wire.stream, Style(), 1)
    assert [text.text for text in everything(source)] == ["kept\n"]


def test_an_end_within_an_entry_is_an_error(wire: Wire) -> None:
    wire.say(framed(1, f"{STAMP}out\n")[:-2])
    wire.ours.shutdown(socket.SHUT_WR)

    with pytest.raises(EOFError):
        everything(LogSource(wire.stream, Style()))
