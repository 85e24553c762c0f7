"""The output of one run that is kept: its beginning or its end, cut to the character.

Whoever reads along reads by position; only what is asked for as a whole is cut, so that a cap of a
hundred characters gives a hundred of them, wherever the pieces begin and end.
"""

from __future__ import annotations

from collections.abc import Sequence

from sandbox_tui.model.outputs import Display, Failure, Keep, Output, Text
from sandbox_tui.runtime.ring import Ring

SLACK = 64 * 1024
"""What may be held beyond the cap, in characters: one piece, or dropping that would be too much."""

_LEAST = 32
"""What an output weighs at least: a million of one letter each are not one megabyte."""


class Kept:
    """At most `cap` characters of outputs, the newest (`tail`) or the first ones (`head`)."""

    def __init__(self, cap: int, keep: Keep) -> None:
        self._cap = cap
        self._keep = keep
        self._held: Ring[Output] = Ring(cap + SLACK, lambda output: max(_LEAST, size(output)))
        self._full = False

    @property
    def first(self) -> int:
        """Position of the oldest output that is still here."""
        return self._held.first

    @property
    def end(self) -> int:
        """Position of the next output."""
        return self._held.end

    @property
    def truncated(self) -> bool:
        """Whether `whole` is less than everything there was."""
        return self._full or self._held.dropped > 0 or self._surplus() > 0

    def add(self, output: Output) -> None:
        """One more was said."""
        if self._full:
            return
        if self._keep == "head" and self._held.weight + max(_LEAST, size(output)) > self._cap:
            space = self._cap - self._size()
            self._full = size(output) > space
            pieces = _cut(output, slice(space)) if self._full else (output,)
            self._held.extend(pieces)
            return
        if size(output) <= SLACK:
            self._held.append(output)
        else:
            self._held.extend(_pieces(output))

    def since(self, position: int) -> list[Output]:
        """The outputs from that position on, as far as they are still here."""
        return self._held.slice(position)

    def whole(self) -> tuple[Output, ...]:
        """All that is kept, cut to the cap."""
        outputs, surplus = self.since(0), self._surplus()
        passed = 0
        while surplus and surplus >= size(outputs[passed]):
            surplus -= size(outputs[passed])
            passed += 1
        if not surplus:
            return tuple(outputs[passed:])
        oldest = outputs[passed]
        return (*_cut(oldest, slice(surplus, None)), *outputs[passed + 1 :])

    def _surplus(self) -> int:
        """Characters beyond the cap."""
        return max(0, self._size() - self._cap) if self._held.weight > self._cap else 0

    def _size(self) -> int:
        return sum(map(size, self.since(0)))


def size(output: Output) -> int:
    """About how many characters an output is."""
    match output:
        case Text():
            return len(output.text)
        case Display():
            return 256 + sum(map(length, output.data.values()))
        case Failure():
            return 256 + len(output.message) + sum(map(len, output.traceback))


def length(value: object) -> int:
    """Characters of a value of a MIME type; JSON values are counted as Python writes them."""
    return len(value if isinstance(value, str) else str(value))


def _pieces(output: Output) -> Sequence[Output]:
    """A long text in parts that can be dropped one by one."""
    if not isinstance(output, Text) or output.raw is not None:
        return (output,)
    starts = range(0, len(output.text), SLACK)
    return [part for at in starts for part in _cut(output, slice(at, at + SLACK))]


def _cut(output: Output, part: slice) -> Sequence[Output]:
    """That part of a text; what is no text is there or not."""
    if not isinstance(output, Text):
        return ()
    if output.raw is None:
        text = output.text[part]
        return (Text(output.stream, text, output.at),) if text else ()
    raw = output.raw[part]
    return (Text(output.stream, raw.decode(errors="replace"), output.at, raw),) if raw else ()
