"""Texts of any kind take exactly the cells they are given."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from sandbox_tui.tui.widgets.fit import breaks, clip, clip_start, fit, harmless, pad
from sandbox_tui.tui.widgets.prose import wrap_words

NAMES = st.one_of(st.text(max_size=40), st.text("ab日本👨‍👩‍👧e\u0301שלום[/]", max_size=40))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x00b", "a␀b"),
        ("\x1b[31mred", "␛[31mred"),
        ("two\nlines", "two␊lines"),
        ("a\u202eb", "a\ufffdb"),
        ("\ud800", "\ufffd"),
        ("\x7f\x9b", "␡\ufffd"),
        ("👨‍👩‍👧 日本 שלום", "👨‍👩‍👧 日本 שלום"),
        ("\ue0b0", "\ue0b0"),
        ("[/red]x", "[/red]x"),
    ],
)
def test_harmless(text: str, shown: str) -> None:
    assert harmless(text) == shown


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("abc", 5, "abc  "),
        ("abcdef", 4, "abc…"),
        ("日本語", 5, "日本…"),
        ("日本語", 4, "日… "),
        ("abc", 0, ""),
        ("abc", 1, "…"),
    ],
)
def test_the_end_gives_way_to_an_ellipsis(text: str, width: int, shown: str) -> None:
    assert fit(text, width) == shown


def test_the_middle_gives_way_so_that_both_ends_are_seen() -> None:
    assert fit("agent-api-production-17", 11, middle=True) == "agent…on-17"
    assert fit("一二三四五六", 7, middle=True) == "一二…六"


@given(NAMES, st.integers(0, 50), st.booleans())
def test_fit_is_exact(text: str, width: int, middle: bool) -> None:
    assert cell_len(fit(harmless(text), width, middle=middle)) == width


@given(NAMES, st.integers(0, 50), st.booleans())
def test_pad_is_exact(text: str, width: int, right: bool) -> None:
    assert cell_len(pad(harmless(text), width, right=right)) == width


@given(NAMES, st.integers(0, 50))
def test_clips_are_the_beginning_and_the_end(text: str, width: int) -> None:
    text = harmless(text)
    assert text.startswith(clip(text, width))
    assert text.endswith(clip_start(text, width))
    assert cell_len(clip(text, width)) <= width
    assert cell_len(clip_start(text, width)) <= width


@given(NAMES, st.integers(2, 50))
def test_breaks_lose_nothing_and_fit(text: str, width: int) -> None:
    text = harmless(text)
    ends = breaks(text, width)
    assert ends[-1] == cell_len(text)
    widths = [b - a for a, b in zip([0, *ends], ends, strict=False)]
    assert all(0 < part <= width for part in widths) or ends == [0]


def test_a_wide_character_is_never_broken() -> None:
    assert breaks("a日日", 2) == [1, 3, 5]


def test_words_stay_whole() -> None:
    assert wrap_words("no rooms yet: sandbox-tui room new", 14) == [
        "no rooms yet:",
        "sandbox-tui",
        "room new",
    ]
    assert wrap_words("", 20) == []
