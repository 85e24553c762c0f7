"""Times as people type them."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from sandbox_tui.cli.times import age, moment, stamp
from sandbox_tui.model.errors import UsageError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10s", 10), ("10m", 600), ("2h30m", 9000), ("1.5h", 5400), ("1w", 604800)],
)
def test_spans_are_ago(text: str, seconds: float) -> None:
    assert moment(text) == pytest.approx(time.time() - seconds, abs=5)


def test_moments() -> None:
    noon = datetime(2025, 1, 31, 12, tzinfo=UTC).timestamp()
    assert moment("2025-01-31T12:00+00:00") == noon
    assert moment(str(noon)) == noon
    assert moment(stamp(noon)) == noon
    assert moment("2025-01-31") == datetime(2025, 1, 31).astimezone().timestamp()


@pytest.mark.parametrize("text", ["", "yesterday", "10", "10x", "m", "5m x"])
def test_what_is_no_time_says_so(text: str) -> None:
    if text == "10":
        assert moment(text) == 10
        return
    with pytest.raises(UsageError, match="is no time"):
        moment(text)


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0s"), (59, "59s"), (61, "1m"), (7200, "2h"), (90000, "1d")]
)
def test_ages(seconds: float, shown: str) -> None:
    assert age(time.time() - seconds - 0.1) == shown
    assert age(None) == ""
