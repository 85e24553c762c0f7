"""A World as the list shows it: sections of rows, and what stands where there are none."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import PurePosixPath

import msgspec

from sandbox_tui.hub.attention import Need
from sandbox_tui.hub.filter import Filter
from sandbox_tui.model.outputs import Vitals
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.model.world import (
    ContainerFacts,
    Health,
    RoomFacts,
    Sandbox,
    State,
    TmuxFacts,
    World,
)
from sandbox_tui.tui.history import Measurements
from sandbox_tui.tui.keys import Keymap
from sandbox_tui.tui.widgets.rows import Look, Row, Section
from sandbox_tui.tui.widgets.spark import spark
from sandbox_tui.tui.widgets.units import age, share, size

ATTENTION = "attention"
TITLES = {Kind.TMUX: "tmux", Kind.CONTAINER: "containers", Kind.ROOM: "rooms"}
SPARK = 6
"""Cells of a sparkline in the list."""

_NUMBERS = re.compile(r"(\d+)")
_EMPTY = {
    Kind.TMUX: "no tmux session yet · {sandbox.new} makes one\nor: tmux new -d -s work",
    Kind.CONTAINER: "no container yet · {sandbox.new} makes one\nor: docker run -d IMAGE",
    Kind.ROOM: "no room yet · {sandbox.new} makes one\nor: sandbox-tui room new work",
}
_LOOKS = {
    State.DEFINED: Look.DEFINED,
    State.STARTING: Look.STARTING,
    State.RUNNING: Look.RUNNING,
    State.IDLE: Look.IDLE,
    State.BUSY: Look.RUNNING,
    State.PAUSED: Look.PAUSED,
    State.STOPPED: Look.STOPPED,
    State.EXITED: Look.STOPPED,
    State.FAILED: Look.FAILED,
    State.UNKNOWN: Look.STALE,
}


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """All that the list is made of, at one moment (`now`, seconds since the epoch)."""

    world: World
    needs: tuple[Need, ...]
    measurements: Measurements
    filter: Filter
    now: float


def sections(picture: Picture, keymap: Keymap) -> tuple[Section, ...]:
    """What needs a person first, then one section for each kind."""
    needs = {need.ref: need for need in picture.needs}
    shown = sorted(picture.filter.of(picture.world.sandboxes), key=_order)
    rows = [(box.ref.kind, _row(box, needs, picture)) for box in shown]
    return (
        _attention(picture, {box.ref: box for box in shown}),
        *(
            Section(
                key=kind.value,
                title=TITLES[kind],
                rows=tuple(row for of, row in rows if of is kind),
                digit="²³⁴"[place],
                empty=keymap.spell(_empty(kind, picture)),
                problem=problem(kind, picture.world, picture.now),
            )
            for place, kind in enumerate(TITLES)
        ),
    )


def _order(box: Sandbox) -> tuple[bool, Sequence[str | int]]:
    """By name, and what is only defined last: rows then stay where they are while states change."""
    return box.state is State.DEFINED, _natural(box.ref.name)


@lru_cache(maxsize=4096)
def _natural(name: str) -> Sequence[str | int]:
    """A name in the order that people count in: `agent-2` before `agent-10`."""
    parts = _NUMBERS.split(name.lower())
    return tuple(int(part) if at % 2 else part for at, part in enumerate(parts))


def look_of(box: Sandbox, need: Need | None = None) -> Look:
    """The shape of a sandbox's state."""
    if box.stale_since is not None:
        return Look.STALE
    if need is not None:
        return Look.WAITS if need.asks else Look.FAILED
    if box.state is State.EXITED and box.exit_code:
        return Look.FAILED
    return _LOOKS[box.state]


def problem(kind: Kind, world: World, now: float) -> str:
    """What is lost or impaired, since when, and when it is tried again; empty when all is well."""
    ill = [entry for entry in world.health if entry.kind is kind and not entry.is_sound]
    return " · ".join(_complaint(entry, now) for entry in ill)


def dead(kind: Kind, world: World) -> Sequence[Health]:
    """The places of a kind that do not answer."""
    return [entry for entry in world.health if entry.kind is kind and not entry.ok]


def label(ref: Ref) -> str:
    """The name as a row shows it: with its place only where that is not the obvious one."""
    return str(ref).partition(":")[2]


def clock(at: float) -> str:
    """A time of day, in the time zone of this machine."""
    return time.strftime("%H:%M:%S", time.localtime(at))


