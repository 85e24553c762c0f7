"""What is measured of a sandbox, as readings in words and as series to draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sandbox_tui.model.outputs import Vitals
from sandbox_tui.tui.widgets import units

Series = list[tuple[float, float | None]]
"""Times (seconds since the epoch) and values."""


class Gauge(NamedTuple):
    """One quantity over time."""

    name: str
    reading: str
    """The last measurement, in words: `81% of 1.0 cores`."""
    scale: str
    """What the height of the chart stands for: `0–100%`."""
    series: Series
    high: float
    """The value at the top of the chart."""


def gauges(history: Sequence[Vitals]) -> list[Gauge]:
    """The quantities that were ever measured, in the order of their use."""
    if not history:
        return []
    made = (_cpu(history), _memory(history), _network(history), _disk(history), _activity(history))
    return [gauge for gauge in made if any(value is not None for _, value in gauge.series)]


def _cpu(history: Sequence[Vitals]) -> Gauge:
    last = history[-1]
    series: Series = [(vitals.at, vitals.cpu) for vitals in history]
    limit = last.cpu_limit
    high = limit or max(1.0, _peak(series))
    reading = "–"
    if last.cpu is not None:
        reading = f"{units.share(last.cpu, limit or 1.0)} of {units.cores(limit or 1.0)}"
    if last.pids is not None:
        reading += f" · {last.pids} process{'es' * (last.pids != 1)}"
    return Gauge("cpu", reading, f"0–{units.share(high, limit or 1.0)}", series, high)


def _memory(history: Sequence[Vitals]) -> Gauge:
    last = history[-1]
    series: Series = [(vitals.at, vitals.memory) for vitals in history]
    high = float(last.memory_limit or _peak(series))
    reading = "–" if last.memory is None else units.size(last.memory)
    if last.memory_limit:
        reading += f" / {units.size(last.memory_limit)} (limit)"
    return Gauge("mem", reading, f"0–{units.size(high)}", series, high)


def _network(history: Sequence[Vitals]) -> Gauge:
    pairs = [(vitals.at, vitals.received, vitals.sent) for vitals in history]
    return _flow("net", "↓", "↑", pairs)


def _disk(history: Sequence[Vitals]) -> Gauge:
    pairs = [(vitals.at, vitals.read, vitals.written) for vitals in history]
    return _flow("disk", "r ", "w ", pairs)


def _flow(
    name: str, first: str, second: str, pairs: Sequence[tuple[float, float | None, float | None]]
) -> Gauge:
    """Two rates, read apart and drawn as their sum."""
    _, one, other = pairs[-1]
    series = [(at, None if a is None and b is None else (a or 0) + (b or 0)) for at, a, b in pairs]
    high = max(1000.0, _peak(series))
    reading = " ".join(
        mark + ("–" if value is None else units.rate(value))
        for mark, value in ((first, one), (second, other))
    )
    return Gauge(name, reading, f"0–{units.rate(high)}/s", series, high)


def _activity(history: Sequence[Vitals]) -> Gauge:
    series: Series = [(vitals.at, vitals.activity) for vitals in history]
    high, last = max(1.0, _peak(series)), history[-1].activity
    reading = "–" if last is None else f"{last:.0f} line{'s' * (round(last) != 1)}/s"
    return Gauge("activity", reading, f"0–{high:.0f}/s", series, high)


def _peak(series: Series) -> float:
    return max((value for _, value in series if value is not None), default=0.0)
