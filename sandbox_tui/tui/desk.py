"""All that the dashboard knows between two messages; no widget and no Api in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from sandbox_tui.hub.attention import Attention, Need, Rule
from sandbox_tui.hub.filter import Filter
from sandbox_tui.hub.registry import NOUNS
from sandbox_tui.model.refs import Kind, Place, Ref
from sandbox_tui.model.world import Health, Sandbox, World, diff
from sandbox_tui.tui.history import Chronicle, Measurements
from sandbox_tui.tui.sections import Picture, clock, dead

Severity = Literal["information", "warning", "error"]


class Notice(NamedTuple):
    """One line for a person, told once."""

    text: str
    severity: Severity = "information"
    title: str = ""


class Desk:
    """The newest world and what was learnt on the way to it."""

    def __init__(self) -> None:
        self.world = World()
        self.measurements = Measurements()
        self.chronicle = Chronicle()
        self.filter_text = ""
        self._attention = Attention(())
        self._boxes: dict[Ref, Sandbox] = {}

    def heed(self, rules: Sequence[Rule]) -> None:
        """Look for what needs a person by these rules from now on."""
        self._attention = Attention(rules)

    def take(self, world: World, now: float) -> list[Notice]:
        """Go on with a newer world. Answers with what a person should be told."""
        changes = diff(self.world.sandboxes, world.sandboxes)
        self.chronicle.note([one for one in changes if not self.is_asking(one.ref.kind)], now)
        before, self.world = self.world, world
        self._boxes = {box.ref: box for box in world.sandboxes}
        self._attention.look(world, now)
        self.measurements.keep_only(self._boxes.keys())
        return [notice for entry in world.health if (notice := _turn(before, entry))]

    @property
    def needs(self) -> tuple[Need, ...]:
        """What needs a person."""
        return self._attention.needs

    def box(self, ref: Ref | None) -> Sandbox | None:
        """The sandbox of that name as it is now."""
        return self._boxes.get(ref) if ref is not None else None

    def picture(self, now: float) -> Picture:
        """What the list is made of."""
        needing = {need.ref for need in self.needs}
        return Picture(
            world=self.world,
            needs=self.needs,
            measurements=self.measurements,
            filter=Filter(self.filter_text, needing=needing),
            now=now,
        )

    def next_need(self, after: Ref | None) -> Ref | None:
        """The sandbox that needs a person and comes after that one, round and round."""
        refs = [need.ref for need in self.needs]
        if not refs:
            return None
        at = refs.index(after) + 1 if after is not None and after in refs else 0
        return refs[at % len(refs)]

    def is_asking(self, *kinds: Kind) -> bool:
        """Whether no backend of one of these kinds, of any by default, has answered yet."""
        answered = {entry.kind for entry in self.world.health}
        return not answered.issuperset(kinds or Kind)

    def missing(self, kind: Kind | None) -> str:
        """Why there is none of that kind in the list, or nothing that needs a person."""
        what = NOUNS[kind] if kind else "sandbox that needs you"
        if self.is_asking(*([kind] if kind else ())):
            return f"still looking for a {what} …"
        if self.filter_text:
            return f"no {what} fits the filter"
        if kind and dead(kind, self.world):
            return f"no {what} is known: its backend does not answer"
        return f"there is no {what}" if kind else "nothing needs you"


def _turn(before: World, entry: Health) -> Notice | None:
    """What to say when a backend has gone or has come back; nothing about how it was found."""
    kind, _, where = entry.place.partition("@")
    last = before.health_of(Place(Kind(kind), where))
    if last is None or (last.ok, last.impaired) == (entry.ok, entry.impaired):
        return None
    if entry.is_sound:
        return Notice(f"{entry.place} {'is well' if last.ok else 'answers'} again")
    text = f"{entry.detail} · since {clock(entry.since)}"
    title = f"{entry.place} is {'impaired' if entry.ok else 'lost'}"
    return Notice("\n".join(filter(None, (text, entry.hint))), "error", title)
