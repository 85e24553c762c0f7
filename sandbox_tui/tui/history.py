"""What was measured while the dashboard was open, and what was done and happened meanwhile."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import msgspec

from sandbox_tui.model.outputs import Vitals
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.world import Change, Sandbox

MEASUREMENTS = 300
"""How many are kept of each sandbox: five minutes of one a second."""

EVENTS = 2_000
"""How many events are kept in all."""


class Measurements:
    """The newest measurements of each sandbox, oldest first."""

    def __init__(self) -> None:
        self._kept: dict[Ref, deque[Vitals]] = {}

    def add(self, vitals: Mapping[Ref, Vitals]) -> None:
        """Keep one more of each."""
        for ref, one in vitals.items():
            kept = self._kept.setdefault(ref, deque(maxlen=MEASUREMENTS))
            if not kept or kept[-1].at != one.at:
                kept.append(one)

    def of(self, ref: Ref) -> Sequence[Vitals]:
        """Those of one sandbox."""
        return tuple(self._kept.get(ref, ()))

    def keep_only(self, refs: Collection[Ref]) -> None:
        """Forget sandboxes that are gone."""
        for ref in self._kept.keys() - set(refs):
            del self._kept[ref]


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was done here, or that happened to a sandbox."""

    at: float
    ref: Ref | None
    what: str
    command: str = ""
    """The command line that does the same, when it was done here."""
    ok: bool = True

    @property
    def line(self) -> str:
        """As one line of a log, with ANSI colours."""
        clock = time.strftime("%H:%M:%S", time.localtime(self.at))
        colour = "" if self.ok else "\x1b[31m"
        command = f"  \x1b[2m{self.command}\x1b[0m" if self.command else ""
        return f"\x1b[2m{clock}\x1b[0m  {colour}{self.what}\x1b[0m{command}\n"


class Chronicle:
    """What happened while the dashboard was open; the command log is the part done here."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque(maxlen=EVENTS)

    def add(self, event: Event) -> None:
        """Keep it."""
        self._events.append(event)

    def note(self, changes: Iterable[Change], now: float) -> None:
        """Keep what the world's change says of single sandboxes."""
        self._events.extend(
            Event(at=now, ref=change.ref, what=what, ok=not bad)
            for change in changes
            for what, bad in _tell(change)
        )

    def of(self, ref: Ref) -> list[Event]:
        """What happened to one sandbox, oldest first."""
        return [event for event in self._events if event.ref == ref]

    @property
    def commands(self) -> list[Event]:
        """What was done here, oldest first."""
        return [event for event in self._events if event.command]

    def last_command(self, ref: Ref) -> str:
        """The newest command line about a sandbox; empty when there is none."""
        lines = (event.command for event in reversed(self._events) if event.ref == ref)
        return next(filter(None, lines), "")


def _tell(change: Change) -> Iterator[tuple[str, bool]]:
    """What a change is in words, and whether it is bad news."""
    if change.after is None:
        yield "gone", False
    elif change.before is None:
        yield f"appeared: {_state(change.after)}", _is_bad(change.after)
    elif _state(change.before) != _state(change.after):
        yield f"{_state(change.before)} → {_state(change.after)}", _is_bad(change.after)


def _state(box: Sandbox) -> str:
    code = "" if box.exit_code is None or box.state.is_live else f" {box.exit_code}"
    return f"{box.state}{code}{f' ({box.detail})' if box.detail else ''}"


def _is_bad(box: Sandbox) -> bool:
    return not box.state.is_live and box.exit_code not in (None, 0)
