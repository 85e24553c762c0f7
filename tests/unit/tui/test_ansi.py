"""Terminal text becomes styled segments; nothing in it can do harm."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.color import Color
from rich.segment import Segment
from rich.style import Style

from sandbox_tui.tui.widgets import ansi, sgr

BASE = Style(color="#cccccc", bgcolor="#101010")
FRAGMENTS = st.sampled_from(
    ["\x1b[", "\x1b]", "\x1b", "m", "31", ";", ":", "0", "38;5;", "48;2;1;2;3m", "\x1b[K", "\r",
     "\b", "\t", "\x1b]8;;http://x\x1b\\", "\x07", "\x9b", "\x00", "a", "日", "e\u0301", "👨‍👩‍👧",
     "\u202e", "\ud800", "[/red]", "\x1bP", "\n", "\u2028", "שלום", "❤️", "\x1b[?25l", "4:3", "²"]
)  # fmt: skip
NOISE = st.one_of(st.text(), st.lists(FRAGMENTS, max_size=30).map("".join))


def styles(text: str, pen: str = "") -> list[tuple[str, str]]:
    """Every run with what was added to the base style."""
    return [(run, str(style)) for run, style, _ in ansi.parse(text, Style(), pen).segments]


@pytest.mark.parametrize(
    ("codes", "style"),
    [
        ("31", "color(1)"),
        ("01;31", "bold color(1)"),
        ("95", "color(13)"),
        ("43", "on color(3)"),
        ("104", "on color(12)"),
        ("38;5;200", "color(200)"),
        ("38;2;10;200;30", "#0ac81e"),
        ("38:2::10:200:30", "#0ac81e"),
        ("38:2:10:200:30", "#0ac81e"),
        ("38:5:9", "color(9)"),
        ("48;2;1;2;3", "on #010203"),
        ("1;2;3;4;7;9", "bold dim italic underline reverse strike"),
        ("4:3", "underline"),
        ("4:2", "underline2"),
        ("58;5;1;31", "color(1)"),
        ("38;5;200;1", "bold color(200)"),
    ],
)
def test_colours_and_attributes(codes: str, style: str) -> None:
    assert styles(f"\x1b[{codes}mx") == [("x", style)]


@pytest.mark.parametrize("end", ["", "0", "00", ";"])
def test_reset_ends_everything(end: str) -> None:
    assert styles(f"\x1b[1;31;44mx\x1b[{end}my")[1] == ("y", "none")


@pytest.mark.parametrize(
    ("start", "end"),
    [("31", "39"), ("44", "49"), ("1;2", "22"), ("4", "24"), ("4", "4:0"), ("7", "27")],
)
def test_each_attribute_has_its_end(start: str, end: str) -> None:
    assert styles(f"\x1b[{start}mx\x1b[{end}my")[1] == ("y", "none")


@pytest.mark.parametrize(
    "codes", ["38;5", "38;5;300", "38;2;1", "38;9;1", "999", "²", "38;5;x", ":", "1;38"]
)
def test_broken_codes_are_passed_over(codes: str) -> None:
    assert "".join(text for text, _ in styles(f"a\x1b[{codes}mb")).startswith("a")


def test_huge_numbers_are_no_colours() -> None:
    assert styles(f"\x1b[38;5;{'9' * 5000}mx") == [("x", "none")]


def test_the_pen_goes_on_to_the_next_line() -> None:
    pen = ansi.parse("\x1b[1;32mgreen", BASE).pen
    assert styles("still", pen) == [("still", "bold color(2)")]
    assert ansi.pen_after("\x1b[1;32mgreen") == pen
    assert ansi.pen_after("a\x1b[0mb\x1b[4mc", pen) == "4"


def test_the_base_shows_through() -> None:
    (segment,) = ansi.parse("\x1b[31mx", BASE).segments
    assert segment.style is not None
    assert segment.style.bgcolor == Color.parse("#101010")
    assert segment.style.color == Color.from_ansi(1)


def test_a_style_is_combined_once() -> None:
    first, second = (ansi.parse("\x1b[1;38;5;77mx", BASE).segments[0].style for _ in range(2))
    assert first is second


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://a\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bPdevice\x1b\\text", "text"),
        ("\x1b[2J\x1b[1;1H\x1b[?1049htext", "text"),
        ("\x1b(Btext\x1b=", "text"),
        ("a\x00\x07\x0e\x7f\x85b", "ab"),
        ("a\u202eb\u2066c", "abc"),
        ("a\ud800b", "a\ufffdb"),
        ("a\u2028b\x0bc", "abc"),
        ("text\x1b[3", "text"),
        ("text\x1b", "text"),
        ("text\x1b]0;never ends", "text"),
        ("[/red] [bold]", "[/red] [bold]"),
        ("\ue0b0 \U000f0000", "\ue0b0 \U000f0000"),
    ],
)
def test_only_text_is_left(text: str, shown: str) -> None:
    assert ansi.plain(text) == shown
    assert "".join(run for run, _ in styles(text)) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("10%\r20%", "20%"),
        ("downloading\rdone", "doneloading"),
        ("downloading\r\x1b[Kdone", "done"),
        ("downloading\x1b[2K\rdone", "done       "),
        ("abc\x1b[1K", "   "),
        ("abc\x1b[2Kd", "   d"),
        ("abc\x1b[K", "abc"),
        ("a\tb", "a       b"),
        ("1234567\t8\t9", "1234567 8       9"),
        ("ab\b\bX", "Xb"),
        ("\b\bX", "X"),
        ("line\r", "line"),
        ("日本\rx", "x 本"),
        ("日本\r x", " x本"),
        ("ab\r日", "日"),
        ("e\u0301\rX", "X"),
        ("a\r\u0301", "a"),
        ("\t\u0301", "        \u0301"),
    ],
)
def test_a_line_that_goes_back_shows_what_stands_there_in_the_end(text: str, shown: str) -> None:
    assert ansi.plain(text) == shown


def test_overwriting_takes_the_new_colours() -> None:
    assert styles("\x1b[31mred\r\x1b[32mg") == [("g", "color(2)"), ("ed", "color(1)")]


def test_wide_and_combining_characters_count_in_cells() -> None:
    assert ansi.parse("日本e\u0301", BASE).width == 5
    assert ansi.parse("\x1b[1m日本\x1b[0m!", BASE).width == 5


@given(NOISE)
def test_anything_is_harmless(text: str) -> None:
    segments, width, pen = ansi.parse(text, BASE)
    shown = "".join(segment.text for segment in segments)
    assert width == cell_len(shown)
    assert all(segment.text for segment in segments)
    assert not any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in shown)
    assert "\u202e" not in shown
    shown.encode()
    assert ansi.plain(text) == shown
    assert sgr.turn(pen, "0") == ""


@given(NOISE)
def test_the_pen_is_the_same_however_it_is_found(text: str) -> None:
    assert ansi.pen_after(text) == ansi.parse(text, BASE).pen


@given(st.text(st.characters(codec="utf-8"), max_size=20), st.text(max_size=20))
def test_a_pen_says_all_that_went_before(codes: str, text: str) -> None:
    pen = ansi.pen_after(f"\x1b[1m\x1b[{codes}m\x1b[38;5;7;4m")
    assert sgr.turn("", pen or "0") == pen


@given(
    st.lists(st.text("abc日", min_size=1), min_size=1),
    st.lists(st.integers(0, 30), max_size=6).map(sorted),
)
def test_emphasis_changes_styles_only_and_only_inside(texts: list[str], cuts: list[int]) -> None:
    spans = list(zip(cuts[::2], cuts[1::2], strict=False))
    segments = [Segment(text, BASE) for text in texts]
    result = ansi.emphasise(segments, spans, Style(bold=True))
    assert "".join(segment.text for segment in result) == "".join(texts)
    lit = [bool(style and style.bold) for text, style, _ in result for _ in text]
    assert lit == [any(a <= at < b for a, b in spans) for at in range(len("".join(texts)))]
