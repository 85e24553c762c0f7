"""Numbers in few cells, and rows of blocks and dots."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox_tui.tui.widgets import units
from sandbox_tui.tui.widgets.plot import area, resample
from sandbox_tui.tui.widgets.spark import spark


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0B"),
        (999, "999B"),
        (1000, "1K"),
        (1200, "1.2K"),
        (1024, "1K"),
        (432013312, "412M"),
        (2**30, "1G"),
        (2**30 - 1, "1G"),
        (1.5 * 2**40, "1.5T"),
        (2**90, "1073741824E"),
        (-5, "0B"),
    ],
)
def test_size(count: float, shown: str) -> None:
    assert units.size(count) == shown


@given(st.floats(0, 2**63))
def test_sizes_take_five_cells_at_most(count: float) -> None:
    assert len(units.size(count)) <= 5


@pytest.mark.parametrize(
    ("rate", "shown"),
    [(0, "0"), (49, "0"), (300, "0.3k"), (1200, "1.2k"), (12_400, "12k"), (3.4e6, "3.4M")],
)
def test_rate(rate: float, shown: str) -> None:
    assert units.rate(rate) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-1, "0s"),
        (20.9, "20s"),
        (60, "1m"),
        (14 * 60 + 59, "14m"),
        (3 * 3600, "3h"),
        (2 * 86400, "2d"),
        (6 * 7 * 86400, "6w"),
        (400 * 86400, "1y"),
    ],
)
def test_age(seconds: float, shown: str) -> None:
    assert units.age(seconds) == shown


def test_share() -> None:
    assert (units.share(0.81), units.share(1, 2), units.share(1, 0)) == ("81%", "50%", "0%")


def test_spark_shows_the_newest_at_the_right() -> None:
    assert spark([0, 1, 2, 3, 4, 5, 6, 7], 8) == "▁▂▃▄▅▆▇█"
    assert spark([9, 0, 1], 2) == "▁█"
    assert spark([1], 4) == "   █"
    assert spark([0.5], 1, high=1) == "▅"
    assert spark([1, None, float("nan"), 1], 4) == "█  █"
    assert spark([], 3) == "   "
    assert spark([1], 0) == ""


@given(st.lists(st.none() | st.floats()), st.integers(0, 20))
def test_spark_is_exact(values: list[float | None], width: int) -> None:
    assert len(spark(values, width, high=1)) == width


def test_an_area_is_filled_from_below() -> None:
    assert area([4, 8], 1, 2, high=8) == ["⢸", "⣿"]
    assert area([None, 0], 1, 1, high=8) == ["⢀"]
    assert area([], 2, 1, high=8) == ["⠀⠀"]


def test_resampling_takes_means_and_holds_short_gaps() -> None:
    points: list[tuple[float, float | None]] = [(1, 2), (2, 4), (25, 8), (26, None)]
    values = resample(points, 100, 100, 40)
    assert values[:2] == [3.0, 3.0]
    assert values[9] is None
    assert values[10:13] == [8.0, 8.0, 8.0]
    assert values[13:] == [None] * 27


@given(st.lists(st.tuples(st.floats(0, 1000), st.none() | st.floats(0, 10))), st.integers(1, 50))
def test_resampling_always_fills_the_span(
    points: list[tuple[float, float | None]], count: int
) -> None:
    values = resample(sorted(points, key=lambda point: point[0]), 1000, 300, count)
    assert len(values) == count
    assert all(value is None or 0 <= value <= 10 for value in values)
