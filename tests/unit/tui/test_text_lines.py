"""Streams are cut into lines, whatever the pieces; lines are found by what is readable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox_tui.tui.widgets.ansi import plain
from sandbox_tui.tui.widgets.places import Ground, Place
from sandbox_tui.tui.widgets.records import readable
from sandbox_tui.tui.widgets.search import Filter, Level, Search, compile_pattern, level_of
from sandbox_tui.tui.widgets.text_lines import LONGEST, LineSplitter


def cut(*pieces: str) -> tuple[list[str], str]:
    splitter = LineSplitter()
    lines = [line for piece in pieces for line in splitter.feed(piece)]
    return lines, splitter.partial


def test_lines_end_where_they_end_not_where_pieces_do() -> None:
    assert cut("one\ntw", "o\n", "", "three") == (["one", "two"], "three")


def test_a_return_before_the_line_end_is_part_of_it() -> None:
    assert cut("one\r\ntwo\r", "\nthree\n")[0][0] == "one"
    assert [plain(line) for line in cut("one\r\ntwo\r", "\nthree\n")[0]] == ["one", "two", "three"]


def test_other_line_separators_do_not_cut() -> None:
    assert cut("a\u2028b\x0bc\x85d\n") == (["a\u2028b\x0bc\x85d"], "")


def test_a_progress_bar_is_one_short_line() -> None:
    _, partial = cut(*(f"\r{n}% of it all" for n in range(10_000)))
    assert plain(partial) == "9999% of it all"
    assert len(partial) < 4096


def test_a_progress_bar_that_returns_after_each_update() -> None:
    lines, _ = cut(*(f"{n}% of it all\r" for n in range(10_000)), "\n")
    assert [plain(line) for line in lines] == ["9999% of it all"]


def test_endless_lines_are_broken() -> None:
    lines, partial = cut("x" * (3 * LONGEST + 5))
    assert [len(line) for line in lines] == [LONGEST] * 3
    assert partial == "x" * 5
    assert cut(*("x" * 100 for _ in range(1000)))[0][0] == "x" * LONGEST
    assert [len(line) for line in cut("x" * (LONGEST + 1) + "\n")[0]] == [LONGEST, 1]


@given(st.lists(st.text("ab\n", max_size=10)))
def test_cutting_depends_on_no_piece(pieces: list[str]) -> None:
    lines, partial = cut(*pieces)
    assert "\n".join([*lines, partial]) == "".join(pieces)


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("14:05:02 INFO step", Level.INFO),
        ("2024-01-01 [WARNING] slow", Level.WARNING),
        ("E0101 not a word", Level.NONE),
        ("ERROR: no", Level.ERROR),
        ("time=1 level=warn msg=x", Level.WARNING),
        ('{"level":"error"}', Level.ERROR),
        ("information about errors", Level.NONE),
        ("FATAL", Level.ERROR),
        ("TRACE x", Level.DEBUG),
        ("level=weird", Level.WARNING),
        ("level=xyz", Level.NONE),
        ("x" * 300 + " ERROR", Level.NONE),
    ],
)
def test_levels(text: str, level: Level) -> None:
    assert level_of(text)[0] is level


def test_small_letters_match_both_cases_and_capitals_one() -> None:
    assert compile_pattern("warn").search("WARN")
    assert not compile_pattern("Warn").search("WARN")


@pytest.mark.parametrize("pattern", ["(", "[a", "*", "a{99999999999}"])
def test_what_is_no_regular_expression_is_text(pattern: str) -> None:
    assert compile_pattern(pattern).search(f"say {pattern}!")


def test_filters_look_at_what_is_readable() -> None:
    assert Filter("red text").accepts("\x1b[31mred\x1b[0m text")
    assert not Filter("31").accepts("\x1b[31mred")
    assert not Filter("red", inverse=True).accepts("red")
    assert Filter("red", inverse=True).accepts("blue")


def test_a_line_without_a_level_belongs_to_the_one_before() -> None:
    wanted = Filter(level=Level.WARNING)
    lines = ["start", "INFO a", "  more", "ERROR b", "  Traceback", "DEBUG c", "  d"]
    assert [line for line in lines if wanted.accepts(line)] == ["ERROR b", "  Traceback"]


def test_matches_are_stepped_through_around_the_ends() -> None:
    search = Search("x")
    search.feed(10, ["x", "a", "\x1b[1mx", "b", "x"])
    assert search.count() == (0, 3)
    assert [search.step(11, 1), search.step(12, 1), search.step(14, 1)] == [12, 14, 10]
    assert [search.step(10, -1), search.step(13, -1)] == [14, 12]
    assert search.count() == (2, 3)
    search.forget(12)
    assert search.count() == (1, 2)
    search.forget(13)
    assert search.count() == (0, 1)
    search.forget(99)
    assert search.step(99, 1) is None


def test_json_lines_become_sentences() -> None:
    line = '{"ts":"14:05","level":"warn","msg":"slow query","ms":812,"q":{"a":[1]},"why":"too big"}'
    sentence = readable(line)
    assert sentence is not None
    assert plain(sentence) == '14:05 WARN slow query ms=812 q={"a":[1]} why="too big"'


@pytest.mark.parametrize(
    "text", ["", "{", "{broken}", "[1]", "plain", '"x"', '{"a":\ud800}', "{" * 9000]
)
def test_other_lines_stay_as_they_are(text: str) -> None:
    assert readable(text) is None


def test_json_values_are_harmless() -> None:
    sentence = readable('{"msg":"a\\nb\\u001b[2Jc","n":null,"e":"","t":true}')
    assert sentence is not None
    assert plain(sentence) == 'a⏎bc n=null e="" t=true'


HEIGHTS = st.lists(st.integers(1, 5), min_size=1, max_size=20)


@given(HEIGHTS, st.data())
def test_walking_is_counting_rows(heights: list[int], data: st.DataObject) -> None:
    rows = [Place(7 + line, part) for line, rows in enumerate(heights) for part in range(rows)]
    ground = Ground(7, 7 + len(heights), lambda line: heights[line - 7])
    start = data.draw(st.integers(0, len(rows) - 1))
    count = data.draw(st.integers(-100, 100))
    assert ground.step(rows[start], count) == rows[max(0, min(start + count, len(rows) - 1))]


@given(HEIGHTS, st.integers(1, 40))
def test_the_bottom_is_a_window_from_the_end(heights: list[int], height: int) -> None:
    rows = [Place(line, part) for line, rows in enumerate(heights) for part in range(rows)]
    ground = Ground(0, len(heights), lambda line: heights[line])
    assert ground.bottom(height) == rows[max(0, len(rows) - height)]
    assert ground.clamp(Place(99), height) == ground.bottom(height)
    assert ground.clamp(Place(-5), height) == rows[0]


def test_no_lines_no_walk() -> None:
    ground = Ground(3, 3, lambda line: 1)
    assert ground.bottom(10) == Place(3)
    assert ground.step(Place(3), 5) == Place(3)
