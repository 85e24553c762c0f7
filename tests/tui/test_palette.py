"""The palette: what it lists, how it finds, and that choosing does it."""

from __future__ import annotations

from sandbox_tui.model.actions import AddCell, Start, Stop
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.model.specs import ContainerSpec
from sandbox_tui.model.world import ContainerFacts, RoomFacts, Sandbox, State, TmuxFacts, World
from sandbox_tui.tui.keys import keymap
from sandbox_tui.tui.palette import Choice, Entry, actions, chosen, key_list, palette, ranked
from sandbox_tui.tui.situation import Situation, Tab
from tests.tui.machine import Machine

WEB = Sandbox(ref=Ref("container:web"), state=State.RUNNING, facts=ContainerFacts())
ASTRO = Sandbox(ref=Ref("container:astro"), state=State.DEFINED, facts=ContainerFacts())
DOCS = Sandbox(ref=Ref("tmux:docs"), state=State.RUNNING, facts=TmuxFacts())
ROOM = Sandbox(ref=Ref("room:analysis"), state=State.IDLE, facts=RoomFacts())
WORLD = World(1, (WEB, ASTRO, DOCS, ROOM))


def titles(world: World = WORLD, now: Situation | None = None) -> list[str]:
    entries = palette(world, now or Situation(box=WEB), keymap(), ["harbor"])
    return [entry.title for entry in entries]


def test_it_lists_only_what_is_possible() -> None:
    said = titles()
    wanted = {
        "start astro",
        "stop web",
        "attach docs",
        "run cell in analysis: …",
        "run in web: …",
        "send to docs: …",
        "logs web",
        "theme harbor",
        "open room analysis",
        "new room",
    }
    assert wanted <= set(said)
    assert not {"stop astro", "start web", "resume web", "pause docs"} & set(said)


def test_the_selected_sandbox_comes_first() -> None:
    assert titles(now=Situation(box=DOCS))[0] == "attach docs"


def test_a_name_that_two_have_is_written_in_full() -> None:
    twin = Sandbox(ref=Ref("tmux:web"), state=State.RUNNING, facts=TmuxFacts())
    said = titles(World(1, (WEB, twin)))
    assert "stop container:web" in said
    assert "stop tmux:web" in said


def found(typed: str, recent: tuple[Choice, ...] = ()) -> list[str]:
    entries = palette(WORLD, Situation(box=WEB), keymap(), ["harbor", "paper"])
    return [match.entry.title for match in ranked(entries, typed, recent)]


def test_finding_is_fuzzy_and_prefers_the_beginning() -> None:
    assert found("stop w")[0] == "stop web"
    assert found("thpa")[0] == "theme paper"
    assert found("analysis")[0].endswith("analysis") or "analysis" in found("analysis")[0]
    assert found("qqqq") == []


def test_what_was_chosen_last_comes_first() -> None:
    assert found("", (Choice("tab.logs", DOCS.ref),))[0] == "logs docs"
    assert found("web", (Choice("tab.logs", WEB.ref),))[0] == "logs web"


def test_words_after_the_colon_belong_to_the_entry() -> None:
    entry = Entry(title="run cell in analysis: …", choice=Choice("sandbox.run", ROOM.ref))
    assert chosen(entry, "run cell in analysis: 1 + 1").words == "1 + 1"
    assert chosen(entry, "run cell").words == ""
    assert found("run cell in analysis: 1 + 1")[0] == "run cell in analysis: …"


def test_the_actions_of_one_say_why_not() -> None:
    by_title = {entry.title: entry for entry in actions(WEB, Situation(box=WEB), keymap())}
    assert by_title["Stop"].why_not == ""
    assert by_title["Start"].why_not == "it is running"
    assert "Send" not in by_title


def test_the_key_list_has_every_command_once() -> None:
    entries = key_list(Situation(box=WEB, tab=Tab.LIVE), keymap())
    ids = [entry.choice.command for entry in entries]
    assert len(ids) == len(set(ids)) > 50


async def test_choosing_stop_asks_and_stops(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        await sight.press("colon")
        await sight.sees("what to do")
        await sight.type("stop db")
        await sight.sees("stop db")
        await sight.press("enter")
        await sight.sees("Stop db?")
        await sight.press("y")
        await sight.until(lambda: machine.actions == [Stop(ref=Ref("container:db"))])


async def test_a_cell_runs_from_the_palette_with_and_without_its_code(machine: Machine) -> None:
    room = Ref("room:analysis")
    async with machine.dashboard() as sight:
        await sight.press("ctrl+p")
        await sight.sees("what to do")
        await sight.type("run cell in analysis: echo 7")
        await sight.press("enter")
        await sight.until(lambda: AddCell(ref=room, source="echo 7") in machine.actions)
        await sight.press("colon")
        await sight.sees("what to do")
        await sight.type("run cell in analysis")
        await sight.press("enter")
        await sight.sees("run in analysis ›")
        await sight.type("echo 8")
        await sight.press("enter")
        await sight.until(lambda: AddCell(ref=room, source="echo 8") in machine.actions)


async def test_start_from_the_palette(machine: Machine) -> None:
    spec = ContainerSpec(name="astro", image="astro:1")
    machine.definitions[spec.ref] = spec
    async with machine.dashboard() as sight:
        await sight.press("colon")
        await sight.type("start astro")
        await sight.press("enter")
        await sight.until(lambda: machine.actions == [Start(name=spec.ref)])


async def test_new_room_and_theme_from_the_palette(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        await sight.press("colon")
        await sight.type("theme nord")
        await sight.press("enter")
        await sight.until(lambda: sight.app.theme == "nord")
        await sight.press("colon")
        await sight.type("new room")
        await sight.press("enter")
        await sight.sees("kernel")
        await sight.type("lab")
        await sight.press("enter")
        await sight.until(lambda: machine.actions == [Start(name="lab", kind=Kind.ROOM)])


async def test_the_key_list_runs_the_entry(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        sight.select(WEB.ref)
        await sight.press("question_mark")
        await sight.sees("keys", "act on the selected sandbox", "it is running")
        await sight.type("inspect")
        await sight.press("enter")
        await sight.until(lambda: sight.dashboard.viewer.tab is Tab.INSPECT)


async def test_a_palette_that_finds_nothing_says_so(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        await sight.press("colon")
        await sight.type("zzzz")
        await sight.sees("nothing of that name")
        await sight.press("enter", "escape")
        await sight.misses("what to do")
