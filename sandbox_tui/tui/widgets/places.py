"""Walking rows over lines that may take several rows each, without counting them all."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Place(NamedTuple):
    """A row: the index of a line, and which of its rows when it is wrapped."""

    line: int
    part: int = 0


class Ground(NamedTuple):
    """Lines from `begin` up to `end`, and how many rows each takes; only lines passed are asked."""

    begin: int
    end: int
    rows_of: Callable[[int], int]

    def step(self, place: Place, count: int) -> Place:
        """The row that is `count` rows further, or the first or last row there is."""
        if self.end <= self.begin:
            return Place(self.begin)
        index, part = max(place, Place(self.begin))
        part += count
        while part < 0 and index > self.begin:
            index -= 1
            part += self.rows_of(index)
        while part > 0 and index < self.end and part >= (rows := self.rows_of(index)):
            if index == self.end - 1:
                return Place(index, rows - 1)
            index += 1
            part -= rows
        return Place(index, max(0, part))

    def bottom(self, height: int) -> Place:
        """Where a window of `height` rows begins that ends with the last row."""
        last = self.end - 1
        parts = self.rows_of(last) if last >= self.begin else 1
        return self.step(Place(last, parts - 1), 1 - height)

    def clamp(self, place: Place, height: int) -> Place:
        """The nearest place from which the window is full, if there are rows enough."""
        return max(Place(self.begin), min(place, self.bottom(height)))
