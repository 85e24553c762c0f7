"""The measurements of one sandbox as area charts with their readings and scales."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import ClassVar

from rich.segment import Segment
from textual.strip import Strip

from sandbox_tui.model.outputs import Vitals
from sandbox_tui.tui.widgets.fit import fit, width_of
from sandbox_tui.tui.widgets.gauges import Gauge, gauges
from sandbox_tui.tui.widgets.lines import LineView
from sandbox_tui.tui.widgets.plot import area, resample
from sandbox_tui.tui.widgets.prose import wrap_words

_WIDE = 34
"""Cells that a chart should have at least before there are two side by side."""
_TALL = 12
"""Rows that a chart has at most."""

Part = tuple[str, str]
StatsRow = tuple[Part, ...]
"""Texts with their component classes."""


class StatsView(LineView[StatsRow]):
    """Shows a history of `Vitals`; charts move by whole dots, so most rows stay as they are."""

    HAS_BAR = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"stats--{name}" for name in ("cpu", "mem", "net", "disk", "activity")),
        *(f"stats--{part}" for part in ("name", "reading", "scale", "note")),
    }
    DEFAULT_CSS = """
    StatsView {
        & > .stats--name { text-style: bold; }
        & > .stats--scale, & > .stats--note { color: $foreground 50%; }
        & > .stats--cpu { color: $success; }
        & > .stats--mem { color: $primary; }
        & > .stats--net { color: $accent; }
        & > .stats--disk { color: $secondary; }
        & > .stats--activity { color: $success; }
    }
    """

    def __init__(
        self,
        placeholder: str = "nothing is measured here",
        *,
        span: float = 300.0,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """`span` is how many seconds the charts reach back."""
        super().__init__(name=name, id=id, classes=classes)
        self._placeholder = placeholder
        self._span = span
        self._gauges: list[Gauge] = []
        self._end = 0.0

    def show(self, history: Sequence[Vitals]) -> None:
        """Show measurements in the order of their times; the last is the one that is read."""
        self._gauges = gauges(history)
        self._end = history[-1].at if history else 0.0
        self.sync()

    def window(self, height: int) -> list[StatsRow]:
        """Charts in a grid: side by side where there is room, else below each other."""
        width = self.columns
        if not self._gauges:
            return [((line, "stats--note"),) for line in wrap_words(self._placeholder, width)]
        deep = ceil(len(self._gauges) / max(1, width // _WIDE))
        columns = ceil(len(self._gauges) / deep)
        room = max(1, min(_TALL, height // deep))
        rows: list[StatsRow] = []
        for at in range(0, len(self._gauges), columns):
            panels = [
                self._panel(gauge, width // columns, room)
                for gauge in self._gauges[at : at + columns]
            ]
            rows += [
                tuple(part for row in line for part in row) for line in zip(*panels, strict=True)
            ]
        return rows

    def paint(self, key: StatsRow) -> Strip:
        """One row."""
        return Strip([Segment(text, self.ink(look)) for text, look in key if text])

    def _panel(self, gauge: Gauge, width: int, height: int) -> list[StatsRow]:
        """One chart, `height` rows of exactly `width` cells."""
        name = f"{gauge.name} "
        inner = width - 1
        reading = fit(gauge.reading, max(0, inner - width_of(name)))
        title: StatsRow = ((name, "stats--name"), (reading, "stats--reading"), _gap(1))
        scale = f"{gauge.scale}, {self._span / 60:g} min"
        if height >= 4:
            chart = [(part, _gap(1)) for part in self._chart(gauge, inner, height - 2)]
            return [title, *chart, ((fit(scale, inner), "stats--scale"), _gap(1))]
        beside = width_of(scale) + 2
        chart = self._chart(gauge, max(1, inner - beside), max(0, height - 1))
        blank = _gap(beside + 1)
        rows: list[StatsRow] = [(part, blank) for part in chart]
        if rows:
            rows[-1] = (chart[-1], ("  " + scale + " ", "stats--scale"))
        return [title, *rows]

    def _chart(self, gauge: Gauge, width: int, height: int) -> list[Part]:
        step = self._span / (2 * width)
        end = ceil(self._end / step) * step
        values = resample(gauge.series, end, self._span, 2 * width)
        look = f"stats--{gauge.name}"
        return [(row, look) for row in area(values, width, height, high=gauge.high)]


def _gap(width: int) -> Part:
    return (" " * width, "stats--scale")
