"""The list as values: what each row says of its sandbox."""

from __future__ import annotations

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
from sandbox_tui.tui.keys import keymap
from sandbox_tui.tui.sections import Picture, problem, sections
from sandbox_tui.tui.widgets.rows import Look, Row, Section

NOW = 1_000_000.0
WELL = tuple(Health(place=kind.value, ok=True) for kind in Kind)


def box(ref: str, state: State = State.RUNNING, **fields: object) -> Sandbox:
    kinds = {"tmux": TmuxFacts, "container": ContainerFacts, "room": RoomFacts}
    facts = fields.pop("facts", None) or kinds[ref.partition(":")[0]]()
    return Sandbox(ref=Ref(ref), state=state, facts=facts, **fields)  # type: ignore[arg-type]


def shown(
    *boxes: Sandbox,
    needs: tuple[Need, ...] = (),
    text: str = "",
    health: tuple[Health, ...] = WELL,
    vitals: dict[Ref, Vitals] | None = None,
) -> dict[str, Section]:
    measured = Measurements()
    measured.add(vitals or {})
    picture = Picture(
        world=World(1, boxes, health),
        needs=needs,
        measurements=measured,
        filter=Filter(text),
        now=NOW,
    )
    return {section.key: section for section in sections(picture, keymap())}


def row(one: Sandbox, **more: object) -> Row:
    return shown(one, **more)[one.ref.kind].rows[0]  # type: ignore[arg-type]


def test_each_state_has_its_look() -> None:
    looks = {
        State.DEFINED: Look.DEFINED,
        State.STARTING: Look.STARTING,
        State.RUNNING: Look.RUNNING,
        State.PAUSED: Look.PAUSED,
        State.STOPPED: Look.STOPPED,
        State.FAILED: Look.FAILED,
        State.UNKNOWN: Look.STALE,
    }
    assert {state: row(box("container:c", state)).look for state in looks} == looks


def test_an_exit_code_decides_between_done_and_failed() -> None:
    done = box("container:c", State.EXITED, facts=ContainerFacts(exit_code=0))
    failed = box("container:c", State.EXITED, facts=ContainerFacts(exit_code=3))
    assert (row(done).look, row(done).detail) == (Look.STOPPED, "exit 0")
    assert (row(failed).look, row(failed).detail) == (Look.FAILED, "exit 3")


def test_a_container_says_what_it_uses() -> None:
    vitals = {Ref("container:c"): Vitals(at=NOW, cpu=0.81, cpu_limit=1.0, memory=412 * 2**20)}
    one = row(box("container:c", created_at=NOW - 840), vitals=vitals)
    assert one.badge.split() == ["81%", "412M"]
    assert one.spark.strip() == "▇"
    assert one.age == "14m"
    assert one.detail == ""


def test_a_session_says_its_program_and_how_much_it_prints() -> None:
    vitals = {Ref("tmux:t"): Vitals(at=NOW, activity=3.0)}
    one = row(box("tmux:t", facts=TmuxFacts(command="vim notes.md")), vitals=vitals)
    assert one.badge == "vim"
    assert one.spark.strip() == "█"


def test_a_room_says_what_its_kernel_does() -> None:
    busy = RoomFacts(execution_count=12, busy_since=NOW - 41)
    assert row(box("room:r", State.BUSY, facts=busy)).detail == "In[12] busy 41s"
    idle = RoomFacts(execution_count=3, foreign=True)
    assert row(box("room:r", State.IDLE, facts=idle)).detail == "In[3] idle foreign"
    open_there = RoomFacts(foreign=True, notebook="plots/[red] a.ipynb")
    assert row(box("room:r", State.IDLE, facts=open_there)).detail == "idle [red] a.ipynb"


def test_what_is_stale_says_when_it_was_seen() -> None:
    one = row(box("tmux:t", stale_since=NOW - 5))
    assert one.look is Look.STALE
    assert one.dim
    assert one.detail.startswith("seen ")


def test_attention_stands_first_with_evidence_and_age() -> None:
    need = Need(Ref("tmux:t"), "waits", "waits for you", asks=True, since=NOW - 120)
    found = shown(box("tmux:t"), needs=(need,))
    [one] = found["attention"].rows
    assert (one.look, one.detail, one.age) == (Look.WAITS, "waits for you", "2m")
    assert found["tmux"].rows[0].look is Look.WAITS
    assert next(iter(found)) == "attention"


def test_rows_stand_by_name_and_what_is_only_defined_last() -> None:
    found = shown(box("tmux:b"), box("tmux:C"), box("tmux:a", State.DEFINED))
    assert [one.name for one in found["tmux"].rows] == ["b", "C", "a"]


def test_a_place_is_part_of_the_name_where_it_is_not_the_obvious_one() -> None:
    assert row(box("tmux:t@work")).name == "t@work"


def test_empty_sections_say_why_and_what_helps() -> None:
    assert "tmux new -d -s work" in shown()["tmux"].empty
    assert shown(health=())["tmux"].empty == "asking …"
    filtered = shown(box("tmux:t"), text="foo")
    assert filtered["tmux"].empty == "0 of 1 match 'foo'   esc clears"
    assert filtered["room"].empty == "none"


def test_a_dead_backend_says_what_since_when_and_retry() -> None:
    gone = Health(
        place="container",
        ok=False,
        detail="cannot connect",
        hint="Start the engine.",
        since=NOW - 60,
        retry_at=NOW + 8,
    )
    section = shown(health=(gone,))["container"]
    assert section.problem.startswith("cannot connect · since ")
    assert section.problem.endswith("retry in 8 s")
    assert section.empty == "Start the engine."


def test_one_dead_place_of_several_is_named() -> None:
    gone = Health(place="container@podman", ok=False, detail="no socket")
    assert problem(Kind.CONTAINER, World(1, (), (*WELL, gone)), NOW) == "podman · no socket"


def test_measurements_are_bounded_and_forget_what_is_gone() -> None:
    kept = Measurements()
    ref = Ref("tmux:t")
    for at in range(1000):
        kept.add({ref: Vitals(at=float(at))})
    kept.add({ref: Vitals(at=999.0)})
    assert len(kept.of(ref)) == 300
    kept.keep_only([])
    assert kept.of(ref) == ()


def test_equal_pictures_make_equal_sections() -> None:
    one = box("container:c", created_at=NOW)
    assert shown(one) == shown(msgspec.structs.replace(one))


def test_numbers_in_names_count() -> None:
    boxes = [box(f"tmux:{name}") for name in ("agent-10", "agent-2", "Agent-1", "2x", "agent")]
    names = [row.name for row in shown(*boxes)["tmux"].rows]
    assert names == ["2x", "agent", "Agent-1", "agent-2", "agent-10"]
