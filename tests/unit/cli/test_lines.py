"""Pieces become whole lines, whatever the cuts and however streams are mixed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sandbox_tui.cli.lines import Lines
from sandbox_tui.model.outputs import Display, Failure, Output, Text


def lines_of(*outputs: Output) -> list[tuple[str, str, float | None]]:
    lines = Lines()
    whole = [line for output in outputs for line in lines.feed(output)]
    return [(line.stream, line.text, line.at) for line in (*whole, *lines.rest())]


def test_a_line_has_the_time_of_its_first_piece() -> None:
    said = (Text("pty", "a", 1.0), Text("pty", "b\r\nc", 2.0), Text("pty", "d\n", 3.0))
    assert lines_of(*said) == [("pty", "ab", 1.0), ("pty", "cd", 2.0)]


def test_streams_do_not_mix_inside_a_line() -> None:
    said = (Text("stdout", "o"), Text("stderr", "e\n"), Text("stdout", "ut\n"))
    assert lines_of(*said) == [("stderr", "e", None), ("stdout", "out", None)]


def test_empty_lines_are_lines() -> None:
    assert [text for _, text, _ in lines_of(Text("pty", "\n\na\n\n"))] == ["", "", "a", ""]


def test_values_and_errors_are_lines_too() -> None:
    said = lines_of(
        Display({"text/plain": "42"}),
        Display({"image/png": ""}),
        Failure("ZeroDivisionError", "by zero"),
        Failure("E", "m", ("one", "two")),
    )
    assert [text for _, text, _ in said] == [
        "42",
        "<image/png>",
        "ZeroDivisionError: by zero",
        "one",
        "two",
    ]


@given(st.lists(st.text(alphabet="ab\n", max_size=5), max_size=12))
def test_cuts_do_not_matter(pieces: list[str]) -> None:
    whole = "".join(pieces)
    expected = whole.split("\n")
    if not expected[-1]:
        expected.pop()
    assert [text for _, text, _ in lines_of(*(Text("pty", p) for p in pieces))] == expected
