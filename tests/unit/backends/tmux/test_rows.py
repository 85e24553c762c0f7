"""Captured rows, each complete in itself."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox_tui.backends.tmux.rows import RESET, plain, rows_of

RED, BOLD_RED, GREEN = "\x1b[31m", "\x1b[1;31m", "\x1b[42m"


def test_a_colour_goes_on_and_ends_in_every_row() -> None:
    rows = rows_of(b"\x1b[31mone\ntwo\n\x1b[1mthree\n\x1b[0m\x1b[39m\x1b[49mfour")

    assert rows == [f"{RED}one{RESET}", f"{RED}two{RESET}", f"{BOLD_RED}three{RESET}", "four"]


def test_equal_looks_are_equal_rows() -> None:
    after_red, after_nothing = rows_of(b"\x1b[31mx\n\x1b[39mplain"), rows_of(b"x\nplain")
    turned = rows_of(b"\x1b[42m\x1b[1m\x1b[31mx"), rows_of(b"\x1b[31m\x1b[1m\x1b[42mx")

    assert after_red[1] == after_nothing[1]
    assert turned[0] == turned[1] == [f"\x1b[1;31;42mx{RESET}"]


def test_colours_inside_a_row_are_kept_as_they_are() -> None:
    row = "\x1b[38;2;1;2;3mtrue\x1b[48;5;200mX\x1b[4:3mcurl"

    assert rows_of(row.encode())[0] == row + RESET
    assert rows_of(f"{row}\nnext".encode())[1] == (f"\x1b[4:3;38;2;1;2;3;48;5;200mnext{RESET}")


def test_a_coloured_ground_at_the_end_of_a_row_is_kept() -> None:
    assert rows_of(b"bar:\x1b[42m    \n\x1b[49m") == [f"bar:{GREEN}    {RESET}", ""]


def test_line_drawing_becomes_lines() -> None:
    assert rows_of(b"\x0elqqk\x0f end\n\x0ex\x1b[31mx\nm\x0f m") == [
        "┌──┐ end",
        f"│{RED}│{RESET}",
        f"{RED}└ m{RESET}",
    ]


def test_links_are_dropped_and_their_text_is_kept() -> None:
    assert rows_of(b"\x1b]8;;https://x.org\x1b\\text\x1b]8;;\x1b\\ more") == ["text more"]


def test_what_is_no_utf_8_is_shown_as_such() -> None:
    assert rows_of(b"a\xffb") == ["a�b"]


@pytest.mark.parametrize("text", ["", "plain", f"{RED}red{RESET} and not", "[/red] [1m"])
def test_plain(text: str) -> None:
    assert plain(text) == text.replace(RED, "").replace(RESET, "")


STYLES = st.sampled_from(["0", "1", "4", "7", "31", "39", "42", "49", "38;5;9", "48;2;1;2;3"])
PIECES = st.lists(st.one_of(STYLES.map(lambda c: f"\x1b[{c}m"), st.text("ab \n", max_size=4)))


@given(PIECES)
def test_no_text_is_lost_and_no_row_leaks(pieces: list[str]) -> None:
    stream = "".join(pieces)
    rows = rows_of(stream.encode())

    assert [plain(row) for row in rows] == re.sub(r"\x1b\[[\d;]*m", "", stream).split("\n")
    for row in rows:
        styles = re.findall(r"\x1b\[([\d;]*)m", row)
        assert not styles or styles[-1] in ("", "0", "39", "49")


@given(PIECES)
def test_a_row_looks_the_same_alone(pieces: list[str]) -> None:
    rows = rows_of("".join(pieces).encode())

    for row in rows:
        assert [plain(row)] == [plain(one) for one in rows_of(row.encode())]
        again = rows_of(row.encode())[0]
        assert rows_of(again.encode())[0] == again
