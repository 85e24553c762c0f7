"""The engine's listing as sandboxes, and the very same list when nothing has changed.

One reading tells everything but two things: the process id, and whether the kernel ended it for
want of memory. These are asked for one container at a time, once each time it begins or ends.
"""

from __future__ import annotations

import re
import threading
import time
from operator import is_
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from sandbox_tui.backends.containers.engine.replies import Box, Listed
from sandbox_tui.backends.containers.labels import (
    MANAGED_LABEL,
    SPEC_JSON_LABEL,
    SPEC_LABEL,
    spec_from,
    trusted,
)
from sandbox_tui.model.errors import NotFoundError, SandboxError
from sandbox_tui.model.refs import Kind, Place, Ref
from sandbox_tui.model.specs import WAITING
from sandbox_tui.model.world import ContainerFacts, Sandbox, State

if TYPE_CHECKING:
    from sandbox_tui.backends.containers.engine.engine import Engine

DETAIL_SECONDS = 0.25
"""How long one poll may spend on details; what is left comes with the next."""

_CLOCK = re.compile(rb'"Status":"(Up|(?:Exited|Restarting) \(-?\d+\)) [^"(]*')
"""The part of `Up 3 hours (healthy)` that tells the time; a quote inside a value is escaped."""
_EXIT_CODE = re.compile(r"(?:Exited|Restarting) \((-?\d+)\)")
_HEALTH = re.compile(r"\((?:health: )?(healthy|unhealthy|starting)\)")

_STATES = {
    "created": State.STOPPED,
    "configured": State.STOPPED,
    "initialized": State.STARTING,
    "running": State.RUNNING,
    "restarting": State.STARTING,
    "stopping": State.RUNNING,
    "paused": State.PAUSED,
    "exited": State.EXITED,
    "stopped": State.EXITED,
    "removing": State.STOPPED,
    "dead": State.FAILED,
}
_MEANT = frozenset({None, 0, 130, 143})
"""Exit codes of what ended well, or because somebody interrupted or stopped it."""

_REASONS = {
    "created": "created, never started",
    "configured": "created, never started",
    "restarting": "starts again and again",
    "removing": "being removed",
    "dead": "could not be removed",
}
_HAS_PROCESS = frozenset({"running", "paused", "stopping"})


class Detail(NamedTuple):
    """What inspect adds, as long as the listing still says `key`."""

    key: tuple[str, int | None]
    pid: int | None = None
    reason: str = ""


_UNKNOWN = Detail(("", None))


