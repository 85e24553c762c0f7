"""When control mode is tried again after it did not work."""

from __future__ import annotations

SHORT_LIFE = 1.0
SHORT_LIVES = 3
"""Control mode does not work when more clients in a row ended within so many seconds.

One that ended later had its reasons: the session that it was a guest of is gone.
"""

FIRST_PAUSE = 5.0
LONGEST_PAUSE = 60.0
"""Seconds without control mode after it failed once, doubled each time up to the longest."""


class Patience:
    """Counts what went wrong. Times are seconds of any one clock that only goes on."""

    def __init__(self) -> None:
        self._short_lives = 0
        self._failures = 0
        self._retry_at = 0.0

    def allows(self, now: float) -> bool:
        """Whether to try."""
        return now >= self._retry_at

    def outlived(self, life: float) -> bool:
        """A client has ended by itself; whether that is no failure yet."""
        self._short_lives = 0 if life >= SHORT_LIFE else self._short_lives + 1
        return self._short_lives <= SHORT_LIVES

    def lose(self, now: float) -> None:
        """Try no more for a while, longer with every time."""
        self._retry_at = now + min(FIRST_PAUSE * 2.0**self._failures, LONGEST_PAUSE)
        self._failures = min(self._failures + 1, 16)
        self._short_lives = 0
