"""What a cell shows of its run: outputs folded as a notebook folds them, and bounded.

An Execution keeps everything that was said, in order. A notebook shows less: text runs together,
`clear_output` empties, an updated value replaces itself where it stands.
"""

from __future__ import annotations

from collections.abc import Iterable

from sandbox_tui.backends.kernels.messages import Began, Cleared, Event, Updated
from sandbox_tui.model.outputs import Display, Failure, Output, Text
from sandbox_tui.runtime.kept import length

CAP = 200_000
"""Characters that a cell shows at most; the newest are kept."""


class Transcript:
    """The outputs of one run of a cell."""

    def __init__(self, outputs: Iterable[Output] = (), cap: int = CAP) -> None:
        self.version = 0
        self.truncated = False
        self._cap = cap
        self._weight = 0
        self._pieces: list[tuple[Output, int]] = []
        self._clear_next = False
        self._merged: tuple[Output, ...] | None = ()
        for output in outputs:
            self.hear(output)

    @property
    def outputs(self) -> tuple[Output, ...]:
        """What there is to show; the same object while nothing changed."""
        if self._merged is None:
            self._merged = tuple(_merge(piece for piece, _ in self._pieces))
        return self._merged

    def hear(self, event: Event) -> None:
        """Fold in what the run said."""
        match event:
            case Began():
                return
            case Cleared(wait=True):
                self._clear_next = True
                return
            case Cleared():
                self._clear()
            case Updated():
                self.update(event.display)
                return
            case _:
                self._add(event)
        self._touch()

    def update(self, display: Display) -> bool:
        """Replace the value that is shown under the same display id; whether one is."""
        if display.display_id is None:
            return False
        version = self.version
        for place, (piece, weight) in enumerate(self._pieces):
            if isinstance(piece, Display) and piece.display_id == display.display_id:
                self._pieces[place] = fresh = self._cut(display)
                self._weight += fresh[1] - weight
                self._touch()
        self._trim()
        return self.version != version

    def _add(self, output: Output) -> None:
        if self._clear_next:
            self._clear()
        fresh = self._cut(output)
        self._pieces.append(fresh)
        self._weight += fresh[1]
        self._trim()

    def _trim(self) -> None:
        surplus = 0
        while self._weight > self._cap and surplus < len(self._pieces) - 1:
            self._weight -= self._pieces[surplus][1]
            surplus += 1
        if surplus:
            del self._pieces[:surplus]
            self.truncated = True

    def _cut(self, output: Output) -> tuple[Output, int]:
        """An output and its weight; of one that is too large by itself, what can be shown."""
        weight = _weigh(output)
        if weight <= self._cap:
            return output, weight
        self.truncated = True
        small = _shortened(output, self._cap)
        return small, _weigh(small)

    def _clear(self) -> None:
        self._pieces.clear()
        self._weight = 0
        self._clear_next = False

    def _touch(self) -> None:
        self._merged = None
        self.version += 1


def _merge(pieces: Iterable[Output]) -> Iterable[Output]:
    """Neighbouring texts of one stream as one text."""
    stream, texts = "", list[str]()
    for piece in pieces:
        if texts and not (isinstance(piece, Text) and piece.stream == stream):
            yield Text(stream, "".join(texts))
            texts = []
        if isinstance(piece, Text):
            stream = piece.stream
            texts.append(piece.text)
        else:
            yield piece
    if texts:
        yield Text(stream, "".join(texts))


def _shortened(output: Output, cap: int) -> Output:
    """The end of a text, the small representations of a value, the start of a message."""
    match output:
        case Text():
            return Text(output.stream, output.text[-cap:])
        case Display():
            small = {mime: v for mime, v in output.data.items() if length(v) <= cap // 4}
            return Display(small, {}, output.execution_count, output.display_id)
        case Failure():
            return Failure(output.name, output.message[: cap // 4])


def _weigh(output: Output) -> int:
    match output:
        case Text():
            return len(output.text)
        case Display():
            return sum(map(length, output.data.values()))
        case Failure():
            return len(output.message) + sum(map(len, output.traceback))
