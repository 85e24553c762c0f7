"""What sessions cost and how much they say, measured from one asking to the next."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import NamedTuple

from sandbox_tui.backends.tmux import processes
from sandbox_tui.backends.tmux.processes import Usage
from sandbox_tui.backends.tmux.server import Server
from sandbox_tui.backends.tmux.wire import Reply
from sandbox_tui.model.outputs import Vitals
from sandbox_tui.model.refs import Ref
from sandbox_tui.runtime.pool import Pool

DEADLINE = 2.0
"""How long reading `/proc` may take, in seconds."""

_LEAST = 0.5
"""Shortest time that a rate is taken over, in seconds: what is asked for sooner is the last one."""

_KEPT = 60.0
"""How long a sample is good for a rate, in seconds."""

_FORMAT = "#{?alternate_on,0,#{cursor_y}} #{history_size} #{history_limit} #{pane_dead} #{pane_pid}"


class _Sample(NamedTuple):
    """A session at one moment."""

    at: float
    rows: int
    """Rows printed so far, as far as the pane still has them."""
    step: int
    """How many rows go when the history is full."""
    usage: Usage


class Meter:
    """Keeps the last sample of each session that was asked for, because rates need two."""

    def __init__(self, server: Server, pool: Pool) -> None:
        self._server = server
        self._pool = pool
        self._last: dict[Ref, tuple[_Sample, Vitals]] = {}

    async def of(self, sessions: Mapping[Ref, str]) -> dict[Ref, Vitals]:
        """One measurement of each that runs; rates are there from the second one on."""
        looks = [("display-message", "-p", "-t", f"{id_}:", _FORMAT) for id_ in sessions.values()]
        replies = await self._server.ask(*looks) or []
        told = dict(zip(sessions, replies, strict=False))
        samples = await self._pool.run(DEADLINE, _sample_all, told)
        self._forget(time.monotonic() - _KEPT)
        return {ref: self._measure(ref, now) for ref, now in samples.items()}

    def _measure(self, ref: Ref, now: _Sample) -> Vitals:
        before, vitals = self._last.get(ref, (None, None))
        if before is None or vitals is None or now.at - before.at >= _LEAST:
            vitals = _vitals(now, before)
            self._last[ref] = now, vitals
        return vitals

    def _forget(self, oldest: float) -> None:
        """Others are kept for a while: somebody else may be asking for them."""
        self._last = {ref: last for ref, last in self._last.items() if last[0].at > oldest}


def _sample_all(told: Mapping[Ref, Reply]) -> dict[Ref, _Sample]:
    samples = {ref: _sample(reply) for ref, reply in told.items() if reply.ok}
    return {ref: sample for ref, sample in samples.items() if sample is not None}


def _sample(reply: Reply) -> _Sample | None:
    cursor, history, limit, dead, pid = map(int, reply.body.split())
    if dead:
        return None
    usage = processes.usage(pid)
    return _Sample(time.monotonic(), history + cursor, max(1, limit // 10), usage)


def _vitals(now: _Sample, before: _Sample | None) -> Vitals:
    known = bool(now.usage.cpu)
    seconds = now.at - before.at if before is not None else 0.0
    has_rates = before is not None and seconds > 0
    return Vitals(
        at=time.time(),
        cpu=now.usage.cpu_since(before.usage) / seconds if before and has_rates and known else None,
        memory=now.usage.memory if known else None,
        pids=len(now.usage.cpu) if known else None,
        activity=_growth(now, before) / seconds if before and has_rates else None,
    )


def _growth(now: _Sample, before: _Sample) -> int:
    """Rows printed in between. A full history loses a step, a cleared one counts anew."""
    rows = now.rows - before.rows
    return rows if rows >= 0 else max(0, rows + now.step)
