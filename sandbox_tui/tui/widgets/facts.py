"""Everything known about one sandbox, as aligned text: a searchable `TextView` over plain data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import cast

from sandbox_tui.tui.widgets.ansi import plain
from sandbox_tui.tui.widgets.fit import harmless, pad, width_of
from sandbox_tui.tui.widgets.text_lines import Origin
from sandbox_tui.tui.widgets.textview import TextView

_LONGEST = 5000
"""Lines shown at most."""
_WIDEST_KEY = 32
_DEEPEST = 12
_ORIGIN = Origin(stream="facts")


class FactsView(TextView):
    """Shows a nested mapping; the place and the search stay when it is shown again, changed."""

    def __init__(
        self, *, name: str | None = None, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._facts: list[str] = []

    def show(self, facts: Mapping[str, object]) -> None:
        """Replace what is shown; a key per line, values aligned, what is nested indented."""
        lines = list(islice(lines_of(facts), _LONGEST))
        if lines == self._facts:
            return
        place = self._place
        self._facts = lines
        self.clear()
        self.add([(line, _ORIGIN) for line in lines])
        self._place = place
        self.repaint()


def lines_of(facts: Mapping[str, object], depth: int = 0) -> Iterator[str]:
    """The lines of a mapping, with a little ANSI: keys step back, texts are made harmless."""
    if depth > _DEEPEST:
        yield f"{'  ' * depth}…"
        return
    names = {key: harmless(str(key)) for key in facts}
    width = min(_WIDEST_KEY, max(map(width_of, names.values()), default=0))
    for key, value in facts.items():
        label = f"{'  ' * depth}\x1b[2m{pad(names[key], max(width, width_of(names[key])))}\x1b[22m"
        yield from _entry(label, value, depth)


def _entry(label: str, value: object, depth: int) -> Iterator[str]:
    mapping, items = _mapping(value), _items(value)
    if mapping:
        yield label
        yield from lines_of(mapping, depth + 1)
    elif items:
        yield label
        for item in items:
            yield from _item(item, depth + 1)
    else:
        first, *rest = _texts(value)
        yield f"{label}  {first}"
        yield from (f"{' ' * (width_of(plain(label)) + 2)}{line}" for line in rest)


def _item(value: object, depth: int) -> Iterator[str]:
    indent = "  " * depth
    mapping = _mapping(value)
    if mapping:
        first, *rest = lines_of(mapping, depth + 1)
        yield f"{indent}- {first.lstrip()}"
        yield from rest
    else:
        yield from (f"{indent}- {line}" for line in _texts(value))


def _texts(value: object) -> list[str]:
    """A value as lines; what is empty is said, not left out."""
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    if value is None or value == "" or _mapping(value) == {} or _items(value) == []:
        return ["–"]
    return [harmless(line) for line in str(value).split("\n")]


def _mapping(value: object) -> Mapping[str, object] | None:
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else None


def _items(value: object) -> list[object] | None:
    if isinstance(value, list | tuple | set | frozenset):
        return list(cast("Iterable[object]", value))
    return None
