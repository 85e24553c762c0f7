"""What needs a person: rules that are data, over what the World says and nothing else.

Nothing here guesses. A sandbox that no rule fits has no entry, which does not mean that it is
well; and what its backend no longer confirms keeps the entry it had, because nothing took the
evidence away.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from sandbox_tui.model.errors import ConfigError
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.model.world import ContainerFacts, RoomFacts, Sandbox, State, World


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One reason to call a person; what it does not name it does not look at."""

    id: str
    says: str
    kinds: frozenset[Kind] = frozenset(Kind)
    states: frozenset[State] = frozenset(State)
    exit_code: Literal["nonzero"] | None = None
    excepted: frozenset[int] = msgspec.field(default=frozenset(), name="except")
    detail: str = ""
    health: str = ""
    restarting: bool = False
    waits_for_input: bool = False
    asks: bool = False
    """Whether it waits for an answer, rather than having failed."""

    def fits(self, box: Sandbox) -> bool:
        """Whether all that this rule names is true of `box`."""
        return (
            box.ref.kind in self.kinds
            and box.state in self.states
            and self._fits_code(box.exit_code)
            and (not self.detail or bool(_pattern(self.detail).search(box.detail)))
            and self._fits_facts(box)
        )

    def evidence(self, box: Sandbox) -> str:
        """`says`, with what was seen put in."""
        kernel = box.facts.kernel if isinstance(box.facts, RoomFacts) else ""
        seen = {"exit_code": box.exit_code, "detail": box.detail, "state": box.state.value}
        said = self.says.format_map({**seen, "kernel": kernel})
        return said.replace("None", "").strip()

    def _fits_code(self, code: int | None) -> bool:
        if self.exit_code is None:
            return True
        return code is not None and code != 0 and code not in self.excepted

    def _fits_facts(self, box: Sandbox) -> bool:
        match box.facts:
            case ContainerFacts(health=health, restarting=restarting):
                return health.startswith(self.health) and restarting >= self.restarting
            case RoomFacts(waits_for_input=waits):
                return waits >= self.waits_for_input and not self.health
            case _:
                return not (self.health or self.restarting or self.waits_for_input)


class Need(msgspec.Struct, frozen=True):
    """One sandbox that needs a person, with the evidence."""

    ref: Ref
    rule: str
    evidence: str
    asks: bool = False
    """Whether it waits for an answer, rather than having failed."""
    since: float | None = None
    """When that was first seen (seconds since the epoch); `None` when it was so from the start."""


class _Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rules: tuple[Rule, ...]


def parse_rules(text: bytes, path: str) -> tuple[Rule, ...]:
    """The rules in a YAML file. Raises `ConfigError` that names `path`."""
    try:
        rules = msgspec.yaml.decode(text, type=_Rules).rules
        for rule in rules:
            re.compile(rule.detail)
    except (msgspec.DecodeError, re.error) as error:
        raise ConfigError(path, str(error)) from error
    return rules


class Attention:
    """Folds worlds into needs; it remembers only when each need was first seen."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = tuple(rules)
        self._world: World | None = None
        self.needs: tuple[Need, ...] = ()

    def look(self, world: World, now: float) -> tuple[Need, ...]:
        """What needs a person in `world`, at `now` (seconds since the epoch)."""
        before = {need.ref: need for need in self.needs}
        self.needs = needs(world, self._rules, before=before, seen=self._world, now=now)
        self._world = world
        return self.needs


def needs(
    world: World,
    rules: Sequence[Rule],
    *,
    before: Mapping[Ref, Need],
    seen: World | None,
    now: float,
) -> tuple[Need, ...]:
    """What needs a person: questions first, then the most recent failure.

    `before` are the last needs and `seen` the world they came from: a need is as old as its
    evidence, and of unknown age when it was there the first time its sandbox was seen.
    """
    known = {box.ref for box in seen.sandboxes} if seen is not None else frozenset[Ref]()
    found: list[Need] = []
    for box in world.sandboxes:
        last = before.get(box.ref)
        need = last if box.stale_since is not None else _need(box, rules)
        if need is not None:
            found.append(_dated(need, last, now if box.ref in known else None))
    return tuple(sorted(found, key=lambda need: (not need.asks, -(need.since or 0.0))))


def _need(box: Sandbox, rules: Sequence[Rule]) -> Need | None:
    rule = next((rule for rule in rules if rule.fits(box)), None)
    return rule and Need(box.ref, rule.id, rule.evidence(box), rule.asks)


def _dated(need: Need, last: Need | None, now: float | None) -> Need:
    same = last is not None and (last.rule, last.evidence) == (need.rule, need.evidence)
    return msgspec.structs.replace(need, since=last.since if last and same else now)


@functools.cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)
