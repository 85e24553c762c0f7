"""What needs a person, by the bundled rules and by others."""

from __future__ import annotations

import msgspec
import pytest

from sandbox_tui.hub.attention import Attention, Need, parse_rules
from sandbox_tui.model.errors import ConfigError
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.world import (
    ContainerFacts,
    Facts,
    RoomFacts,
    Sandbox,
    State,
    TmuxFacts,
    World,
)
from sandbox_tui.settings import paths

RULES = parse_rules((paths.bundled("config") / "attention.yaml").read_bytes(), "attention.yaml")


def box(ref: str, state: State, facts: Facts, detail: str = "") -> Sandbox:
    return Sandbox(ref=Ref(ref), state=state, facts=facts, detail=detail)


def seen(*boxes: Sandbox) -> list[tuple[str, str]]:
    needs = Attention(RULES).look(World(1, boxes), 10.0)
    return [(need.rule, need.evidence) for need in needs]


@pytest.mark.parametrize(
    ("one", "rule", "evidence"),
    [
        (
            box("container:c", State.FAILED, ContainerFacts(exit_code=137), "OOM killed"),
            "out-of-memory",
            "exit 137 OOM",
        ),
        (
            box("container:c", State.EXITED, ContainerFacts(exit_code=1)),
            "failed-exit",
            "exit 1",
        ),
        (box("tmux:t", State.EXITED, TmuxFacts(exit_code=2)), "failed-exit", "exit 2"),
        (
            box("container:c", State.RUNNING, ContainerFacts(health="unhealthy")),
            "unhealthy",
            "unhealthy",
        ),
        (
            box("container:c", State.STARTING, ContainerFacts(restarting=True)),
            "restart-loop",
            "restarts again and again",
        ),
        (box("room:r", State.FAILED, RoomFacts()), "kernel-died", "kernel died"),
        (
            box("room:r", State.BUSY, RoomFacts(waits_for_input=True)),
            "waits-for-input",
            "waits for input",
        ),
        (box("tmux:t", State.FAILED, TmuxFacts(), "boom"), "failed", "failed boom"),
    ],
)
def test_what_needs_a_person(one: Sandbox, rule: str, evidence: str) -> None:
    assert seen(one) == [(rule, evidence)]


@pytest.mark.parametrize(
    "one",
    [
        box("container:c", State.RUNNING, ContainerFacts(health="healthy")),
        box("container:c", State.EXITED, ContainerFacts(exit_code=0)),
        box("container:c", State.EXITED, ContainerFacts(exit_code=143)),
        box("tmux:t", State.EXITED, TmuxFacts(exit_code=130)),
        box("tmux:t", State.EXITED, TmuxFacts(exit_code=None)),
        box("tmux:t", State.UNKNOWN, TmuxFacts()),
        box("room:r", State.BUSY, RoomFacts()),
        box("container:c", State.DEFINED, ContainerFacts()),
    ],
)
def test_what_does_not(one: Sandbox) -> None:
    assert seen(one) == []


def test_questions_come_before_failures() -> None:
    failed = box("container:c", State.EXITED, ContainerFacts(exit_code=1))
    asking = box("room:r", State.BUSY, RoomFacts(waits_for_input=True))
    assert [rule for rule, _ in seen(failed, asking)] == ["waits-for-input", "failed-exit"]


def test_a_need_is_as_old_as_its_evidence() -> None:
    attention = Attention(RULES)
    fine = box("container:c", State.RUNNING, ContainerFacts())
    bad = box("container:c", State.EXITED, ContainerFacts(exit_code=1))
    worse = box("container:c", State.EXITED, ContainerFacts(exit_code=2))
    assert attention.look(World(1, (fine,)), 10.0) == ()
    assert [need.since for need in attention.look(World(2, (bad,)), 20.0)] == [20.0]
    assert [need.since for need in attention.look(World(3, (bad,)), 30.0)] == [20.0]
    assert [need.since for need in attention.look(World(4, (worse,)), 40.0)] == [40.0]
    assert attention.look(World(5, (fine,)), 50.0) == ()


def test_what_was_so_from_the_start_has_no_age() -> None:
    bad = box("container:c", State.EXITED, ContainerFacts(exit_code=1))
    attention = Attention(RULES)
    assert [need.since for need in attention.look(World(1, (bad,)), 10.0)] == [None]
    assert [need.since for need in attention.look(World(2, (bad,)), 20.0)] == [None]


def test_what_a_lost_backend_does_not_confirm_stays_as_it_was() -> None:
    bad = box("container:c", State.EXITED, ContainerFacts(exit_code=1))
    well = box("container:d", State.RUNNING, ContainerFacts(health="unhealthy"))
    attention = Attention(RULES)
    before = attention.look(World(1, (bad,)), 10.0)
    stale = msgspec.structs.replace(bad, stale_since=11.0, state=State.UNKNOWN)
    fresh = msgspec.structs.replace(well, stale_since=11.0)
    assert attention.look(World(2, (stale, fresh)), 20.0) == before


def test_other_rules() -> None:
    text = b"rules: [{id: hot, says: 'very {state}', kinds: [tmux], states: [running]}]"
    found = Attention(parse_rules(text, "mine")).look(
        World(1, (box("tmux:t", State.RUNNING, TmuxFacts()),)), 1.0
    )
    assert found == (Need(Ref("tmux:t"), "hot", "very running"),)


@pytest.mark.parametrize(
    "text", [b"rules: [{id: x}]", b"rules: [{id: x, says: y, detail: '['}]", b"ruels: []", b"["]
)
def test_broken_rules_name_their_file(text: bytes) -> None:
    with pytest.raises(ConfigError, match=r"mine\.yaml"):
        parse_rules(text, "mine.yaml")
