"""The list: what it shows, where its cursor is, and what it paints again."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox_tui.model.refs import Ref
from sandbox_tui.tui.widgets.rows import Look, Row, Section
from sandbox_tui.tui.widgets.sandbox_list import SandboxList
from tests.tui.widgets.stage import NASTY, every_size, recording, staged

Selected, Opened, Marked = SandboxList.Selected, SandboxList.Opened, SandboxList.Marked


def row(
    name: str,
    look: Look = Look.RUNNING,
    kind: str = "tmux",
    detail: str = "",
    spark: str = "",
    badge: str = "",
    age: str = "",
) -> Row:
    return Row(Ref(f"{kind}:{name}"), look, name, detail, spark, badge, age)


def tmux(*rows: Row, problem: str = "", empty: str = "") -> Section:
    return Section("tmux", "tmux", rows, "²", empty, problem)


WORLD = (
    Section("attention", "attention", (row("fix", Look.WAITS, detail="waits for you"),), "¹"),
    tmux(row("docs", spark="▁▂▃▄", age="14m"), row("fix", Look.WAITS), row("idle", Look.IDLE)),
    Section(
        "container",
        "containers",
        (
            row("web", kind="container", spark="▁▂▃▄", badge="81%  412M", age="2m"),
            row("job", Look.FAILED, "container", detail="exit 137 OOM", age="20s"),
        ),
        "³",
    ),
    Section("room", "rooms", (), "⁴", empty="no rooms yet   n new room"),
)


@every_size
async def test_sections_rows_and_empty_sections(size: tuple[int, int]) -> None:
    view = SandboxList()
    view.show(WORLD)
    async with staged(view, size) as show:
        assert [line.split(" ─")[0].split("  ")[0] for line in show.rows[:11]] == [
            "¹attention 1", "▌◐ fix", "²tmux 3", " ● docs", " ◐ fix", " ○ idle",
            "³containers 2", " ● web", " ✕ job", "⁴rooms", "",
        ]  # fmt: skip
        assert show.rows[7].endswith("▁▂▃▄ 81%  412M  2m")
        assert "exit 137 OOM" in show.rows[8]
        assert show.rows[10].strip() == "no rooms yet   n new room"


async def test_state_is_told_by_shape_and_colour() -> None:
    view = SandboxList()
    looks = [look for look in Look if look is not Look.STALE]
    view.show([tmux(row("first"), *(row(look.name, look) for look in looks))])
    async with staged(view) as show:
        for look in looks:
            line = next(line for line in show.rows if look.name in line)
            assert line.startswith(f" {look.glyph} ")
            at = show.rows.index(line)
            strip = show.widget.render_line(at)
            style = list(strip)[1].style
            assert style is not None and style.color is not None
            assert style.color.name == show.ink(f"list--{look.name.lower()}")


async def test_letters_for_screens_without_colour() -> None:
    view = SandboxList(letters=True)
    view.show([tmux(row("a"), row("b", Look.FAILED))])
    async with staged(view) as show:
        assert show.rows[2].startswith(" ✕F b")


async def test_a_dead_backend_is_red_with_its_reason_and_its_rows_stay_dim() -> None:
    view = SandboxList()
    problem = "server is gone · since 14:05:01 · retry 14:05:11"
    view.show([tmux(row("a", Look.STALE), row("b", Look.STALE), problem=problem)])
    async with staged(view) as show:
        assert show.rows[0].startswith(f"✕ ²tmux 2 {problem} ─")
        assert show.inked("✕ ²tmux") == show.ink("list--problem") == show.inked("server is")
        assert show.rows[2].startswith(" ? b")
        assert show.inked("b  ") == show.ink("list--dim")


async def test_a_long_reason_is_broken_between_words() -> None:
    view = SandboxList()
    view.show([tmux(problem="cannot connect " * 10)])
    async with staged(view, (40, 24)) as show:
        assert show.rows[0].startswith("✕ ²tmux")
        assert show.text.split().count("connect") == 10


@every_size
async def test_names_of_any_kind(size: tuple[int, int]) -> None:
    rows = [Row(Ref(f"tmux:n{n}"), Look.RUNNING, name, detail=name) for n, name in enumerate(NASTY)]
    view = SandboxList()
    view.show([Section("x", "[/red]x", tuple(rows), problem="[/red]\x00"), tmux(empty="[/x]\x1b")])
    async with staged(view, size) as show:
        assert show.rows[1].startswith("▌● [/red]x")
        assert "nul␀nul" in show.text
        assert "␛[31mred" in show.text
        assert "日本語の名前" in show.text
        assert all(not set(line) & set("\x00\x1b\n\r\u202e") for line in show.rows)
        for _ in rows:
            view.move(1)
            await show.settle()


# --- the cursor -------------------------------------------------------------------------------


async def test_moving_stops_at_the_ends_and_says_what_is_selected() -> None:
    view = SandboxList()
    view.show(WORLD)
    async with staged(view) as show:
        assert view.selected == "tmux:fix"
        view.move(-1)
        assert view.selected_section == "attention"
        view.move(2)
        assert (view.selected, view.selected_section) == ("tmux:fix", "tmux")
        view.last()
        assert view.selected == "container:job"
        view.move(5)
        view.page(-1)
        assert view.selected_section == "attention"
        await show.settle()
        assert [m.ref for m in show.said(Selected)][-1] == "tmux:fix"
        assert show.said(Selected)[-1].control is view


async def test_jumping_to_sections() -> None:
    view = SandboxList()
    view.show(WORLD)
    async with staged(view):
        assert view.jump_to_section("container")
        assert view.selected == "container:web"
        view.move(1)
        assert view.jump_to_section("container")
        assert view.selected == "container:web"
        assert not view.jump_to_section("room")
        assert view.selected == "container:web"


async def test_selecting_by_identity_prefers_the_home_of_the_sandbox() -> None:
    view = SandboxList()
    view.show(WORLD)
    async with staged(view):
        view.last()
        assert view.select(Ref("tmux:fix"))
        assert view.selected_section == "tmux"
        assert not view.select(Ref("tmux:none"))
        assert view.selected == "tmux:fix"


async def test_the_cursor_stays_on_its_sandbox_while_the_screen_is_another() -> None:
    view = SandboxList()
    names = [f"s{n}" for n in range(100)]
    view.show([tmux(*map(row, names))])
    async with staged(view) as show:
        view.select(Ref("tmux:s50"))
        await show.settle()
        view.show([tmux(*map(row, reversed(names)))])
        await show.settle()
        assert view.selected == "tmux:s50"
        assert sum(line.startswith("▌") for line in show.rows) == 1
        assert next(line for line in show.rows if line.startswith("▌")).startswith("▌● s50")
        view.show([tmux(row("s3"), row("s50"))])
        await show.settle()
        assert show.rows[2].startswith("▌● s50")


async def test_when_its_sandbox_goes_the_neighbour_is_selected_and_said() -> None:
    view = SandboxList()
    view.show([tmux(row("a"), row("b"), row("c"))])
    async with staged(view) as show:
        view.select(Ref("tmux:b"))
        view.show([tmux(row("a"), row("c"))])
        assert view.selected == "tmux:c"
        view.show([tmux()])
        assert view.selected is None
        await show.settle()
        assert show.said(Selected)[-1].ref is None


@settings(max_examples=8)
@given(st.randoms(use_true_random=False))
async def test_selection_under_random_changes(chance: random.Random) -> None:
    """Whatever comes, the cursor is on its sandbox as long as that is in the list."""
    view = SandboxList()
    names = [f"s{n}" for n in range(60)]
    view.show([tmux(*map(row, names))])
    async with staged(view) as show:
        for _ in range(8):
            view.select(
                Ref(f"tmux:{chance.choice(names)}") if chance.random() < 0.3 else Ref("tmux:s9")
            )
            before = view.selected
            names = chance.sample([f"s{n}" for n in range(60)], chance.randint(1, 60))
            needy = tuple(
                row(name, Look.WAITS) for name in chance.sample(names, min(2, len(names)))
            )
            view.show([Section("attention", "attention", needy), tmux(*map(row, names))])
            await show.settle()
            assert view.selected is not None
            if before in {f"tmux:{name}" for name in names}:
                assert view.selected == before
            cursor = [line for line in show.rows if line.startswith("▌")]
            assert len(cursor) == 1
            assert cursor[0].split()[1] == view.selected.name


async def test_scrolling_leaves_the_cursor_and_shows_are_no_jerk_back() -> None:
    view = SandboxList()
    view.show([tmux(*(row(f"s{n}") for n in range(100)))])
    async with staged(view) as show:
        view.scroll_rows(50)
        await show.settle()
        assert view.in_view[:2] == ("tmux:s49", "tmux:s50")
        assert len(view.in_view) == 24
        assert show.rows[0].startswith(" ● s49")
        view.show([tmux(*(row(f"s{n}", age="1m") for n in range(100)))])
        await show.settle()
        assert show.rows[0].startswith(" ● s49")
        view.move(1)
        await show.settle()
        assert "▌● s1 " in show.text


async def test_the_first_row_brings_its_title_into_view() -> None:
    view = SandboxList()
    view.show([tmux(*(row(f"s{n}") for n in range(100)))])
    async with staged(view) as show:
        view.last()
        view.first()
        await show.settle()
        assert show.rows[0].startswith("²tmux 100")


# --- the mouse --------------------------------------------------------------------------------


async def test_a_click_selects_and_a_double_click_opens() -> None:
    view = SandboxList()
    view.show(WORLD)
    async with staged(view) as show:
        await show.pilot.click(view, offset=(5, 7))
        assert view.selected == "container:web"
        assert not show.said(Opened)
        await show.pilot.click(view, offset=(5, 8), times=2)
        assert [m.ref for m in show.said(Opened)] == ["container:job"]
        await show.pilot.click(view, offset=(5, 9))
        await show.pilot.click(view, offset=(5, 20))
        assert view.selected == "container:job"


async def test_the_wheel_and_the_scroll_bar() -> None:
    view = SandboxList()
    view.show([tmux(*(row(f"s{n}") for n in range(100)))])
    async with staged(view) as show:
        assert show.rows[0].endswith("┃")
        await show.wheel_down()
        await show.settle()
        assert show.rows[0].startswith(" ● s2")
        await show.pilot.mouse_down(view, offset=(79, 23))
        await show.pilot.mouse_up(view, offset=(79, 23))
        await show.settle()
        assert show.rows[-1].startswith(" ● s99")


# --- marks ------------------------------------------------------------------------------------


async def test_marks_stay_with_their_sandboxes_and_go_with_them() -> None:
    view = SandboxList()
    view.show(WORLD)
    async with staged(view) as show:
        view.jump_to_section("container")
        view.toggle_mark()
        await show.settle()
        assert show.rows[7].startswith("▌●*web")
        view.mark_all()
        assert view.marks == set(view.shown)
        view.toggle_mark()
        assert "container:web" not in view.marks
        view.show([tmux(row("docs"))])
        await show.settle()
        assert view.marks == {"tmux:docs"}
        view.clear_marks()
        await show.settle()
        assert [m.refs for m in show.said(Marked)][-2:] == [{"tmux:docs"}, frozenset()]


# --- painting ---------------------------------------------------------------------------------


async def test_only_rows_that_differ_are_painted_again() -> None:
    kind, painted = recording(SandboxList)
    view = kind()
    rows = [row(f"s{n}", badge="10%") for n in range(20)]
    view.show([tmux(*rows)])
    async with staged(view) as show:
        painted.clear()
        view.show([tmux(*(row(f"s{n}", badge="10%") for n in range(20)))])
        assert painted == []
        rows[3] = row("s3", badge="99%")
        view.show([tmux(*rows)])
        assert painted == [4]
        painted.clear()
        view.move(1)
        assert painted == [1, 2]
        await show.settle()
        assert "99%" in show.rows[4]


async def test_what_is_out_of_view_costs_nothing() -> None:
    kind, painted = recording(SandboxList)
    view = kind()
    rows = [row(f"s{n}", badge="10%") for n in range(1000)]
    view.show([tmux(*rows)])
    async with staged(view):
        painted.clear()
        rows[500] = row("s500", badge="99%")
        view.show([tmux(*rows)])
        assert painted == []


@pytest.mark.parametrize("theme", ["textual-light", "nord", "gruvbox"])
async def test_themes_change_every_colour(theme: str) -> None:
    view = SandboxList()
    view.show(WORLD)
    async with staged(view) as show:
        before = show.inked("docs")
        show.app.theme = theme
        await show.settle()
        assert show.inked("docs") != before
        assert show.inked("✕ job") == show.ink("list--failed")
        background = show.style_of("docs").bgcolor
        assert background is not None
        assert background.name == show.app.theme_variables["surface"].lower()


async def test_resizing_lays_out_again() -> None:
    view = SandboxList()
    view.show(WORLD)
    async with staged(view, (120, 40)) as show:
        await show.pilot.resize_terminal(50, 12)
        await show.settle()
        assert show.rows[7].endswith("▁▂▃▄ 81%  412M  2m")
        assert len(show.rows) == 12
