"""The engine's log stream as entries: which stream, what, and when.

Where a container has no terminal an entry is one frame; where it has one, stdout and stderr are one
stream and an entry is a line. Either begins with the engine's time stamp. Docker cuts what is
longer than 16 KB without a line end into several entries. Podman cuts a terminal's output wherever
it was written, and a stamp there cannot be told from the text: it is asked for none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from sandbox_tui.backends.containers.engine.frames import Frame, Frames, Voices, name_of
from sandbox_tui.backends.containers.engine.stream import Stream
from sandbox_tui.model.outputs import Text

_STAMP = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d) ")
_TERMINAL = 1
_CUT = 16 * 1024
_LONGEST_LINE = 1024 * 1024


class Entry(NamedTuple):
    """One entry of the log; a line is one or several of them, the last with the line end."""

    stream: int
    data: bytes
    at: float | None

    @property
    def ends_line(self) -> bool:
        """Whether the line is complete with it."""
        return self.data.endswith(b"\n")


class Style(NamedTuple):
    """How a log is written."""

    tty: bool = False
    stamped: bool = True


class LogReader:
    """A log stream, entry by entry."""

    def __init__(self, stream: Stream, style: Style) -> None:
        self._stream = stream
        self._stamped = style.stamped
        self._parts = Lines(eager=not style.stamped) if style.tty else Frames()
        self._over = False
        self._second = b""
        self._epoch = 0.0

    def read(self) -> tuple[list[Entry], int] | None:
        """Wait for more: the entries that are complete now, and how many bytes were read.

        `None` at the end; an end within an entry is an error.
        """
        if self._over:
            return None
        data = self._stream.read()
        self._over = not data
        with self._stream.talking():
            parts = self._parts.feed(data) if data else self._parts.rest()
            return [self._unstamped(*part) for part in parts], len(data)

    def _unstamped(self, stream: int, data: bytes) -> Entry:
        """The seconds of one stamp are mostly those of the last: only others are parsed."""
        found = _STAMP.match(data) if self._stamped else None
        if found is None:
            return Entry(stream, data, None)
        second, fraction, zone = found.groups()
        if second + zone != self._second:
            self._second = second + zone
            self._epoch = datetime.fromisoformat(self._second.decode()).timestamp()
        return Entry(stream, data[found.end() :], self._epoch + float(fraction or 0))


class Lines:
    """A terminal's log: lines, and within a long one the stamps where the engine has cut it.

    An `eager` one does not wait for the end of a line; that is for logs without stamps.
    """

    def __init__(self, *, eager: bool) -> None:
        self._longest = 0 if eager else _LONGEST_LINE
        self._rest = b""

    def feed(self, data: bytes) -> list[Frame]:
        """The complete lines, each in the pieces that have a stamp of their own."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > self._longest:
            return [*_pieces(lines), *self.rest()]
        return list(_pieces(lines))

    def rest(self) -> list[Frame]:
        """A last line without an end."""
        line, self._rest = self._rest, b""
        return [(_TERMINAL, piece) for piece in _cut(line)] if line else []


def _pieces(lines: Iterable[bytes]) -> Iterator[Frame]:
    for line in lines:
        for piece in _cut(line + b"\n"):
            yield _TERMINAL, piece


def _cut(line: bytes) -> Iterator[bytes]:
    begin = 0
    while (stamp := _STAMP.match(line, begin)) and _STAMP.match(line, stamp.end() + _CUT):
        end = stamp.end() + _CUT
        yield line[begin:end]
        begin = end
    yield line[begin:]


class LogSource:
    """A log stream as text, without its first `surplus` lines."""

    def __init__(self, stream: Stream, style: Style, surplus: int = 0) -> None:
        self._reader = LogReader(stream, style)
        self._voices = Voices()
        self._stream_names = {_TERMINAL: "pty"} if style.tty else {}
        self._surplus = surplus
        self.stop = stream.stop
        self.close = stream.close

    def read(self) -> tuple[Sequence[Text], int] | None:
        """Wait for more; `None` at the end."""
        batch = self._reader.read()
        return None if batch is None else (self._texts(batch[0]), batch[1])

    def _texts(self, entries: Iterable[Entry]) -> list[Text]:
        wanted = entries if not self._surplus else self._without_surplus(entries)
        return [
            Text(self._name(entry.stream), self._voices.decode(entry.stream, entry.data), entry.at)
            for entry in wanted
        ]

    def _without_surplus(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        for entry in entries:
            if not self._surplus:
                yield entry
            elif entry.ends_line:
                self._surplus -= 1

    def _name(self, stream: int) -> str:
        return self._stream_names.get(stream) or name_of(stream)