class Listing:
    """The last picture. `refresh` belongs into one thread at a time, the rest into any."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._steady: bytes | None = None
        self._sandboxes: list[Sandbox] = []
        self._details: dict[str, Detail] = {}
        self._outdated: set[str] = set()
        self._lock = threading.Lock()
        self.complete = True
        """Whether nothing is left to ask for."""

    @property
    def sandboxes(self) -> list[Sandbox]:
        """The last picture."""
        return self._sandboxes

    def outdate(self, container_id: str) -> None:
        """Something happened to it: it may be another process by now under the same words."""
        with self._lock:
            self._outdated.add(container_id)

    def glance(self, engine: Engine, ref: Ref) -> Sandbox | None:
        """The one of exactly that name, without the others; the picture stays as it is."""
        one = next((each for each in _named(engine, ref.name) if each.name == ref.name), None)
        if one is None:
            return None
        return self._sandbox(one, engine.version.runtime)

    def refresh(self, engine: Engine) -> list[Sandbox]:
        """Ask, and return the identical list when nothing has changed."""
        outdated = self._take_outdated()
        try:
            raw = engine.containers()
            steady = _CLOCK.sub(rb"\1", raw)
            if steady != self._steady or outdated or not self.complete:
                self._read(engine, engine.listed(raw), outdated)
                self._steady = steady
        except SandboxError:
            with self._lock:
                self._outdated |= outdated
            raise
        return self._sandboxes

    def _take_outdated(self) -> set[str]:
        with self._lock:
            outdated, self._outdated = self._outdated, set()
        return outdated

    def _read(self, engine: Engine, listed: list[Listed], outdated: set[str]) -> None:
        here = {one.id for one in listed} - outdated
        self._details = {key: told for key, told in self._details.items() if key in here}
        self.complete = self._look_closer(engine, listed)
        self._replace([self._sandbox(one, engine.version.runtime) for one in listed])

    def _look_closer(self, engine: Engine, listed: list[Listed]) -> bool:
        """Ask for missing details, one after the other on one connection, as long as time is."""
        until = time.monotonic() + DETAIL_SECONDS
        for one in listed:
            if _needs_detail(one) and self._detail(one) is _UNKNOWN:
                if time.monotonic() > until:
                    return False
                self._details[one.id] = _look_at(engine, self._ref(one), one)
        return True

    def _replace(self, fresh: list[Sandbox]) -> None:
        """Equal sandboxes stay the same objects; all equal, the list stays the same too."""
        known = {box.ref: box for box in self._sandboxes}
        merged = [known[box.ref] if known.get(box.ref) == box else box for box in fresh]
        unchanged = len(merged) == len(self._sandboxes) and all(map(is_, merged, self._sandboxes))
        if not unchanged:
            self._sandboxes = merged

    def _sandbox(self, one: Listed, runtime: str) -> Sandbox:
        detail, labels = self._detail(one), trusted(one.labels or {}, one.name)
        labels.pop(SPEC_JSON_LABEL, None)  # long, and of no use to anybody who looks
        return Sandbox(
            ref=self._ref(one),
            state=_state(one),
            facts=_facts(one, runtime),
            title=one.image,
            created_at=float(one.created),
            pid=detail.pid,
            labels=labels,
            managed=labels.get(MANAGED_LABEL) == "1",
            made_from=labels.get(SPEC_LABEL, ""),
            detail=detail.reason or _reason(one),
        )

    def _detail(self, one: Listed) -> Detail:
        """What is known of it as it is now; what it was before tells nothing."""
        detail = self._details.get(one.id, _UNKNOWN)
        return detail if detail.key == _key(one) else _UNKNOWN

    def _ref(self, one: Listed) -> Ref:
        return Ref.make(Kind.CONTAINER, one.name, self._place.where)


def _named(engine: Engine, name: str) -> list[Listed]:
    """Containers that are called so, and a few more: what a pattern may be is the engine's."""
    filters = msgspec.json.encode({"name": [f"^/?{re.escape(name)}$"]}).decode()
    return engine.listed(engine.get("/containers/json", {"all": "1", "filters": filters}))


def find(engine: Engine, ref: Ref) -> Box:
    """The container of exactly that name, from a fresh listing. Raises `NotFoundError`."""
    listed = engine.listed(engine.containers())
    for one in listed:
        if one.name == ref.name:
            labels = one.labels or {}
            spec = spec_from(labels, {}, one.name)
            waits = spec is not None and spec.entrypoint == WAITING
            return Box(ref, one.id, one.state, labels.get(MANAGED_LABEL) == "1", waits)
    where = ref.place.where
    raise NotFoundError(ref, [Ref.make(Kind.CONTAINER, one.name, where) for one in listed])


def _look_at(engine: Engine, ref: Ref, one: Listed) -> Detail:
    try:
        state = engine.inspect(Box(ref, one.id, one.state)).state
    except NotFoundError:  # gone since the listing was made; the next one will not have it
        return Detail(_key(one))
    reason = "OOM killed" if state.oom_killed and one.state not in _HAS_PROCESS else ""
    return Detail(_key(one), state.pid or None, reason)


def _needs_detail(one: Listed) -> bool:
    return one.state in _HAS_PROCESS or bool(_exit_code(one))


def _key(one: Listed) -> tuple[str, int | None]:
    return (one.state, _exit_code(one))


def _exit_code(one: Listed) -> int | None:
    found = _EXIT_CODE.match(one.status)
    return int(found[1]) if found else None


def _state(one: Listed) -> State:
    state = _STATES.get(one.state, State.UNKNOWN)
    failed = state is State.EXITED and _exit_code(one) not in _MEANT
    return State.FAILED if failed else state


def _reason(one: Listed) -> str:
    code = _exit_code(one) or 0
    if 128 < code <= 128 + 64:
        return f"signal {code - 128}"
    return _REASONS.get(one.state, "")


def _facts(one: Listed, runtime: str) -> ContainerFacts:
    health = _HEALTH.search(one.status)
    return ContainerFacts(
        container_id=one.id,
        image=one.image,
        runtime=runtime,
        command=one.command or "",
        ports=tuple(sorted(map(str, one.ports or ()))),
        exit_code=_exit_code(one),
        health=health[1] if health else "",
        restarting=one.state == "restarting",
    )