def _attention(picture: Picture, shown: Mapping[Ref, Sandbox]) -> Section:
    rows = (_needy(shown[need.ref], need, picture) for need in picture.needs if need.ref in shown)
    quiet = "nothing seen that needs you" if picture.world.health else "asking every backend …"
    return Section(key=ATTENTION, title=ATTENTION, rows=tuple(rows), digit="¹", empty=quiet)


def _needy(box: Sandbox, need: Need, picture: Picture) -> Row:
    return Row(
        box.ref,
        look_of(box, need),
        label(box.ref),
        detail=need.evidence,
        age=age(picture.now - need.since) if need.since else "",
        dim=box.stale_since is not None,
    )


def _row(box: Sandbox, needs: Mapping[Ref, Need], picture: Picture) -> Row:
    need = needs.get(box.ref)
    row = partial(
        Row,
        box.ref,
        look_of(box, need),
        label(box.ref),
        age=age(picture.now - box.created_at) if box.created_at else "",
        dim=box.stale_since is not None,
    )
    detail = _detail(box, need, picture.now)
    if detail:
        return row(detail=detail)
    measured = picture.measurements.of(box.ref)
    return row(spark=_spark(box, measured), badge=_badge(box, measured))


def _detail(box: Sandbox, need: Need | None, now: float) -> str:
    """What a row says in words; empty when its numbers say more."""
    if box.stale_since is not None:
        return f"seen {clock(box.stale_since)}"
    if need is not None:
        return need.evidence
    if isinstance(box.facts, RoomFacts) and box.state.is_live:
        return _room(box, box.facts, now)
    if box.state in (State.RUNNING, State.IDLE, State.BUSY):
        return ""
    code = "" if box.exit_code is None else f"exit {box.exit_code}"
    return box.detail or code or box.state.value


def _room(box: Sandbox, facts: RoomFacts, now: float) -> str:
    prompt = f"In[{facts.execution_count}] " if facts.execution_count else ""
    queued = f" +{facts.queued}" if facts.queued > 1 else ""
    if box.state is State.BUSY and facts.busy_since:
        return f"{prompt}busy {age(now - facts.busy_since)}{queued}"
    owner = f" {PurePosixPath(facts.notebook).name or 'foreign'}" if facts.foreign else ""
    return f"{prompt}{box.state}{owner}{queued}"


def _spark(box: Sandbox, measured: Sequence[Vitals]) -> str:
    tail = list(measured)[-SPARK:]
    if isinstance(box.facts, TmuxFacts):
        return spark([one.activity for one in tail], SPARK)
    return spark([one.cpu for one in tail], SPARK, high=_cores(tail))


def _cores(tail: Sequence[Vitals]) -> float:
    limit = tail[-1].cpu_limit if tail else None
    return limit or max(1.0, *(one.cpu or 0.0 for one in tail), 0.0)


def _badge(box: Sandbox, measured: Sequence[Vitals]) -> str:
    if isinstance(box.facts, TmuxFacts):
        return box.facts.command.partition(" ")[0][:9]
    latest = measured[-1] if measured else None
    if latest is None or not isinstance(box.facts, ContainerFacts):
        return ""
    cpu = share(latest.cpu) if latest.cpu is not None else ""
    memory = size(latest.memory) if latest.memory is not None else ""
    return f"{cpu:>4} {memory:>5}".rstrip()


def _empty(kind: Kind, picture: Picture) -> str:
    world = picture.world
    if picture.filter:
        return _nothing_matches(kind, picture)
    hints = [entry.hint for entry in dead(kind, world) if entry.hint]
    if hints:
        return "\n".join(hints)
    known = any(entry.kind is kind for entry in world.health)
    return _EMPTY[kind] if known else "asking …"


def _nothing_matches(kind: Kind, picture: Picture) -> str:
    count = len(picture.world.of(kind))
    return f"0 of {count} match {picture.filter.text!r}   {{view.back}} clears" if count else "none"


def _complaint(entry: Health, now: float) -> str:
    where = entry.place.partition("@")[2]
    return " · ".join(filter(None, (where, entry.detail, *_times(entry, now))))


def _times(entry: Health, now: float) -> Iterator[str]:
    if entry.since:
        yield f"since {clock(entry.since)}"
    if entry.retry_at is not None:
        yield f"retry in {max(0, round(entry.retry_at - now))} s"
