"""Streams of text cut into lines as they arrive, and what is kept of each line."""

from __future__ import annotations

from typing import NamedTuple

LONGEST = 16 * 1024
"""Characters after which a line is broken, wherever it came from."""
_REWRITES = 2048
"""Characters of a line that rewrites itself, of which only the last are kept."""


class Origin(NamedTuple):
    """Where lines came from; one is shared by all lines of a piece."""

    at: float | None = None
    stream: str = "stdout"
    source: str = ""


Line = tuple[str, Origin]
"""A line without its end, as it came: with escape sequences and carriage returns."""

WEIGHT = 128
"""Bytes that a kept line costs beside its characters, about."""


def weigh(line: Line) -> int:
    """About how many bytes keeping this line costs."""
    return len(line[0]) + WEIGHT


class LineSplitter:
    """Cuts one stream at its line ends; the unfinished last line is `partial`."""

    def __init__(self) -> None:
        self.partial = ""

    def feed(self, text: str) -> list[str]:
        """The lines that `text` finishes."""
        if "\r" in text:
            text = text.replace("\r\n", "\n")
        lines = text.split("\n")
        lines[0] = self.partial + lines[0]
        self.partial = lines.pop()
        if lines and max(map(len, lines)) > _REWRITES:
            lines = [part for line in lines for part in _bounded(line)]
        if len(self.partial) > _REWRITES:
            *whole, self.partial = _bounded(self.partial)
            lines += whole
        return lines


def _bounded(line: str) -> list[str]:
    """Forget what a line has written over; break what is still too long."""
    written = line.rstrip("\r")
    if len(line) > _REWRITES and "\r" in written:
        line = line[written.rindex("\r") + 1 :]
    return [line[at : at + LONGEST] for at in range(0, max(1, len(line)), LONGEST)]
