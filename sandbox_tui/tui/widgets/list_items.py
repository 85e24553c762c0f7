"""Sections flattened into the items of a list: titles, words and rows, in order."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

from sandbox_tui.tui.widgets.fit import harmless, width_of
from sandbox_tui.tui.widgets.list_columns import Columns, share_out
from sandbox_tui.tui.widgets.prose import wrap_words
from sandbox_tui.tui.widgets.rows import Row, Section, Spot


class Heading(NamedTuple):
    """The title of a section, and why it cannot be trusted."""

    title: str
    sick: bool = False
    problem: str = ""


class Note(NamedTuple):
    """A line of words in place of rows."""

    words: str
    look: str


class Entry(NamedTuple):
    """One sandbox."""

    row: Row
    columns: Columns
    cursor: bool = False
    marked: bool = False


Item = Heading | Note | Entry


class Items(NamedTuple):
    """All items of a list at one width, and where each row is among them."""

    width: int = -1
    items: tuple[Item, ...] = ()
    places: dict[Spot, int] = {}  # noqa: RUF012  never written after it was made

    def spot_at(self, place: int) -> Spot | None:
        """The row at a place, if there is one."""
        return next((spot for spot, at in self.places.items() if at == place), None)


def lay_out(sections: Sequence[Section], width: int, *, letters: bool) -> Items:
    """Flatten sections; the columns are shared by all rows."""
    rows = chain.from_iterable(section.rows for section in sections)
    columns = share_out(width, rows, letters=letters)
    items: list[Item] = []
    places: dict[Spot, int] = {}
    for section in sections:
        items += _headings(section, width)
        for row in section.rows:
            places[Spot(section.key, row.ref)] = len(items)
            items.append(Entry(row, columns))
        if not section.rows:
            items += _notes(section.empty, width, "list--note")
    return Items(width, tuple(items), places)


def _headings(section: Section, width: int) -> list[Item]:
    """The title; a problem that does not fit behind it goes below, in as many lines as needed."""
    count = f" {len(section.rows)}" if section.rows else ""
    title = f"{section.digit}{harmless(section.title)}{count}"
    if not section.problem:
        return [Heading(title)]
    title = f"✕ {title}"
    problem = harmless(section.problem)
    if width_of(title) + width_of(problem) + 2 <= width:
        return [Heading(title, True, problem)]
    return [Heading(title, True), *_notes(section.problem, width, "list--problem")]


def _notes(text: str, width: int, look: str) -> list[Item]:
    return [Note(line, look) for line in wrap_words(text, width - 2)]
