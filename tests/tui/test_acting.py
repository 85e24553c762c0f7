"""Keys that act: first the Action, then what the screen says."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox_tui.backends.memory import files
from sandbox_tui.model.actions import (
    AddCell,
    Attach,
    Interrupt,
    Pause,
    Push,
    Remove,
    Restart,
    Resume,
    Run,
    RunCell,
    Send,
    Snapshot,
    Start,
    Stop,
)
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.model.specs import ContainerSpec, TmuxSpec
from sandbox_tui.model.world import State
from sandbox_tui.tui.keys import Twice
from tests.tui.machine import Machine

WEB, DB = Ref("container:web"), Ref("container:db")
API, ROOM = Ref("tmux:api"), Ref("room:analysis")


async def test_stop_asks_names_everything_and_then_stops(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        sight.select(WEB)
        await sight.press("S")
        await sight.sees("Stop web?", "container:web", "running", "id 000000000000", "lost:")
        assert machine.actions == []
        await sight.press("y")
        await sight.until(lambda: machine.actions == [Stop(ref=WEB)])
        await sight.until(lambda: (box := sight.box(WEB)) and box.state is State.EXITED)


async def test_a_question_that_is_declined_does_nothing(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        sight.select(WEB)
        await sight.press("D")
        await sight.sees("Remove web?", "everything it kept", "it runs now and is ended first")
        await sight.press("escape")
        await sight.misses("Remove web?")
        assert machine.actions == []


async def test_the_confirmation_acts_on_what_was_selected_when_the_key_went_down(
    machine: Machine,
) -> None:
    async with machine.dashboard() as sight:
        sight.select(WEB)
        await sight.press("S")
        await sight.sees("Stop web?")
        sight.select(DB)
        await sight.press("enter")
        await sight.until(lambda: machine.actions == [Stop(ref=WEB)])


async def test_it_does_not_act_on_another_one_of_the_same_name(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        sight.select(WEB)
        await sight.press("S")
        await sight.sees("Stop web?")
        facts = type(machine.containers.box(WEB).facts)(container_id="f" * 64)  # type: ignore[call-arg]
        machine.containers.change(WEB, facts=facts)
        await sight.until(lambda: (box := sight.box(WEB)) and box.facts == facts)
        await sight.press("y")
        await sight.until(lambda: "is another one by now" in sight.notices)
        assert machine.actions == []


async def test_removing_what_runs_ends_it_first(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        sight.select(WEB)
        await sight.press("D", "y")
        await sight.until(lambda: machine.actions == [Remove(ref=WEB, force=True)])
        await sight.until(lambda: sight.box(WEB) is None)


async def test_pause_and_resume_share_a_key(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        sight.select(WEB)
        await sight.press("p")
        await sight.until(lambda: (box := sight.box(WEB)) and box.state is State.PAUSED)
        await sight.sees("paused")
        await sight.press("p")
        await sight.until(lambda: machine.actions == [Pause(ref=WEB), Resume(ref=WEB)])


async def test_what_is_impossible_says_why(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        sight.select(API)
        await sight.press("p")
        await sight.until(lambda: "not for a tmux session" in sight.notices)
        sight.select(WEB)
        await sight.press("u")
        await sight.until(lambda: "Start web: it is running" in sight.notices)
        assert machine.actions == []


async def test_send_types_a_line_into_the_terminal_it_was_opened_for(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        sight.select(API)
        await sight.press("s")
        await sight.sees("send to api ›")
        await sight.type("make S test")
        sight.select(WEB)
        await sight.press("enter")
        await sight.until(lambda: machine.actions == [Send(ref=API, text="make S test")])
        sight.select(API)
        await sight.sees("$ make S test")


async def test_escape_closes_the_input_line_and_sends_nothing(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        sight.select(API)
        await sight.press("s")
        await sight.sees("send to api ›")
        await sight.type("rm")
        await sight.press("escape")
        await sight.misses("send to api ›")
        assert machine.actions == []
        await sight.press("j")
        assert sight.selected != API


async def test_running_in_a_container_shows_output_and_exit_code(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        sight.select(WEB)
        await sight.press("s")
        await sight.sees("run in web ›")
        await sight.type("echo hi there")
        await sight.press("enter")
        await sight.until(lambda: machine.actions == [Run(ref=WEB, code="echo hi there")])
        await sight.sees("$ echo hi there", "hi there", "exit 0")


async def test_running_in_a_room_adds_a_cell_and_runs_it(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        sight.select(ROOM)
        await sight.press("s")
        await sight.sees("run in analysis ›")
        await sight.type("echo 42")
        await sight.press("enter")
        await sight.until(lambda: len(machine.actions) == 2)
        assert machine.actions[0] == AddCell(ref=ROOM, source="echo 42")
        assert isinstance(machine.actions[1], RunCell)
        await sight.sees("echo 42", "In[1]")


async def test_code_of_several_lines_runs_with_ctrl_j(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        sight.select(ROOM)
        await sight.press("s")
        await sight.sees("run in analysis ›")
        await sight.type("for x in y:")
        await sight.press("enter")
        await sight.type("echo x")
        await sight.press("ctrl+j")
        await sight.until(lambda: len(machine.actions) == 2)
        assert machine.actions[0] == AddCell(ref=ROOM, source="for x in y:\n    echo x")


async def test_interrupt_wants_two_presses(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        sight.select(ROOM)
        await sight.press("I")
        await sight.sees("I once more: interrupt room:analysis")
        assert machine.actions == []
        await sight.press("I")
        await sight.until(lambda: machine.actions == [Interrupt(ref=ROOM)])


async def test_two_zeros_restart_a_kernel(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        sight.select(ROOM)
        await sight.press("0", "0")
        await sight.until(lambda: machine.actions == [Restart(ref=ROOM)])
        sight.select(WEB)
        await sight.press("0", "0")
        await sight.until(lambda: "only a room has a kernel" in sight.notices)
        assert len(machine.actions) == 1


async def test_start_of_what_is_only_defined(machine: Machine) -> None:
    spec = ContainerSpec(name="cron", image="cron:1")
    machine.definitions[spec.ref] = spec
    async with machine.dashboard() as sight:
        sight.select(spec.ref)
        await sight.sees("cron is defined in the configuration and not running")
        await sight.press("u")
        await sight.until(lambda: machine.actions == [Start(name=spec.ref)])
        await sight.until(lambda: (box := sight.box(spec.ref)) and box.state is State.RUNNING)
        await sight.misses("not running")


async def test_new_makes_a_session_and_selects_it(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        await sight.press("n")
        await sight.sees("session", "command")
        await sight.type("build")
        await sight.press("down")
        await sight.type("make watch")
        await sight.press("enter")
        wanted = Start(name="build", kind=Kind.TMUX, command="make watch")
        await sight.until(lambda: machine.actions == [wanted])
        await sight.until(lambda: sight.selected == "tmux:build")


async def test_new_makes_a_container_from_a_profile(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        await sight.press("n")
        await sight.sees("session", "command")
        await sight.press("up", "right", "space", "tab")
        await sight.sees("profile")
        await sight.type("box")
        await sight.press("enter")
        await sight.sees("a container needs an image or a profile")
        await sight.press("down")
        await sight.type("dev")
        await sight.press("enter")
        wanted = Start(name="box", kind=Kind.CONTAINER, profile="dev")
        await sight.until(lambda: machine.actions == [wanted])
        await sight.until(lambda: sight.selected == "container:box")


async def test_an_error_is_shown_with_its_hint_and_never_as_markup(machine: Machine) -> None:
    name = "[/red]x"
    async with machine.dashboard() as sight:
        await machine.containers.start(ContainerSpec(name=name, image="x"))
        await sight.sees(name)
        sight.select(f"container:{name}")
        await sight.press("S")
        await sight.sees(f"Stop {name}?")
        machine.containers.down = "the engine [bold]went away"
        await sight.press("y")
        await sight.until(lambda: "the engine [bold]went away" in sight.notices)
        await sight.until(lambda: "doctor" in sight.notices)


async def test_bulk_asks_once_for_all_marked(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        sight.select(DB)
        await sight.press("space", "space")
        await sight.sees("2 marked")
        await sight.press("b")
        await sight.sees("stop 2 of 2")
        await sight.type("stop")
        await sight.press("enter")
        await sight.sees("Stop 2 sandboxes?", "container:web", "container:db")
        await sight.press("y")
        await sight.until(lambda: len(machine.actions) == 2)
        assert {WEB, DB} == {action.ref for action in machine.actions if isinstance(action, Stop)}


async def test_what_fails_of_many_is_told_once(machine: Machine) -> None:
    for number in range(6):
        await machine.containers.start(ContainerSpec(name=f"bot-{number}", image="x"))
    async with machine.dashboard() as sight:
        sight.select(DB)
        await sight.press("*")
        await sight.sees("12 marked")
        await sight.press("b")
        await sight.type("stop")
        await sight.press("enter")
        await sight.sees("Stop 12 sandboxes?")
        await machine.containers.stop(Ref("container:bot-0"))
        await machine.containers.remove(Ref("container:bot-0"))
        await sight.until(lambda: sight.box(Ref("container:bot-0")) is None)
        machine.containers.down = "the engine went away"
        await sight.press("y")
        await sight.until(lambda: "8 of 12 failed: container:bot-0 is gone" in sight.notices)
        assert len(machine.actions) == 11
        assert sight.notices.count("went away") <= 1  # that the backend is lost
        chronicle = sight.dashboard.desk.chronicle
        assert "went away" in chronicle.of(WEB)[-1].what
        gone = chronicle.of(Ref("container:bot-0"))
        assert any(event.what == "stop: is gone" for event in gone)


async def test_every_action_is_logged_with_its_command_line(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        sight.select(WEB)
        await sight.press("S", "y")
        await sight.until(lambda: sight.dashboard.desk.chronicle.last_command(WEB))
        await sight.press("L")
        await sight.sees("command log", "sandbox-tui stop container:web")
        await sight.press("escape", "E")
        await sight.sees("running → exited", "stop: done")


async def test_attach_hands_over_what_the_backend_says(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        sight.select(API)
        await sight.press("a")
        await sight.until(lambda: machine.actions == [Attach(ref=API)])
        await sight.until(lambda: "sandbox-tui attach" in sight.notices)


async def test_a_push_asks_what_and_where_and_says_how_far_it_is(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "PAUSE", 0.15)
    source = tmp_path / "two words"
    source.write_bytes(b"x" * 5000)
    async with machine.dashboard() as sight:
        sight.select(WEB)
        await sight.press(">")
        await sight.sees("push to web ›", "FILE-HERE")
        await sight.type("alone")
        await sight.press("enter")
        await sight.until(lambda: "what is 'alone' to mean?" in sight.notices)
        await sight.press(">")
        await sight.type(f"'{source}' /tmp/")
        await sight.press("enter")
        await sight.sees("of 5.0 kB", "esc ends it")
        await sight.until(lambda: "made /tmp/two words" in sight.notices)
        await sight.misses("esc ends it")
        assert machine.actions == [Push(ref=WEB, source=str(source), target="/tmp/")]
        assert await machine.containers.read(WEB, "/tmp/two words") == b"x" * 5000


async def test_escape_ends_a_copy(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "PAUSE", 0.15)
    await machine.containers.write(WEB, "/tmp/file", b"content")
    async with machine.dashboard() as sight:
        sight.select(WEB)
        await sight.press("<")
        await sight.sees("pull from web ›")
        await sight.type(f"/tmp/file {tmp_path}")
        await sight.press("enter")
        await sight.sees("esc ends it")
        await sight.press("escape")
        await sight.until(lambda: "pull /tmp/file from container:web: ended" in sight.notices)
        await sight.misses("esc ends it")
    assert not any(tmp_path.iterdir())  # noqa: ASYNC240


async def test_a_snapshot_is_named(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        sight.select(WEB)
        await sight.press("=")
        await sight.type("kept:v1")
        await sight.press("enter")
        await sight.until(lambda: machine.actions == [Snapshot(ref=WEB, image="kept:v1")])
        await sight.until(lambda: "made sha256:" in sight.notices)


async def test_two_presses_are_not_asked_for_in_vain(machine: Machine) -> None:
    machine.fail(DB)
    async with machine.dashboard() as sight:
        await sight.sees("exit 1")
        sight.select(DB)
        await sight.press("I")
        await sight.until(lambda: "Interrupt db: it has exited" in sight.notices)


async def test_nothing_is_lost_by_stopping_what_has_ended(machine: Machine) -> None:
    machine.fail(DB)
    async with machine.dashboard() as sight:
        await sight.sees("exit 1")
        sight.select(DB)
        await sight.press("S")
        await sight.sees("Stop db?")
        await sight.misses("lost:")


async def test_a_new_one_is_of_the_kind_that_is_selected(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        sight.select(WEB)
        await sight.press("n")
        await sight.sees("image", "profile")
        await sight.press("enter")
        await sight.sees("a container needs a name")


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 14)])
async def test_a_long_list_to_confirm_leaves_the_question_on_the_screen(
    machine: Machine, size: tuple[int, int]
) -> None:
    for number in range(40):
        await machine.terminals.start(TmuxSpec(name=f"many-{number}"))
    async with machine.dashboard(size) as sight:
        await sight.press("asterisk")
        await sight.until(lambda: len(sight.dashboard.listing.marks) == 46)
        await sight.press("b")
        await sight.type("remove")
        await sight.press("enter")
        await sight.sees("Remove 46 sandboxes?", "tmux:api", "lost:", "y ⏎ remove all of them")
        await sight.press("pagedown")
        await sight.misses("tmux:api ·")
        await sight.press("n")
        assert machine.actions == []


async def test_words_in_the_footer_are_no_keys_and_stay_until_they_are_done(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Twice, "WINDOW", 0.05)
    async with machine.dashboard() as sight:
        sight.select(ROOM)
        await sight.press("I", "s")
        await sight.sees("enter runs · esc cancels")
        for column in range(0, 100, 3):
            await sight.pilot.click("Footer", offset=(column, 0))
        await sight.sees("enter runs · esc cancels")
        assert machine.actions == []


async def test_what_is_done_out_of_sight_is_told(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        sight.select(DB)
        await sight.press("colon")
        await sight.type("run in web: echo hi")
        await sight.press("enter")
        await sight.until(lambda: "it runs in web" in sight.notices)
        await sight.until(lambda: "web: exit" in sight.notices)
        assert sight.selected == DB
