"""The pane: a terminal's screen, whole or clipped, live or stale."""

from __future__ import annotations

import pytest

from sandbox_tui.model.outputs import Screen
from sandbox_tui.tui.widgets.pane import PaneView
from tests.tui.widgets.stage import NASTY, every_size, recording, staged


def screen(
    *rows: str, size: tuple[int, int] = (60, 10), cursor: tuple[int, int] | None = None
) -> Screen:
    return Screen(rows, *size, cursor=cursor)


@every_size
async def test_colours_run_on_from_row_to_row(size: tuple[int, int]) -> None:
    view = PaneView()
    view.show(screen("\x1b[31mred", "still\x1b[0m plain", "日本 \x1b[38;2;1;2;3mrgb"))
    async with staged(view, size) as show:
        assert show.rows[:3] == ["red", "still plain", "日本 rgb"]
        assert show.style_of("red").color == show.style_of("still").color
        assert show.style_of("plain").color == view.rich_style.color
        assert show.inked("rgb") == "#010203"


async def test_only_changed_rows_are_painted_again() -> None:
    kind, painted = recording(PaneView)
    view = kind()
    view.show(screen(*(f"row {n}" for n in range(10))))
    async with staged(view) as show:
        painted.clear()
        view.show(screen(*(f"row {n}" for n in range(10))))
        assert painted == []
        view.show(screen(*("new" if n in (3, 4, 7) else f"row {n}" for n in range(10))))
        assert painted == [3, 4, 7]
        await show.settle()
        assert show.rows[2:5] == ["row 2", "new", "new"]


async def test_a_colour_that_runs_on_repaints_what_it_reaches() -> None:
    kind, painted = recording(PaneView)
    view = kind()
    view.show(screen("a", "b", "c"))
    async with staged(view):
        painted.clear()
        view.show(screen("\x1b[31ma", "b\x1b[0m", "c"))
        assert painted == [0, 1]


async def test_the_cursor_is_a_cell() -> None:
    view = PaneView()
    view.show(screen("$ ls", "x日y", cursor=(2, 0)))
    async with staged(view) as show:
        assert show.style_of("ls").reverse
        view.show(screen("$ ls", "x日y", cursor=(1, 1)))
        await show.settle()
        assert not show.style_of("ls").reverse
        assert show.style_of("日").reverse
        assert not show.style_of("y").reverse
        view.show(screen("$ ls", "x日y", cursor=(40, 1)))
        await show.settle()
        assert show.rows[1] == "x日y"
        view.show(screen("$ ls", "x", cursor=(40, 9)))
        await show.settle()


async def test_what_is_larger_is_clipped_to_where_things_happen() -> None:
    view = PaneView()
    rows = [f"row {n:02} " + "x" * 100 for n in range(50)]
    async with staged(view) as show:
        view.show(screen(*rows, size=(120, 50), cursor=(0, 49)))
        await show.settle()
        assert show.rows[-1].startswith("row 49")
        assert len(show.rows[-1]) == 80
        assert view.caption == "80x24 of 120x50"
        view.show(screen(*rows[:10], *[""] * 40, size=(120, 50), cursor=(0, 9)))
        await show.settle()
        assert show.rows[0].startswith("row 00")


async def test_panning_moves_the_window_and_stays() -> None:
    view = PaneView()
    rows = [f"row {n:02} " + "x" * 100 + "end" for n in range(50)]
    async with staged(view) as show:
        view.show(screen(*rows, size=(110, 50), cursor=(0, 49)))
        view.pan(1000, -10)
        await show.settle()
        assert show.rows[0].startswith("xxx")
        assert show.rows[0].endswith("end")
        view.show(screen(*rows, size=(110, 50), cursor=(0, 0)))
        view.pan(-1000, -1000)
        await show.settle()
        assert show.rows[0].startswith("row 00")
        view.reset_pan()
        await show.settle()
        assert show.rows[-1].startswith("row 49")
        view.scroll_to_share(0.0)
        await show.settle()
        assert show.rows[0].startswith("row 00")
        view.scroll_to_share(1.0)
        await show.wheel_down()
        assert show.rows[-1].startswith("row 49")


async def test_a_stale_screen_has_neither_colours_nor_cursor() -> None:
    view = PaneView()
    view.show(screen("\x1b[31mred", cursor=(0, 0)))
    async with staged(view) as show:
        view.show(screen("\x1b[31mred", cursor=(0, 0)), stale=True)
        await show.settle()
        assert show.inked("red") == show.ink("pane--stale")
        assert not show.style_of("red").reverse
        view.show(screen("\x1b[31mred"))
        await show.settle()
        assert show.inked("red") != show.ink("pane--stale")


async def test_without_a_screen_it_says_why() -> None:
    view = PaneView("no pane yet")
    async with staged(view) as show:
        assert show.rows[0] == "no pane yet"
        view.show(screen("text"))
        await show.settle()
        assert show.rows[0] == "text"
        view.show(None, placeholder="session [/red]gone")
        await show.settle()
        assert show.rows[:2] == ["session [/red]gone", ""]
        view.show(None, placeholder="one\n\nthree")
        await show.settle()
        assert show.rows[:4] == ["one", "", "three", ""]
        assert view.caption == ""


@pytest.mark.parametrize("name", NASTY)
async def test_any_row(name: str) -> None:
    view = PaneView()
    view.show(screen(name, "after", cursor=(3, 0)))
    async with staged(view) as show:
        assert show.rows[1] == "after"
        assert not set(show.text) & set("\x00\x1b\x07\u202e\ud800")


async def test_its_text_can_be_copied() -> None:
    view = PaneView()
    view.show(screen("\x1b[31mred   ", "", "two", "", ""))
    assert view.text() == "red\n\ntwo"


async def test_the_size_is_on_the_border() -> None:
    view = PaneView()
    view.styles.border = ("round", "red")
    view.show(screen("x", size=(60, 10)))
    async with staged(view) as show:
        assert " 60x10 " in show.rows[-1]
