"""The log: followed, bounded, searched, filtered, and painted only so often."""

from __future__ import annotations

from time import localtime, strftime

import pytest

from sandbox_tui.model.outputs import Text
from sandbox_tui.tui.widgets.log import LogView
from tests.support import retry_until_async, stays
from tests.tui.widgets.stage import NASTY, Show, every_size, recording, staged


def out(text: str, stream: str = "stdout", at: float | None = None) -> Text:
    return Text(stream, text, at=at)


def steps(first: int, end: int) -> Text:
    return out("".join(f"step {n}\n" for n in range(first, end)))


def content(show: Show[LogView]) -> list[str]:
    """The rows without the scroll bar."""
    return [line.rstrip("┃ ") for line in show.rows]


async def last_is(show: Show[LogView], text: str) -> None:
    await retry_until_async(lambda: content(show)[-1] == text)


@every_size
async def test_it_follows_the_end(size: tuple[int, int]) -> None:
    view = LogView()
    async with staged(view, size) as show:
        view.append(steps(0, 3))
        await retry_until_async(lambda: content(show)[:4] == ["step 0", "step 1", "step 2", ""])
        view.append(steps(3, 500))
        await last_is(show, "step 499")
        assert content(show)[0] == f"step {500 - size[1]}"


async def test_scrolling_up_stops_following_and_the_end_resumes() -> None:
    view = LogView()
    async with staged(view) as show:
        view.append(steps(0, 100))
        view.scroll_rows(-1)
        assert not view.following
        view.append(steps(100, 200))
        assert await stays(lambda: content(show)[-1] == "step 98")
        view.last()
        assert view.following
        await last_is(show, "step 199")
        view.first()
        await show.settle()
        assert content(show)[0] == "step 0"
        view.page(1)
        await show.settle()
        assert content(show)[0] == "step 23"
        view.follow()
        view.append(steps(200, 201))
        await last_is(show, "step 200")
        view.scroll_rows(-2)
        view.scroll_rows(1)
        assert not view.following
        view.scroll_rows(1)
        assert view.following


async def test_a_log_that_fits_goes_on_following() -> None:
    view = LogView()
    async with staged(view) as show:
        view.append(steps(0, 5))
        view.scroll_rows(-1)
        view.first()
        assert view.following
        view.append(steps(5, 100))
        await last_is(show, "step 99")


async def test_a_match_beyond_wrapped_lines_comes_into_view() -> None:
    view = LogView()
    async with staged(view) as show:
        view.wrap = True
        view.append(out("".join(f"{n} {'x' * 300}\n" for n in range(50)) + "needle\n"))
        view.first()
        view.search("needle")
        await show.settle()
        assert "needle" in show.text


async def test_the_unfinished_line_is_shown_as_it_grows() -> None:
    view = LogView()
    async with staged(view) as show:
        for piece in ("one\n10%", "\r20%", "\r30%"):
            view.append(out(piece))
        await retry_until_async(lambda: content(show)[:3] == ["one", "30%", ""])
        view.append(out("\r100%\ntwo\n"))
        await retry_until_async(lambda: content(show)[:4] == ["one", "100%", "two", ""])


async def test_streams_do_not_break_each_others_lines() -> None:
    view = LogView()
    async with staged(view) as show:
        view.append(out("ab"), out("oh\n", "stderr"), out("c\n"))
        await retry_until_async(lambda: content(show)[:3] == ["oh", "abc", ""])
        assert show.inked("oh") == show.ink("log--stderr")
        assert show.inked("abc") != show.ink("log--stderr")


async def test_it_is_bounded_and_says_what_it_dropped() -> None:
    view = LogView(capacity=20_000)
    async with staged(view) as show:
        view.append(steps(0, 1000))
        kept = view.line_count[0]
        assert 100 < kept < 160
        assert view.dropped == 1000 - kept
        view.first()
        await show.settle()
        assert content(show)[0] == f"… {1000 - kept} lines dropped"
        assert content(show)[1] == f"step {1000 - kept}"
        view.append(steps(1000, 3000))
        await retry_until_async(lambda: content(show)[0] == f"… {view.dropped} lines dropped")
        assert view.dropped > 2800


async def test_a_flood_is_painted_only_so_often() -> None:
    kind, painted = recording(LogView)
    view = kind()
    async with staged(view) as show:
        painted.clear()
        for n in range(300):
            view.append(steps(n * 100, n * 100 + 100))
        assert len(painted) <= 24 * 40
        await last_is(show, "step 29999")


