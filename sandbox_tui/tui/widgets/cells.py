"""A notebook: cells with their source, their state and the end of their output.

Each cell is laid out once per value and width. The window stays on what the person reads: it is
held by cell and row, so output that grows above does not push it; at the end, it stays there.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from time import time
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer

from sandbox_tui.model.cells import Notebook, NotebookCell
from sandbox_tui.tui.widgets import ansi, cell_block
from sandbox_tui.tui.widgets.cell_block import BlockLine
from sandbox_tui.tui.widgets.fit import breaks
from sandbox_tui.tui.widgets.lines import Extent, LineView
from sandbox_tui.tui.widgets.prose import wrap_words

GUTTER = 2
"""Cells before the text: the bar of the selected cell, and a space."""


class CellRow(NamedTuple):
    """One row of one cell."""

    line: BlockLine = BlockLine("")
    part: int = 0
    """Which row of a line that is wrapped."""
    is_title: bool = False
    selected: bool = False


class Block(NamedTuple):
    """A cell laid out: its rows below the title, which changes by the second while it runs."""

    cell: NotebookCell
    width: int
    rows: tuple[CellRow, ...]

    @property
    def height(self) -> int:
        """Rows, with the title and the blank row at the end."""
        return len(self.rows) + 2


class NotebookView(LineView[CellRow]):
    """Shows a `Notebook`; the selection is a cell's id, and stays with it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"cells--{look}" for look in ("idle", "queued", "running", "ok", "failed")),
        *(f"cells--{look}" for look in ("source", "stderr", "note", "bar", "selected", "heading")),
    }
    DEFAULT_CSS = """
    NotebookView {
        & > .cells--idle, & > .cells--note { color: $foreground 50%; }
        & > .cells--queued { color: $accent; }
        & > .cells--running { color: $success; text-style: bold; }
        & > .cells--ok { color: $foreground 70%; }
        & > .cells--failed { color: $error; text-style: bold; }
        & > .cells--source { background: $foreground 6%; }
        & > .cells--stderr { color: $error; }
        & > .cells--bar { color: $primary; }
        & > .cells--selected { background: $foreground 10%; }
        & > .cells--heading { text-style: bold; color: $primary; }
        &:focus-within > .cells--selected { background: $primary 30%; }
    }
    """

    @dataclass
    class CellSelected(Message):
        """Another cell is selected; None when there is none at all."""

        view: NotebookView
        cell_id: str | None

        @property
        def control(self) -> NotebookView:
            """The notebook."""
            return self.view

        def can_replace(self, message: Message) -> bool:
            """The latest selection wins."""
            return isinstance(message, NotebookView.CellSelected)

    @dataclass
    class CellOpened(Message):
        """A cell was double-clicked."""

        view: NotebookView
        cell_id: str

        @property
        def control(self) -> NotebookView:
            """The notebook."""
            return self.view

    def __init__(
        self,
        placeholder: str = "",
        *,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """`placeholder` is what stands here while there are no cells."""
        super().__init__(name=name, id=id, classes=classes)
        self._placeholder = placeholder
        self._cells: tuple[NotebookCell, ...] = ()
        self._selected: str | None = None
        self._blocks: dict[str, Block] = {}
        self._starts: list[int] = [0]
        self._top = 0
        self._clock: Timer | None = None

    # Values in.

    def show(self, notebook: Notebook | None) -> None:
        """Show another revision, or nothing; only rows that differ are repainted."""
        before, was_at_end = self._cells, self._is_at_end()
        index, offset = self._cell_at(self._top, before)
        anchor = before[index].cell.id if before else None
        self._cells = notebook.cells if notebook else ()
        self._lay_out()
        self._hold(anchor, offset)
        if was_at_end:
            self._top = self._starts[-1]
        self._select(self._survivor(before))
        self.sync()
        self._run_clock()

    # The selection and the window.

    @property
    def selected(self) -> str | None:
        """The id of the selected cell."""
        return self._selected

    @property
    def selected_cell(self) -> NotebookCell | None:
        """The selected cell."""
        return next((cell for cell in self._cells if cell.cell.id == self._selected), None)

    @property
    def cell_ids(self) -> Sequence[str]:
        """The id of every cell, in order."""
        return tuple(self._blocks)

    def select(self, cell_id: str) -> bool:
        """Select a cell and bring it into view; False when there is no such cell."""
        if cell_id not in self._blocks:
            return False
        self._select(cell_id)
        self._reveal()
        self.sync()
        return True

    def move(self, count: int) -> None:
        """Select another cell, below when positive; it stops at the ends."""
        if self._cells:
            index = max(0, min(self._index(self._selected) + count, len(self._cells) - 1))
            self.select(self._cells[index].cell.id)

    def first(self) -> None:
        """Select the first cell."""
        self.move(-len(self._cells))

    def last(self) -> None:
        """Select the last cell."""
        self.move(len(self._cells))

    def page(self, count: int) -> None:
        """Move the window by its height, down when positive."""
        self.scroll_rows(count * max(1, self.size.height - 1))

    def scroll_rows(self, count: int) -> None:
        """Move the window by rows; the selection stays."""
        self._top += count
        self.sync()

    def scroll_to_share(self, share: float) -> None:
        """Look at a place in the notebook, from 0 to 1."""
        self._top = round(share * (self._starts[-1] - self.size.height))
        self.sync()

    # How it is painted.

    def window(self, height: int) -> list[CellRow]:
        """The rows in view."""
        if not self._cells:
            lines = wrap_words(self._placeholder, self.columns - GUTTER)
            return [CellRow(BlockLine(line, "cells--note")) for line in lines]
        self._lay_out()
        self._top = max(0, min(self._top, self._starts[-1] - height))
        rows: list[CellRow] = []
        index, skipped = self._cell_at(self._top, self._cells)
        for cell in self._cells[index:]:
            rows += self._block_rows(cell)
            if len(rows) >= skipped + height:
                break
        return rows[skipped : skipped + height]

    def paint(self, key: CellRow) -> Strip:
        """One row."""
        width = self.columns - GUTTER
        looks = [key.line.look] if key.line.look else []
        if key.selected and key.is_title:
            looks.append("cells--selected")
        base = self.ink(*looks)
        bar = Segment("▌" if key.selected else " ", self.ink("cells--bar"))
        parts = _parts(ansi.strip(key.line.text, base, key.line.pen), width)
        text = parts[key.part].extend_cell_length(width, base)
        return Strip([bar, Segment(" ", base), *text])

    def extent(self) -> Extent:
        """The window as a share of all rows."""
        total = max(1, self._starts[-1])
        return Extent(self._top / total, self.size.height / total)

    def on_mount(self) -> None:
        """Count the seconds of what runs."""
        self._clock = self.set_interval(1.0, self.sync, pause=True)
        self._run_clock()

    def on_click(self, event: events.Click) -> None:
        """Select the cell; open it on a double click."""
        row = self._top + event.y - self.gutter.top
        if not self._cells or row >= self._starts[-1] or event.x - self.gutter.left >= self.columns:
            return
        cell_id = self._cells[self._cell_at(row, self._cells)[0]].cell.id
        self._select(cell_id)
        self.sync()
        if event.chain == 2:
            self.post_message(self.CellOpened(self, cell_id))

    def _select(self, cell_id: str | None) -> None:
        if cell_id != self._selected:
            self._selected = cell_id
            if self.is_attached:
                self.post_message(self.CellSelected(self, cell_id))

    def _survivor(self, before: tuple[NotebookCell, ...]) -> str | None:
        """The selected cell; when it is gone, what is in its place now."""
        if self._selected in self._blocks or not self._cells:
            return self._selected if self._cells else None
        index = next((at for at, c in enumerate(before) if c.cell.id == self._selected), 0)
        return self._cells[min(index, len(self._cells) - 1)].cell.id

    def _index(self, cell_id: str | None) -> int:
        return next((at for at, c in enumerate(self._cells) if c.cell.id == cell_id), 0)

    def _cell_at(self, row: int, cells: tuple[NotebookCell, ...]) -> tuple[int, int]:
        """The cell that a row belongs to, by index, and the row within it."""
        index = max(0, min(bisect_right(self._starts, row), len(cells)) - 1)
        return index, row - self._starts[index]

    def _is_at_end(self) -> bool:
        """Whether the window shows the end (the last row is blank), and not the beginning."""
        return 0 < self._top >= self._starts[-1] - 1 - self.size.height

    def _hold(self, cell_id: str | None, offset: int) -> None:
        """Keep the window on a row of a cell, wherever the cell is now."""
        if cell_id in self._blocks:
            self._top = self._starts[self._index(cell_id)] + offset

    def _reveal(self) -> None:
        """Scroll as little as shows the selected cell; its title, when it is too high for that."""
        index, height = self._index(self._selected), self.size.height
        start, end = self._starts[index], self._starts[index + 1] - 1
        self._top = min(max(self._top, end - height), start)

    def _lay_out(self) -> None:
        """Lay out the cells that are new or changed, and add the heights up."""
        blocks = {cell.cell.id: self._block(cell) for cell in self._cells}
        if blocks != self._blocks or len(self._starts) != len(blocks) + 1:
            self._starts = [0, *accumulate(block.height for block in blocks.values())]
        self._blocks = blocks

    def _block(self, cell: NotebookCell) -> Block:
        width = self.columns
        known = self._blocks.get(cell.cell.id)
        if known and known.width == width and (known.cell is cell or known.cell == cell):
            return known
        return Block(cell, width, (*self._source_rows(cell), *self._wrapped(cell_block.said(cell))))

    def _source_rows(self, cell: NotebookCell) -> Sequence[CellRow]:
        """The rows between a cell's title and what it said."""
        return self._wrapped(cell_block.source(cell.cell))

    def _wrapped(self, lines: Iterable[BlockLine]) -> list[CellRow]:
        return [
            CellRow(line, part)
            for line in lines
            for part in range(len(breaks(ansi.plain(line.text), self.columns - GUTTER)))
        ]

    def _block_rows(self, cell: NotebookCell) -> list[CellRow]:
        is_selected = cell.cell.id == self._selected
        rows = self._blocks[cell.cell.id].rows
        title = CellRow(cell_block.title(cell, time()), is_title=True, selected=is_selected)
        body = [row._replace(selected=True) for row in rows] if is_selected else rows
        return [title, *body, CellRow()]

    def _run_clock(self) -> None:
        if self._clock is None:
            return
        if any(cell.run and cell.run.status == "running" for cell in self._cells):
            self._clock.resume()
        else:
            self._clock.pause()


def _parts(strip: Strip, width: int) -> Sequence[Strip]:
    return strip.divide(breaks(strip.text, max(2, width))) or [strip]
