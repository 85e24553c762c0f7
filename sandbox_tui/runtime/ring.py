"""A bounded sequence that forgets its oldest items and says how many."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

T = TypeVar("T")


class Ring(Generic[T]):
    """Items by absolute index, the newest within `capacity`.

    `capacity` is in the unit of `weigh`: items when that is not given, bytes or characters with
    `weigh=len`. The newest item is always kept, however heavy.
    """

    def __init__(self, capacity: int, weigh: Callable[[T], int] | None = None) -> None:
        self._capacity = capacity
        self._weigh = weigh
        self._items: list[T] = []
        self._head = 0
        self._weight = 0
        self._dead = 0
        """Weight of what was dropped and is still held, because a list is cut seldom."""
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._items) - self._head

    @property
    def first(self) -> int:
        """Absolute index of the oldest item still here; also how many were dropped."""
        return self.dropped

    @property
    def end(self) -> int:
        """Absolute index of the next item."""
        return self.dropped + len(self)

    @property
    def weight(self) -> int:
        """Weight of everything still here."""
        return self._weight if self._weigh else len(self)

    def append(self, item: T) -> None:
        """Add one item."""
        self._items.append(item)
        if self._weigh:
            self._weight += self._weigh(item)
        self._trim()

    def extend(self, items: Iterable[T]) -> None:
        """Add many items; cheaper than one by one."""
        before = len(self._items)
        self._items.extend(items)
        if self._weigh:
            self._weight += sum(map(self._weigh, self._items[before:]))
        self._trim()

    def slice(self, start: int, stop: int | None = None) -> list[T]:
        """Items from `start` up to `stop`, absolute; what was dropped is left out."""
        shift = self._head - self.dropped
        low = max(start, self.dropped) + shift
        high = self.end if stop is None else min(stop, self.end)
        return self._items[low : max(low, high + shift)]

    def clear(self) -> list[T]:
        """Forget everything and return it."""
        items = self.slice(self.first)
        self.dropped += len(items)
        self._items, self._head, self._weight, self._dead = [], 0, 0, 0
        return items

    def _trim(self) -> None:
        surplus = self._surplus()
        if surplus:
            self._head += surplus
            self.dropped += surplus
            many = self._head > 1024 and self._head * 2 > len(self._items)
            if many or self._dead * 8 > self._capacity:
                del self._items[: self._head]
                self._head = self._dead = 0

    def _surplus(self) -> int:
        """How many of the oldest must go."""
        if self._weigh is None:
            return max(0, len(self) - self._capacity)
        surplus = 0
        newest = len(self) - 1
        while self._weight > self._capacity and surplus < newest:
            lost = self._weigh(self._items[self._head + surplus])
            self._weight -= lost
            self._dead += lost
            surplus += 1
        return surplus
