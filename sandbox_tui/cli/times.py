"""Moments and spans of time as people type and read them."""

from __future__ import annotations

import re
import time
from datetime import datetime

from sandbox_tui.model.errors import UsageError

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")


def moment(text: str) -> float:
    """`10m` (ago), `2025-01-31T12:00`, or seconds since the epoch, as the last. Local time."""
    spans = _SPAN.findall(text)
    if spans and "".join(map("".join, spans)) == text:
        return time.time() - sum(float(number) * _SECONDS[unit] for number, unit in spans)
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text).astimezone().timestamp()
    except ValueError:
        hint = "Use 10m, 2h30m, 2025-01-31T12:00 or seconds since the epoch."
        raise UsageError(f"{text!r} is no time", hint=hint) from None


def stamp(at: float) -> str:
    """A moment in local time, to the millisecond: `2025-01-31T12:00:00.000+01:00`."""
    return datetime.fromtimestamp(at).astimezone().isoformat(timespec="milliseconds")


def age(since: float | None) -> str:
    """How long ago, in its largest unit: `45s`, `3h`, `2d`."""
    if since is None:
        return ""
    seconds = max(0.0, time.time() - since)
    fitting = [(seconds / size, unit) for unit, size in _SECONDS.items() if seconds >= size]
    number, unit = fitting[-1] if fitting else (0, "s")
    return f"{int(number)}{unit}"
