"""What a container has used up so far, and what that is per second."""

from __future__ import annotations

import msgspec

from sandbox_tui.model.outputs import Vitals


class Counters(msgspec.Struct, frozen=True, kw_only=True):
    """One reading. Totals since the container began; `None` is what cannot be read."""

    at: float
    """When it was read (seconds since the epoch)."""
    cpu: float | None = None
    """Processor time, in seconds."""
    cpu_limit: float | None = None
    memory: int | None = None
    memory_limit: int | None = None
    pids: int | None = None
    received: int | None = None
    sent: int | None = None
    read: int | None = None
    written: int | None = None


def vitals_between(before: Counters | None, now: Counters) -> Vitals:
    """The vitals at `now`; rates need a reading `before` that."""
    rate = _Rate(before, now)
    return Vitals(
        at=now.at,
        cpu=rate.of("cpu"),
        cpu_limit=now.cpu_limit,
        memory=now.memory,
        memory_limit=now.memory_limit,
        received=rate.of("received"),
        sent=rate.of("sent"),
        read=rate.of("read"),
        written=rate.of("written"),
        pids=now.pids,
    )


class _Rate:
    def __init__(self, before: Counters | None, now: Counters) -> None:
        self._before = before
        self._now = now

    def of(self, total: str) -> float | None:
        """Per second. A total that has become smaller was begun anew: that is unknown, not less."""
        if self._before is None or self._now.at <= self._before.at:
            return None
        earlier, later = getattr(self._before, total), getattr(self._now, total)
        if earlier is None or later is None or later < earlier:
            return None
        return (later - earlier) / (self._now.at - self._before.at)
