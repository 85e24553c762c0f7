"""Terminal text to segments: colours kept, everything that could do harm removed, never markup.

A line is read one of two ways. Most lines only write from left to right: they are split at
their colour codes. A line that moves back, or is erased, is written into cells first, and read
from there.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from sandbox_tui.tui.widgets import fit, sgr
from sandbox_tui.tui.widgets.overlay import Run, settle
from sandbox_tui.tui.widgets.scrub import clean

_SGR = re.compile(r"\x1b\[([0-9;:]*)m")
_RESET = "\x1b[0m"
"""What stands before the last of these does not matter after it."""
_MOVES = re.compile(r"[\t\b]|\r(?!\r*$)|\x1b\[[12]K")
"""A carriage return at the end of a line moves nothing that would be seen."""


class Parsed(NamedTuple):
    """A line ready to paint, how many cells it takes, and the pen in force at its end."""

    segments: list[Segment]
    width: int
    pen: str


def parse(text: str, base: Style, pen: str = "") -> Parsed:
    """Read one line of terminal output, written on `base` and starting with `pen` (see `sgr`).

    Accepts anything: broken and unknown sequences, control characters and half surrogates are
    left out or replaced, and no input raises.
    """
    if text.isprintable():
        segments = [Segment(text, sgr.ink(base, pen))] if text else []
        return Parsed(segments, fit.width_of(text), pen)
    runs = _runs(text, pen)
    if _MOVES.search(text):
        runs = [*settle(runs), ("", runs[-1][1])]
    readable = "".join([part for part, _ in runs])
    if not readable.isprintable():
        runs = [(clean(part), own) for part, own in runs]
        readable = "".join([part for part, _ in runs])
    segments = [Segment(part, sgr.ink(base, own)) for part, own in runs if part]
    return Parsed(segments, fit.width_of(readable), runs[-1][1])


def strip(text: str, base: Style, pen: str = "") -> Strip:
    """One line as a strip of its own length."""
    segments, width, _ = parse(text, base, pen)
    return Strip(segments, width)


def plain(text: str) -> str:
    """The characters of a line as they would be read on a screen, without colours."""
    if text.isprintable():
        return text
    if _MOVES.search(text):
        return "".join([part for part, _ in settle(_runs(text, ""))])
    return clean(text)


def pen_after(text: str, pen: str = "") -> str:
    """The pen in force at the end of a line that starts with `pen`."""
    if "\x1b" not in text:
        return pen
    for codes in _SGR.findall(text[max(0, text.rfind(_RESET)) :]):
        pen = sgr.turn(pen, codes)
    return pen


def emphasise(
    segments: Iterable[Segment], spans: Iterable[tuple[int, int]], style: Style
) -> list[Segment]:
    """Add `style` to ranges of characters of a line; the spans are in order, without overlap."""
    cuts = [cut for span in spans for cut in span]
    result: list[Segment] = []
    start = 0
    for text, own, _ in segments:
        low, high = bisect_right(cuts, start), bisect_left(cuts, start + len(text))
        edges = [start, *cuts[low:high], start + len(text)]
        for number, (left, right) in enumerate(pairwise(edges), low):
            inked = (own or Style()) + style if number % 2 else own
            result.append(Segment(text[left - start : right - start], inked))
        start += len(text)
    return [segment for segment in result if segment.text]


def _runs(text: str, pen: str) -> list[Run]:
    """The text between colour codes with its pen, still raw; the last one has the last pen."""
    first, *rest = _SGR.split(text)
    runs = [(first, pen)]
    for codes, part in zip(rest[::2], rest[1::2], strict=True):
        pen = sgr.turn(pen, codes)
        runs.append((part, pen))
    return runs