async def test_wrapping_and_panning() -> None:
    view = LogView()
    async with staged(view) as show:
        view.append(out("a" * 100 + "日本\n" + "short\n"))
        await retry_until_async(lambda: content(show)[:2] == ["a" * 79, "short"])
        view.pan(90)
        await show.settle()
        assert content(show)[:2] == ["a" * 10 + "日本", ""]
        view.pan(1000)
        view.pan(-3)
        await show.settle()
        assert content(show)[0] == "日本"
        view.wrap = True
        await show.settle()
        assert content(show)[:4] == ["a" * 79, "a" * 21 + "日本", "short", ""]
        view.append(steps(0, 100), out("b" * 200))
        await last_is(show, "b" * 42)
        view.scroll_rows(-1)
        await show.settle()
        assert content(show)[-1] == "b" * 79
        view.wrap = False
        await show.settle()
        assert content(show)[0].startswith("step")


async def test_timestamps_are_local_and_of_the_beginning_of_the_line() -> None:
    view = LogView()
    at = 1_700_000_000.0
    async with staged(view) as show:
        view.append(out("one\ntw", at=at), out("o\n", at=at + 60), out("none\n"))
        view.timestamps = True
        clock = strftime("%H:%M:%S", localtime(at))
        await retry_until_async(lambda: content(show)[1] == f"{clock} two")
        assert content(show)[:3] == [f"{clock} one", f"{clock} two", "         none"]
        view.timestamps = False
        await show.settle()
        assert content(show)[0] == "one"


async def test_levels_stand_out_unless_the_line_has_colours() -> None:
    view = LogView()
    async with staged(view) as show:
        view.append(out("14:05 ERROR no\n14:06 WARN hm\n\x1b[35mmagenta\x1b[0m ERROR x\n"))
        await retry_until_async(lambda: "magenta" in show.text)
        assert show.inked("ERROR no") == show.ink("log--error")
        assert show.inked("WARN") == show.ink("log--warning")
        assert show.inked("ERROR x") != show.ink("log--error")


async def test_json_lines_are_readable_or_as_they_came() -> None:
    view = LogView()
    async with staged(view) as show:
        view.append(out('{"level":"info","msg":"hi","n":1}\n'))
        await retry_until_async(lambda: content(show)[0] == "INFO hi n=1")
        view.append(out('{"level":"info",\n'))
        await retry_until_async(lambda: content(show)[1] == '{"level":"info",')


async def test_searching_highlights_counts_and_jumps() -> None:
    view = LogView()
    async with staged(view) as show:
        view.append(out("\x1b[32mNEEDLE\x1b[0m one\n"), steps(0, 200), out("a needle two\n"))
        assert view.search("needle") == 2
        assert view.match_count == (2, 2)
        assert not view.following
        await show.settle()
        match = show.style_of("needle")
        assert match.bgcolor == view.ink("text--match").bgcolor
        assert show.style_of("two").bgcolor == view.ink("text--current").bgcolor
        view.next_match()
        await show.settle()
        assert view.match_count == (1, 2)
        assert "NEEDLE one" in show.text
        view.next_match(-1)
        await show.settle()
        assert view.match_count == (2, 2)
        view.append(out("third needle\n"))
        assert view.match_count == (2, 3)
        view.search("")
        await show.settle()
        assert view.match_count == (0, 0)
        assert show.style_of("needle").bgcolor == view.rich_style.bgcolor
        assert view.search("no such thing") == 0
        view.next_match()


async def test_filtering_old_and_new_lines() -> None:
    view = LogView()
    async with staged(view) as show:
        view.append(out("ERROR a\nINFO b\nERROR c\n"))
        view.filter("error")
        await show.settle()
        assert content(show)[:3] == ["ERROR a", "ERROR c", ""]
        assert view.line_count == (2, 3)
        view.append(out("INFO d\nERROR e\n"))
        await retry_until_async(lambda: content(show)[:4] == ["ERROR a", "ERROR c", "ERROR e", ""])
        view.filter("-error")
        await show.settle()
        assert content(show)[:3] == ["INFO b", "INFO d", ""]
        view.filter("level:err")
        await show.settle()
        assert content(show)[:4] == ["ERROR a", "ERROR c", "ERROR e", ""]
        view.filter()
        await show.settle()
        assert view.line_count == (5, 5)
        assert content(show)[4] == "ERROR e"


