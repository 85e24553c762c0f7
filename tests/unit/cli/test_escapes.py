"""Nothing that came out of a sandbox acts on the user's terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox_tui.cli.escapes import clipped, columns, only_colours, visible, without_escapes

RED = "\x1b[31mred\x1b[0m"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[/red]x", "[/red]x"),
        ("a b é 日本", "a b é 日本"),
        ("a\nb\tc", "a\\nb\\tc"),
        ("\x1b[2J", "\\e[2J"),
        ("\x9b2J", "\\u009b2J"),
        ("user\u202etxt.exe", "user\\u202etxt.exe"),
    ],
)
def test_names_are_shown_as_they_are_written(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        (RED, RED),
        ("\x1b[38;2;1;2;3mx\x1b[m", "\x1b[38;2;1;2;3mx\x1b[m"),
        ("\x1b[2Ja\x1b[1;1Hb", "ab"),
        ("\x1b]0;title\x07a\x1b]8;;http://x\x1b\\b", "ab"),
        ("\x1b]52;c;c3RlYWw=", ""),
        ("\x1bcreset\x1b", "reset"),
        ("bell\x07 back\x08 \x9b31m", "bell back 31m"),
        ("tab\tstays", "tab\tstays"),
        ("\x1b(0x", "x"),
    ],
)
def test_a_log_line_keeps_its_colours_only(line: str, kept: str) -> None:
    assert only_colours(line) == kept
    assert "\x1b" not in without_escapes(line)


@given(st.text(alphabet=st.characters(), max_size=60), st.integers(0, 30))
def test_clipped_text_fits(text: str, width: int) -> None:
    assert columns(clipped(text, width)) <= width or columns(text) <= width


@pytest.mark.parametrize(
    ("text", "width", "short"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("日本語", 6, "日本語"),
        ("日本語", 5, "日本…"),
        ("日本語", 4, "日…"),
        ("x", 0, ""),
    ],
)
def test_wide_letters_take_two_columns(text: str, width: int, short: str) -> None:
    assert clipped(text, width) == short


@given(st.text(alphabet=st.sampled_from("a\x1b[]0;m\x07\x9b\\P31H\n"), max_size=40))
def test_no_sequence_survives_but_colours(text: str) -> None:
    kept = only_colours(text)
    assert not set(kept) & set("\x07\x08\x9b")
    assert "\x1b" not in without_escapes(text)
