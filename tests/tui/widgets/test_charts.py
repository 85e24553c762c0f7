"""The measurements: readings, scales, and charts in any room."""

from __future__ import annotations

from sandbox_tui.model.outputs import Vitals
from sandbox_tui.tui.widgets.charts import StatsView
from tests.tui.widgets.stage import every_size, recording, staged

M = 2**20
HISTORY = [
    Vitals(
        at=1000.0 + second,
        cpu=0.81 if second % 7 else None,
        cpu_limit=1.0,
        memory=412 * M,
        memory_limit=1024 * M,
        received=1200.0,
        sent=300.0,
        pids=7,
    )
    for second in range(300)
]


@every_size
async def test_readings_and_scales(size: tuple[int, int]) -> None:
    view = StatsView()
    view.show(HISTORY)
    async with staged(view, size) as show:
        for text in (
            "cpu 81% of 1.0 cores · 7 processes",
            "mem 412M / 1G (limit)",
            "net ↓1.2k ↑0.3k",
            "0–100%, 5 min",
            "0–1G, 5 min",
        ):
            assert text in show.text
        assert "disk" not in show.text


async def test_a_short_strip_has_its_scales_beside_the_charts() -> None:
    view = StatsView()
    view.show(HISTORY)
    async with staged(view, (120, 2)) as show:
        assert "cpu 81% of 1.0 cores" in show.rows[0]
        assert "net ↓1.2k" in show.rows[0]
        assert "0–100%, 5 min" in show.rows[1]
        assert len(show.rows) == 2


async def test_tiny_rooms_do_not_break_it() -> None:
    view = StatsView()
    view.show(HISTORY)
    async with staged(view, (12, 1)) as show:
        assert show.rows[0].startswith("cpu 81%")
        await show.pilot.resize_terminal(3, 3)
        await show.settle()


async def test_what_was_never_measured_is_not_shown() -> None:
    view = StatsView()
    view.show([Vitals(at=float(second), activity=12.4) for second in range(300)])
    async with staged(view) as show:
        assert "activity 12 lines/s" in show.text
        assert show.inked("⣿") == show.ink("stats--activity")
        assert "cpu" not in show.text
        view.show([])
        await show.settle()
        assert show.rows[0] == "nothing is measured here"


async def test_without_limits_it_scales_to_what_was_seen() -> None:
    view = StatsView()
    view.show(
        [Vitals(at=1.0, cpu=2.5, memory=300 * M, read=0, written=5e6), Vitals(at=2.0, cpu=1.0)]
    )
    async with staged(view) as show:
        assert "cpu 100% of 1.0 cores" in show.text
        assert "0–250%" in show.text
        assert "mem –" in show.text
        assert "disk r – w –" in show.text


async def test_a_second_later_most_rows_are_as_they_were() -> None:
    kind, painted = recording(StatsView)
    view = kind()
    view.show(HISTORY)
    async with staged(view, (80, 24)):
        painted.clear()
        later = [*HISTORY, Vitals(at=1300.0, cpu=0.5, memory=412 * M, memory_limit=1024 * M)]
        view.show(later)
        assert 0 < len(painted) < 24
