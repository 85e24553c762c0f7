"""Keys that only look: selection, sections, tabs, filter, widths, dead backends."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from sandbox_tui.model.actions import AddCell
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.specs import ContainerSpec, TmuxSpec
from sandbox_tui.model.world import State
from sandbox_tui.tui.app import DashboardApp
from sandbox_tui.tui.chrome.wall import Tile
from sandbox_tui.tui.situation import Half, Tab
from tests.tui.machine import Machine, Sight

WEB, DB = Ref("container:web"), Ref("container:db")
API, ROOM = Ref("tmux:api"), Ref("room:analysis")


async def test_the_cursor_stays_on_its_sandbox_while_the_list_changes(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        sight.select(WEB)
        for name in ("aaa", "zzz"):
            await machine.terminals.start(TmuxSpec(name=name))
        machine.fail(DB)
        await sight.sees("aaa", "exit 1")
        assert sight.selected == WEB
        machine.containers.drop(DB)
        await sight.misses("exit 1")
        assert sight.selected == WEB


async def test_digits_and_tab_go_through_sections(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        await sight.press("3", "j")
        assert sight.selected == WEB
        await sight.press("3")
        assert sight.selected == DB
        await sight.press("tab")
        assert sight.selected == ROOM
        await sight.press("shift+tab", "shift+tab")
        assert sight.selected == API


async def test_moving(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        await sight.press("g")
        assert sight.selected == API
        await sight.press("j", "down")
        assert sight.selected == DB
        await sight.press("k")
        assert sight.selected == "tmux:docs"
        await sight.press("G")
        assert sight.selected == "room:scratch"


async def test_next_that_needs_a_person(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        await sight.press("!")
        await sight.until(lambda: "nothing needs you" in sight.notices)
        machine.fail(DB, 3)
        await sight.sees("attention 1", "exit 3", "! 1 needs you")
        await sight.press("!")
        assert sight.selected == DB


async def test_the_live_view_shows_a_terminal_as_it_changes(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        sight.select(API)
        machine.terminals.journal(API).say("hello from the pane")
        await sight.sees("hello from the pane")
        machine.terminals.journal(API).say("and again")
        await sight.sees("and again")


async def test_another_selection_leaves_nothing_of_the_last(machine: Machine) -> None:
    machine.containers.journal(WEB).say("web speaks")
    machine.containers.journal(DB).say("db speaks")
    async with machine.dashboard() as sight:
        sight.select(WEB)
        await sight.sees("web speaks")
        sight.select(DB)
        await sight.sees("db speaks")
        assert "web speaks" not in sight.text()
        sight.select(API)
        await sight.misses("db speaks")


async def test_tabs(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        sight.select(WEB)
        await sight.press("i")
        assert sight.dashboard.viewer.tab is Tab.INSPECT
        await sight.sees("image", "web:1")
        await sight.press("]")
        assert sight.dashboard.viewer.tab is Tab.EVENTS
        await sight.press("]")
        assert sight.dashboard.viewer.tab is Tab.LIVE
        await sight.press("[", "v")
        assert sight.dashboard.viewer.tab is Tab.STATS
        await sight.sees("cpu", "mem")


async def test_only_rooms_have_notebooks(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        sight.select(ROOM)
        await sight.sees("Notebook")
        sight.select(WEB)
        await sight.misses("Notebook")


async def test_following_searching_and_stepping_through_a_log(machine: Machine) -> None:
    machine.containers.journal(WEB).say("\n".join(f"line {n} needle{n % 50}" for n in range(200)))
    async with machine.dashboard() as sight:
        sight.select(WEB)
        await sight.press("l")
        await sight.sees("line 199", "following")
        await sight.press("enter")
        assert sight.half is Half.VIEW
        await sight.press("g")
        await sight.sees("line 0 ", "f follows")
        await sight.press("slash")
        await sight.sees("search ›")
        await sight.type("needle7")
        await sight.press("enter")
        await sight.sees("match", "of 4")
        await sight.press("N")
        await sight.press("escape")
        await sight.misses("of 4")
        await sight.press("escape")
        assert sight.half is Half.LIST


async def test_filter_hides_and_escape_shows(machine: Machine) -> None:
    machine.fail(DB)
    async with machine.dashboard() as sight:
        await sight.sees("exit 1")
        await sight.press("slash")
        await sight.sees("filter ›")
        await sight.type("is:failed")
        await sight.until(lambda: set(sight.dashboard.listing.shown) == {DB})
        await sight.sees("0 of 2 match 'is:failed'", "esc clear")
        await sight.press("enter")
        await sight.sees("/ is:failed")
        await sight.press("escape")
        await sight.until(lambda: len(sight.dashboard.listing.shown) == 6)


async def test_a_dead_backend_looks_dead_and_tells_once(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        sight.select(WEB)
        machine.containers.down = "cannot connect to the engine"
        await sight.sees("✕ ³containers", "cannot connect to the engine", "since", "retry in")
        await sight.sees("? web", "seen")
        await sight.until(lambda: "container is lost" in sight.notices)
        await sight.press("S")
        await sight.until(lambda: "its backend does not answer" in sight.notices)
        assert machine.actions == []
        assert sight.notices.count("container is lost") == 1
        machine.containers.down = ""
        await sight.until(lambda: "container answers again" in sight.notices)
        await sight.sees("● web")


async def test_a_backend_that_hangs_delays_neither_paint_nor_keys(machine: Machine) -> None:
    machine.containers.hangs = True
    app = DashboardApp(machine.connect, machine.outfit)
    async with app.run_test(size=(120, 40)) as pilot:
        sight = Sight(app, pilot)
        await sight.sees("● api", "asking …")
        await sight.press("j")
        assert sight.selected == "tmux:docs"
        await sight.press("3")
        await sight.until(lambda: "still looking for a container" in sight.notices)


async def test_a_section_without_rows_says_why(bare: Machine) -> None:
    bare.containers.hangs = True
    app = DashboardApp(bare.connect, bare.outfit)
    async with app.run_test(size=(120, 40)) as pilot:
        sight = Sight(app, pilot)
        await sight.sees("no tmux session yet", "asking every backend …")
        assert "Nothing runs here yet" not in sight.text()
        await sight.press("2", "1")
        await sight.until(lambda: "there is no tmux session" in sight.notices)
        await sight.until(lambda: "still looking for a sandbox that needs you" in sight.notices)
        bare.containers.hangs, bare.containers.down = False, "gone"
        await sight.until(lambda: sight.dashboard.desk.world.health_of(bare.containers.place))
        await sight.press("3")
        await sight.until(lambda: "its backend does not answer" in sight.notices)


async def test_nothing_at_all_is_a_welcome(bare: Machine) -> None:
    async with bare.dashboard() as sight:
        await sight.sees("Nothing runs here yet.", "sandbox-tui demo", "no tmux session yet")


@pytest.mark.parametrize("name", ["[/red]x", "[bold]", "a b", "naïve-日本", "x.y", "{0}", "%s"])
async def test_names_are_never_markup(bare: Machine, name: str) -> None:
    await bare.containers.start(ContainerSpec(name=name, image="i"))
    async with bare.dashboard(select=name) as sight:
        await sight.sees(f"● {name}")
        await sight.press("P", "x")
        await sight.sees(f"container:{name}")
        await sight.press("escape", "D")
        await sight.sees(f"Remove {name}?")
        await sight.press("escape", "space", "colon")
        await sight.sees("stop")


async def test_under_100_columns_there_is_the_list_or_the_view(machine: Machine) -> None:
    machine.terminals.journal(API).say("pane text")
    async with machine.dashboard((80, 24)) as sight:
        sight.select(API)
        await sight.sees("tmux 2")
        assert "pane text" not in sight.text()
        await sight.press("enter")
        await sight.sees("pane text", "esc back")
        assert "tmux 2" not in sight.text()
        await sight.press("escape")
        await sight.sees("tmux 2")
        await sight.press("l")
        await sight.sees("pane text")


async def test_from_170_columns_there_is_a_wall_of_live_tiles(machine: Machine) -> None:
    async with machine.dashboard((200, 60)) as sight:
        sight.select(WEB)
        await sight.until(lambda: len(sight.dashboard.stage.query(Tile)) >= 5)
        machine.terminals.journal(API).say("on the wall")
        await sight.sees("on the wall")
        await sight.press("P")
        await sight.sees("web ⊙")
        await sight.pilot.resize_terminal(120, 40)
        await sight.misses("web ⊙")


async def test_a_tile_and_the_view_of_one_sandbox_both_show_its_whole_log(
    machine: Machine,
) -> None:
    machine.containers.journal(WEB).say("first words")
    async with machine.dashboard((200, 60)) as sight:
        sight.select(API)
        await sight.sees("first words")
        sight.select(WEB)
        await sight.until(lambda: sight.text().count("first words") == 2)


async def test_under_30_rows_the_charts_go_first(machine: Machine) -> None:
    async with machine.dashboard((120, 40)) as sight:
        sight.select(WEB)
        await sight.sees("of 1.0 cores")
        await sight.pilot.resize_terminal(120, 28)
        await sight.misses("of 1.0 cores")


async def test_zoom_layout_and_back(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        sight.select(WEB)
        width = sight.dashboard.listing.size.width
        await sight.press("plus")
        await sight.until(lambda: sight.dashboard.listing.size.width > width)
        await sight.press("z")
        await sight.misses("tmux 2")
        await sight.press("ctrl+q")
        await sight.sees("tmux 2")
        assert sight.app.is_running


async def test_ctrl_q_never_quits_and_q_does_at_the_root(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        sight.select(WEB)
        await sight.press("ctrl+q", "ctrl+c", "enter")
        assert sight.half is Half.VIEW
        await sight.press("q")
        await sight.until(lambda: sight.half is Half.LIST)
        assert sight.app._exit is False
        await sight.press("q")
        await sight.until(lambda: sight.app._exit)


async def test_marks(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        await sight.press("asterisk")
        await sight.sees("6 marked")
        await sight.press("asterisk")
        await sight.misses("6 marked")


async def test_a_world_that_changes_while_a_room_works(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        machine.rooms.change(ROOM, state=State.BUSY)
        await sight.sees("busy")


async def test_there_and_back_again_faster_than_anything_is_fetched(machine: Machine) -> None:
    machine.containers.journal(WEB).say("web speaks")
    async with machine.dashboard() as sight:
        sight.select(WEB)
        await sight.sees("web speaks")
        for ref in (DB, API, DB, WEB):
            sight.select(ref)
        await sight.sees("web speaks")


async def test_the_log_of_a_tile_does_not_disturb_the_view(machine: Machine) -> None:
    machine.containers.journal(WEB).say("web speaks")
    async with machine.dashboard((200, 60)) as sight:
        sight.select(WEB)
        await sight.sees("web speaks")
        await machine.containers.start(ContainerSpec(name="new", image="i"))
        machine.containers.journal(Ref("container:new")).say("new speaks")
        await sight.sees("● new")
        sight.dashboard.stage.toggle_pin(Ref("container:new"))
        sight.dashboard.refresh_view()
        await sight.sees("new ⊙", "new speaks")
        log = sight.dashboard.viewer.panels.log_view
        assert "web speaks" in log.text()
        assert "new speaks" not in log.text()


async def test_the_frame_marks_the_tab_that_is_shown(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        sight.select(WEB)
        await sight.press("i")
        title = str(sight.dashboard.viewer.border_title)
        before = title.partition(" Inspect ")[0].partition(" Stats ")[2]
        assert "[reverse" in before


async def test_a_click_on_a_tile_selects_its_sandbox(machine: Machine) -> None:
    async with machine.dashboard((200, 60)) as sight:
        sight.select(WEB)
        await sight.until(lambda: len(sight.dashboard.stage.query(Tile)) >= 5)
        tile = next(tile for tile in sight.dashboard.stage.query(Tile) if tile.ref != WEB)
        await sight.until(lambda: tile.region.width)
        await sight.pilot.click(tile)
        await sight.until(lambda: sight.selected == tile.ref)


async def test_copying(machine: Machine) -> None:
    machine.containers.journal(WEB).say("\x1b[31mred\x1b[0m line")
    async with machine.dashboard() as sight:
        sight.select(WEB)
        await sight.press("c")
        assert sight.app.clipboard == WEB
        await sight.until(lambda: "copied container:web" in sight.notices)
        await sight.press("C")
        assert sight.app.clipboard == "sandbox-tui status container:web"
        await sight.sees("red line")
        await sight.press("enter", "c")
        assert sight.app.clipboard.startswith("red line")


async def test_copying_a_cell_takes_its_source_and_what_it_said(machine: Machine) -> None:
    await machine.rooms.edit(AddCell(ref=ROOM, source="echo 42"))
    async with machine.dashboard() as sight:
        sight.select(ROOM)
        await sight.sees("echo 42")
        await sight.press("enter", "c")
        assert sight.app.clipboard == "echo 42"


async def test_the_view_is_saved_into_the_present_folder(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    machine.containers.journal(WEB).say("kept words")
    async with machine.dashboard() as sight:
        sight.select(WEB)
        await sight.sees("kept words")
        await sight.press("ctrl+s")
        await sight.until(lambda: "saved container-web-" in sight.notices)
    [saved] = await asyncio.to_thread(lambda: list(tmp_path.glob("container-web-*.txt")))
    assert "kept words" in saved.read_text()


async def test_nothing_is_fetched_for_a_view_that_is_not_seen(machine: Machine) -> None:
    async with machine.dashboard((80, 24)) as sight:
        sight.select(WEB)
        assert not sight.dashboard.stage.wanted.feeds
        await sight.press("enter")
        await sight.until(lambda: sight.dashboard.stage.wanted.feeds)
        await sight.press("escape")
        await sight.until(lambda: not sight.dashboard.stage.wanted.feeds)


async def test_another_key_between_two_presses_breaks_the_pair(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        sight.select(ROOM)
        await sight.press("I", "j", "I")
        await sight.sees("I once more: interrupt room:scratch")
        assert machine.actions == []


async def test_a_long_name_leaves_the_tabs_on_the_screen(machine: Machine) -> None:
    long = "a-name-that-goes-on-" * 6 + "漢字"
    await machine.terminals.start(TmuxSpec(name=long))
    async with machine.dashboard() as sight:
        sight.select(f"tmux:{long}")
        await sight.sees("Live Logs Stats Inspect Events")
        title = sight.text().splitlines()[1]
        assert "● a-name-that" in title
        assert "漢字  Live" in title


async def test_a_filter_that_nothing_fits_says_so_in_the_view_too(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        await sight.press("slash")
        await sight.type("zzz")
        await sight.sees("nothing fits the filter 'zzz'", "esc  clear it")
        await sight.press("escape")
        await sight.misses("nothing fits")


async def test_a_search_that_finds_nothing_says_so(machine: Machine) -> None:
    machine.containers.journal(WEB).say("one\ntwo\n")
    async with machine.dashboard() as sight:
        sight.select(WEB)
        await sight.press("l", "enter", "slash")
        await sight.type("three")
        await sight.press("enter")
        await sight.sees("nothing matches 'three'")
        await sight.press("n")
        await sight.until(lambda: "nothing matches" in sight.notices)
        await sight.press("escape")
        await sight.misses("nothing matches 'three'")
        await sight.press("n")
        await sight.until(lambda: "nothing is searched for" in sight.notices)


async def test_keys_that_do_nothing_to_a_view_are_not_offered_and_say_why(
    machine: Machine,
) -> None:
    async with machine.dashboard() as sight:
        sight.select(API)
        await sight.press("enter")
        await sight.sees("esc back", "f follow")
        await sight.misses("/ search", "w wrap", "t timestamps")
        await sight.press("slash", "t")
        await sight.until(lambda: "to search" in sight.notices and "timestamps" in sight.notices)
        await sight.press("v")
        await sight.misses("f follow", "^s save")


async def test_the_zoomed_view_has_the_keys(machine: Machine) -> None:
    machine.containers.journal(WEB).say("one\ntwo\n")
    async with machine.dashboard() as sight:
        sight.select(WEB)
        await sight.press("l", "z")
        assert sight.half is Half.VIEW
        await sight.press("slash")
        await sight.sees("search ›")
        await sight.press("escape", "z")
        assert sight.half is Half.LIST
        await sight.press("enter", "z", "z")
        assert sight.half is Half.VIEW
        assert not sight.dashboard.has_class("-zoomed")


async def test_what_was_there_from_the_start_has_not_appeared(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        await machine.containers.start(ContainerSpec(name="late", image="busybox"))
        await sight.sees("late")
        sight.select(WEB)
        await sight.press("E")
        await sight.sees("nothing happened yet")
        sight.select("container:late")
        await sight.sees("appeared: running")


async def test_ctrl_c_only_says_how_to_quit(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        await sight.press("ctrl+c")
        await sight.until(lambda: "press q to quit" in sight.notices)


@pytest.mark.parametrize("size", [(50, 20), (80, 24), (120, 40)])
async def test_while_a_line_is_typed_the_footer_says_how_it_ends(
    machine: Machine, size: tuple[int, int]
) -> None:
    async with machine.dashboard(size) as sight:
        sight.select(ROOM)
        await sight.press("s")
        await sight.sees("run in analysis ›", "enter runs · esc cancels", "runs a block")
        await sight.misses("⏎ open")
        await sight.press("escape")
        await sight.sees("⏎ open")


async def test_a_log_is_filtered_by_text_and_by_level(machine: Machine) -> None:
    lines = [f"{'ERROR' if n % 10 == 0 else 'INFO'} step {n}" for n in range(50)]
    machine.containers.journal(WEB).say("\n".join(lines) + "\n")
    async with machine.dashboard() as sight:
        sight.select(WEB)
        await sight.press("l", "enter", "ampersand")
        await sight.sees("filter lines ›", "level:warn")
        await sight.type("level:error -30")
        await sight.sees("4 of ", " lines: level:error -30", "ERROR step 40")
        await sight.misses("step 30", "INFO")
        await sight.press("enter")
        assert sight.half is Half.VIEW
        await sight.press("ampersand", "escape")
        await sight.sees("INFO step 49")
        await sight.press("ampersand", "4", "8", "enter")
        await sight.sees("1 of ", " lines: 48")
        await sight.press("escape")
        await sight.sees("INFO step 49")
        assert sight.half is Half.VIEW


async def test_a_search_that_is_given_up_is_over(machine: Machine) -> None:
    machine.containers.journal(WEB).say("one\ntwo\n")
    async with machine.dashboard() as sight:
        sight.select(WEB)
        await sight.press("l", "enter", "slash", "t")
        await sight.sees("match 1 of 1")
        await sight.press("escape")
        await sight.misses("match 1 of 1")
        assert sight.half is Half.VIEW


async def test_marked_logs_are_read_together_in_the_order_of_their_times(machine: Machine) -> None:
    for ref, words in ((WEB, "first"), (DB, "second"), (WEB, "third")):
        machine.containers.journal(ref).say(f"the {words}")
    async with machine.dashboard() as sight:
        await sight.press("3", "space", "space", "M")
        await sight.sees("logs of 2 together", "web         │the third")
        text = sight.text()
        places = [text.index(f"│the {words}") for words in ("first", "second", "third")]
        assert places == sorted(places)
        machine.containers.journal(DB).say("and more")
        await sight.sees("db          │and more")
        await sight.press("escape")
        await sight.misses("logs of 2", "│the second")
        assert len(sight.dashboard.stage.wanted.feeds) == 1
