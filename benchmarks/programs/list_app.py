"""A thousand sandboxes, a tenth of which change each second: `list_app.py WIDGET`.

WIDGET is `list` (the dashboard's own), `refill` (a DataTable cleared and filled again) or `cells`
(a DataTable told of the changed cells only).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from textual.app import App, ComposeResult
from textual.widgets import DataTable

from sandbox_tui.model.refs import Ref
from sandbox_tui.tui.widgets.rows import Look, Row, Section
from sandbox_tui.tui.widgets.sandbox_list import SandboxList

COUNT = 1000
BEATS = 60
SPARKS = "▁▂▃▄▅▆▇█"
REFS = {name: Ref(f"container:{name}") for name in (f"agent-{n:04}" for n in range(COUNT))}
"""A world has its refs already."""
Cells = tuple[str, str, str, str, str]


def cells(number: int, beat: int) -> Cells:
    """The texts of one row; one row in ten has other ones with each beat."""
    moved = beat - (beat - number) % 10
    share = (number * 7 + moved * 13) % 100
    spark = "".join(SPARKS[(number + moved * step) % 8] for step in range(1, 7))
    return ("●", f"agent-{number:04}", spark, f"{share}% {share * 5}M", f"{number % 60}m")


def row(texts: Cells) -> Row:
    """The same as a value for the list."""
    _, name, spark, badge, age = texts
    return Row(REFS[name], Look.RUNNING, name, spark=spark, badge=badge, age=age)


class ListApp(App[None]):
    """One widget that is brought up to date each second."""

    beat = 0

    def on_mount(self) -> None:
        self.beats = [[cells(number, beat) for number in range(COUNT)] for beat in range(BEATS)]
        self.show()
        self.set_interval(1.0, self.show)

    def next(self) -> list[Cells]:
        """The texts of the next beat; made beforehand, they are no part of the work."""
        self.beat += 1
        return self.beats[self.beat % BEATS]

    def show(self) -> None:
        """Show the next beat."""
        raise NotImplementedError


class Lines(ListApp):
    """The dashboard's list."""

    def compose(self) -> ComposeResult:
        yield SandboxList()

    def show(self) -> None:
        rows = tuple(row(texts) for texts in self.next())
        self.query_one(SandboxList).show([Section("containers", "containers", rows)])


class Refill(ListApp):
    """A table that is cleared and filled."""

    def compose(self) -> ComposeResult:
        yield DataTable(cursor_type="row")

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        for heading in ("state", "name", "activity", "use", "age"):
            table.add_column(heading, key=heading)
        super().on_mount()

    def show(self) -> None:
        table = self.query_one(DataTable)
        table.clear()
        for number, texts in enumerate(self.next()):
            table.add_row(*texts, key=str(number))


class Cellwise(Refill):
    """A table that is told of what changed."""

    shown: Sequence[Cells] = ()

    def show(self) -> None:
        if not self.shown:
            super().show()
        now = self.next()
        table = self.query_one(DataTable)
        headings = [str(column.key.value) for column in table.ordered_columns]
        for number, (before, after) in enumerate(zip(self.shown or now, now, strict=True)):
            for heading, old, new in zip(headings, before, after, strict=True):
                if old != new:
                    table.update_cell(str(number), heading, new)
        self.shown = now


if __name__ == "__main__":
    {"list": Lines, "refill": Refill, "cells": Cellwise}[sys.argv[1]]().run()