async def test_the_unfinished_line_is_filtered_too() -> None:
    view = LogView()
    async with staged(view) as show:
        view.filter("wanted")
        view.append(out("wanted 1\nelse\nhalf"))
        await retry_until_async(lambda: content(show)[0] == "wanted 1")
        assert content(show)[1] == ""
        view.append(out(" wanted"))
        await retry_until_async(lambda: content(show)[1] == "half wanted")
        assert view.text() == "wanted 1\nhalf wanted"


async def test_nothing_old_is_seen_when_it_is_shown_again() -> None:
    view = LogView()
    async with staged(view) as show:
        view.append(out("old\n"))
        await retry_until_async(lambda: content(show)[0] == "old")
        view.display = False
        await show.settle()
        view.clear()
        view.append(out("new\n"))
        await show.settle()
        view.display = True
        await show.settle()
        assert content(show)[:2] == ["new", ""]


async def test_searching_in_what_is_filtered() -> None:
    view = LogView()
    async with staged(view):
        view.append(out("keep x\ndrop x\nkeep y\n"))
        view.filter("keep")
        assert view.search("x") == 1
        view.filter()
        assert view.match_count[1] == 2


async def test_several_sources_have_gutters_of_their_own() -> None:
    view = LogView()
    async with staged(view) as show:
        view.append(out("hello\n"), source="web")
        view.append(out("hel"), source="日本語のとても長い名前[/red]")
        view.append(out("world\n"), source="web")
        view.append(out("lo\n"), source="日本語のとても長い名前[/red]")
        await retry_until_async(lambda: show.rows[2].endswith("│hello"))
        assert content(show)[:3] == [
            "web         │hello",
            "web         │world",
            "日本語のと… │hello",
        ]
        assert show.inked("web") == show.ink("log--source-0")
        assert show.inked("日本") == show.ink("log--source-1")


async def test_it_says_what_a_person_should_know() -> None:
    view = LogView()
    async with staged(view) as show:
        view.append(steps(0, 100))
        await show.settle()
        show.heard.clear()
        view.scroll_rows(-1)
        await show.settle()
        assert [message.view for message in show.said(LogView.Changed)] == [view]
        view.scroll_rows(-1)
        await show.settle()
        assert len(show.said(LogView.Changed)) == 1


async def test_clearing_begins_anew_and_keeps_the_filter() -> None:
    view = LogView()
    async with staged(view) as show:
        view.append(out("a\nb\nunfinished"))
        view.filter("a")
        view.clear()
        await show.settle()
        assert content(show)[0] == ""
        assert view.following
        view.append(out("xa\nxb\n"))
        await retry_until_async(lambda: content(show)[:2] == ["xa", ""])


async def test_its_text_can_be_saved() -> None:
    view = LogView()
    view.append(out("\x1b[31mred\x1b[0m\nhalf"))
    assert view.text() == "red\nhalf"


async def test_what_came_before_the_screen_is_there() -> None:
    view = LogView()
    view.append(steps(0, 100))
    async with staged(view) as show:
        assert content(show)[-1] == "step 99"


@pytest.mark.parametrize("wrap", [False, True])
@every_size
async def test_any_line(size: tuple[int, int], wrap: bool) -> None:
    view = LogView()
    async with staged(view, size) as show:
        view.wrap = wrap
        view.timestamps = True
        for name in NASTY:
            view.append(out(name + "\n", "stderr", 1.0), source=name)
        view.append(out("the end\n"))
        await retry_until_async(lambda: "the end" in show.text)
        assert "[/red]x" in show.text
        assert not set(show.text) & set("\x00\x1b\x07\u202e\ud800")
        view.search(".")
        view.first()
        view.pan(5)
        await show.settle()


async def test_the_theme_and_the_size_may_change() -> None:
    view = LogView()
    view.append(out("ERROR x\n" + "y" * 100 + "\n"))
    async with staged(view) as show:
        view.wrap = True
        before = show.inked("yyy")
        show.app.theme = "textual-light"
        await show.settle()
        assert show.inked("yyy") != before
        await show.pilot.resize_terminal(40, 10)
        await show.settle()
        assert content(show)[1:5] == ["y" * 39, "y" * 39, "y" * 22, ""]
