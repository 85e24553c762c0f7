"""Whole lines out of the pieces in which a sandbox said them."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from sandbox_tui.cli.outputs import in_words
from sandbox_tui.model.outputs import Display, Failure, Output, Text


class Line(msgspec.Struct, frozen=True):
    """One line, without its end; `at` is when its first piece was said (epoch seconds)."""

    text: str
    stream: str
    at: float | None = None


class Lines:
    """Pieces in, lines out; each stream has its own unfinished line."""

    def __init__(self) -> None:
        self._unfinished: dict[str, Line] = {}

    def feed(self, output: Output) -> Iterator[Line]:
        """The lines that this output finishes."""
        piece = _as_text(output)
        begun = self._unfinished.pop(piece.stream, Line("", piece.stream, piece.at))
        *finished, rest = piece.text.split("\n")
        for text in finished:
            yield Line((begun.text + text).removesuffix("\r"), begun.stream, begun.at)
            begun = Line("", piece.stream, piece.at)
        if begun.text or rest:
            self._unfinished[piece.stream] = Line(begun.text + rest, begun.stream, begun.at)

    def rest(self) -> Iterator[Line]:
        """The lines that never ended."""
        yield from self._unfinished.values()
        self._unfinished.clear()


def _as_text(output: Output) -> Text:
    match output:
        case Text():
            return output
        case Display():
            return Text("stdout", f"{in_words(output.data)}\n")
        case Failure():
            lines = output.traceback or (f"{output.name}: {output.message}",)
            return Text("stderr", "".join(f"{line}\n" for line in lines))
