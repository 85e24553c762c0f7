"""The list of sandboxes: sections of rows, with a cursor that stays on its sandbox.

The cursor is an identity, a sandbox in a section, never a row number. Whatever is shown next,
it is found again there (`rows.stay`); an action that reads `selected` at a key press therefore
acts on what the person saw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip

from sandbox_tui.model.refs import Ref
from sandbox_tui.tui.widgets.fit import width_of
from sandbox_tui.tui.widgets.lines import Extent, LineView
from sandbox_tui.tui.widgets.list_columns import draw
from sandbox_tui.tui.widgets.list_items import Entry, Heading, Item, Items, Note, lay_out
from sandbox_tui.tui.widgets.rows import Look, Section, Spot, spots, stay

_LOOKS = frozenset(f"list--{look.name.lower()}" for look in Look)


class SandboxList(LineView[Item]):
    """Sandboxes in sections; see the module.

    Give it values with `show`, read `selected`, and bind keys to the plain methods.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *_LOOKS,
        *(f"list--{part}" for part in ("bar", "mark", "spark", "badge", "age", "detail", "dim")),
        *(f"list--{part}" for part in ("heading", "rule", "problem", "note", "cursor", "marked")),
    }
    DEFAULT_CSS = """
    SandboxList {
        & > .list--running { color: $success; }
        & > .list--starting { color: $accent; }
        & > .list--waits { color: $warning; text-style: bold; }
        & > .list--idle { color: $primary; }
        & > .list--failed { color: $error; text-style: bold; }
        & > .list--paused { color: $secondary; }
        & > .list--stopped, & > .list--defined, & > .list--stale { color: $foreground 50%; }
        & > .list--bar { color: $primary; }
        & > .list--mark { color: $accent; text-style: bold; }
        & > .list--marked { background: $accent 15%; }
        & > .list--spark { color: $success 70%; }
        & > .list--badge, & > .list--detail { color: $foreground 80%; }
        & > .list--age, & > .list--dim, & > .list--note { color: $foreground 50%; }
        & > .list--heading { color: $foreground; text-style: bold; }
        & > .list--rule { color: $foreground 20%; }
        & > .list--problem { color: $error; }
        & > .list--cursor { background: $foreground 10%; }
        &:focus > .list--cursor { background: $primary 30%; text-style: bold; }
    }
    """

    @dataclass
    class Selected(Message):
        """The cursor is on another sandbox; `ref` is None when there is none at all."""

        view: SandboxList
        ref: Ref | None

        @property
        def control(self) -> SandboxList:
            """The list."""
            return self.view

        def can_replace(self, message: Message) -> bool:
            """The latest selection wins."""
            return isinstance(message, SandboxList.Selected)

    @dataclass
    class Opened(Message):
        """A row was double-clicked."""

        view: SandboxList
        ref: Ref

        @property
        def control(self) -> SandboxList:
            """The list."""
            return self.view

    @dataclass
    class Marked(Message):
        """The set of marked sandboxes is another one."""

        view: SandboxList
        refs: frozenset[Ref]

        @property
        def control(self) -> SandboxList:
            """The list."""
            return self.view

        def can_replace(self, message: Message) -> bool:
            """The latest set wins."""
            return isinstance(message, SandboxList.Marked)

    def __init__(
        self,
        *,
        letters: bool = False,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """`letters` adds the state's letter to its glyph, for screens without colour."""
        super().__init__(name=name, id=id, classes=classes)
        self._letters = letters
        self._sections: tuple[Section, ...] = ()
        self._spots: list[Spot] = []
        self._spot: Spot | None = None
        self._marks: frozenset[Ref] = frozenset()
        self._items = Items()
        self._top = 0

    # Values in.

    def show(self, sections: Sequence[Section]) -> None:
        """Replace what is shown. Rows that are equal to those on the screen are not repainted."""
        if self._sections == (sections := tuple(sections)):
            return
        seen = self._is_in_view()
        before, self._spots = self._spots, spots(sections)
        self._sections, self._items = sections, Items()
        self._keep_marks()
        self._go(stay(self._spot, before, self._spots), reveal=seen or self._spot is None)

    # The cursor.

    @property
    def selected(self) -> Ref | None:
        """The sandbox under the cursor."""
        return self._spot.ref if self._spot else None

    @property
    def selected_section(self) -> str | None:
        """The key of the section that the cursor is in."""
        return self._spot.section if self._spot else None

    @property
    def shown(self) -> tuple[Ref, ...]:
        """Every sandbox in the list, in order, each once."""
        return tuple(dict.fromkeys(spot.ref for spot in self._spots))

    @property
    def in_view(self) -> tuple[Ref, ...]:
        """The sandboxes whose rows are on the screen now, in order, each once."""
        entries = (item for item in self.window(self.size.height) if isinstance(item, Entry))
        return tuple(dict.fromkeys(entry.row.ref for entry in entries))

    def select(self, ref: Ref) -> bool:
        """Put the cursor on a sandbox; False when it is not in the list."""
        if ref != self.selected:
            places = [spot for spot in self._spots if spot.ref == ref]
            if not places:
                return False
            self._go(places[-1])
        self._reveal()
        self.sync()
        return True

    def move(self, count: int) -> None:
        """Move the cursor by rows, down when positive; it stops at the ends."""
        if self._spot is not None:
            index = self._spots.index(self._spot) + count
            self._go(self._spots[max(0, min(index, len(self._spots) - 1))])

    def page(self, count: int) -> None:
        """Move the cursor by windows, down when positive."""
        self.move(count * max(1, self.size.height - 1))

    def first(self) -> None:
        """Go to the first row."""
        self.move(-len(self._spots))

    def last(self) -> None:
        """Go to the last row."""
        self.move(len(self._spots))

    def jump_to_section(self, key: str) -> bool:
        """Go to the first row of a section; False when it has none."""
        first = next((spot for spot in self._spots if spot.section == key), None)
        if first is not None:
            self._go(first)
        return first is not None

    # Marks.

    @property
    def marks(self) -> frozenset[Ref]:
        """The marked sandboxes."""
        return self._marks

    def toggle_mark(self) -> None:
        """Mark the sandbox under the cursor, or take its mark away."""
        if self.selected is not None:
            self._mark(self._marks ^ {self.selected})

    def mark_all(self) -> None:
        """Mark everything in the list."""
        self._mark(frozenset(self.shown))

    def clear_marks(self) -> None:
        """Take every mark away."""
        self._mark(frozenset())

    # How it is painted.

    def window(self, height: int) -> list[Item]:
        """The items in view, with cursor and marks."""
        items = self._laid_out().items
        self._top = max(0, min(self._top, len(items) - height))
        place = self._place()
        return [
            item._replace(cursor=at == place, marked=item.row.ref in self._marks)
            if isinstance(item, Entry)
            else item
            for at, item in enumerate(items[self._top : self._top + height], self._top)
        ]

    def paint(self, key: Item) -> Strip:
        """One item."""
        if isinstance(key, Entry):
            return self._paint_entry(key)
        if isinstance(key, Note):
            return Strip([Segment("  " + key.words, self.ink(key.look))])
        return self._paint_heading(key)

    def extent(self) -> Extent:
        """The window as shares of all items."""
        total = max(1, len(self._items.items))
        return Extent(self._top / total, self.size.height / total)

    def scroll_rows(self, count: int) -> None:
        """Look elsewhere without moving the cursor."""
        self._top += count
        self.sync()

    def scroll_to_share(self, share: float) -> None:
        """Look at a place in the list, from 0 to 1."""
        self._top = round(share * (len(self._items.items) - self.size.height))
        self.sync()

    def on_mount(self) -> None:
        """Say what is selected, if it was shown something before."""
        if self._spot is not None:
            self.post_message(self.Selected(self, self._spot.ref))

    def on_resize(self) -> None:
        """Keep the cursor in view."""
        self._reveal()

    def on_click(self, event: events.Click) -> None:
        """Select the row; open it on a double click."""
        spot = self._items.spot_at(self._top + event.y - self.gutter.top)
        if spot is None or event.x - self.gutter.left >= self.columns:
            return
        self._go(spot)
        if event.chain == 2:
            self.post_message(self.Opened(self, spot.ref))

    def _go(self, spot: Spot | None, *, reveal: bool = True) -> None:
        before, self._spot = self.selected, spot
        if reveal:
            self._reveal()
        self.sync()
        if self.is_attached and before != self.selected:
            self.post_message(self.Selected(self, self.selected))

    def _mark(self, refs: frozenset[Ref]) -> None:
        if refs != self._marks:
            self._marks = refs
            self.sync()
            if self.is_attached:
                self.post_message(self.Marked(self, refs))

    def _keep_marks(self) -> None:
        """A sandbox that is gone is no longer marked."""
        if self._marks:
            self._mark(self._marks & {spot.ref for spot in self._spots})

    def _place(self) -> int:
        """Where the cursor is among the items; -1 when it is nowhere."""
        return self._items.places.get(self._spot, -1) if self._spot else -1

    def _is_in_view(self) -> bool:
        return self._top <= self._place() < self._top + self.size.height

    def _reveal(self) -> None:
        """Scroll as little as shows the cursor, and the title when it is the first below one."""
        height = self.size.height
        if not height:
            return
        items = self._laid_out().items
        upper = place = max(0, self._place())
        while upper and not isinstance(items[upper - 1], Entry):
            upper -= 1
        self._top = max(min(self._top, upper), place - height + 1)

    def _laid_out(self) -> Items:
        if self._items.width != self.columns:
            self._items = lay_out(self._sections, self.columns, letters=self._letters)
        return self._items

    def _paint_heading(self, heading: Heading) -> Strip:
        look = "list--problem" if heading.sick else "list--heading"
        title, problem = f"{heading.title} ", f"{heading.problem} " if heading.problem else ""
        rule = "─" * (self.columns - width_of(title) - width_of(problem))
        parts = ((title, self.ink("list--heading", look)), (problem, self.ink(look)))
        return _strip(*parts, (rule, self.ink("list--rule")))

    def _paint_entry(self, entry: Entry) -> Strip:
        parts = draw(entry.row, entry.columns, cursor=entry.cursor, marked=entry.marked)
        under = ["list--dim"] if entry.row.dim or entry.row.look.dim else []
        over = [f"list--{name}" for name in ("marked", "cursor") if getattr(entry, name)]
        inked = [(text, self.ink(*([look] if look else under), *over)) for text, look in parts]
        return _strip(*inked)


def _strip(*parts: tuple[str, Style]) -> Strip:
    return Strip([Segment(text, style) for text, style in parts if text])
