"""The output that is kept: exactly its head or its tail."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox_tui.model.outputs import Display, Text
from sandbox_tui.runtime.kept import SLACK, Kept

Keep = Literal["tail", "head"]
pieces = st.lists(st.text(min_size=1, max_size=50), max_size=40)


def kept(texts: list[str], cap: int, keep: Keep) -> Kept:
    held = Kept(cap, keep)
    for text in texts:
        held.add(Text("stdout", text))
    return held


def text_of(held: Kept) -> str:
    return "".join(each.text for each in held.whole() if isinstance(each, Text))


@given(texts=pieces, cap=st.integers(1, 300))
def test_it_is_exactly_the_tail_or_the_head(texts: list[str], cap: int) -> None:
    whole = "".join(texts)
    tail, head = kept(texts, cap, "tail"), kept(texts, cap, "head")

    assert text_of(tail) == whole[-cap:]
    assert text_of(head) == whole[:cap]
    assert tail.truncated == head.truncated == (len(whole) > cap)


@pytest.mark.parametrize("keep", ["tail", "head"])
def test_a_flood_stays_within_the_cap(keep: Keep) -> None:
    held = Kept(1000, keep)
    for _ in range(100):
        held.add(Text("stdout", "x" * 10_000))

    assert text_of(held) == "x" * 1000
    assert held.truncated
    assert sum(len(each.text) for each in held.since(0) if isinstance(each, Text)) <= 1000 + SLACK


def test_a_little_after_a_lot_leaves_all_that_is_kept() -> None:
    held = kept(["x" * 4 * SLACK, "\n", "end\n"], 100, "tail")

    assert text_of(held) == "x" * 95 + "\nend\n"
    assert sum(len(each.text) for each in held.since(0) if isinstance(each, Text)) <= 100 + SLACK


def test_single_letters_do_not_add_up() -> None:
    held = Kept(10_000, "tail")
    for _ in range(100_000):
        held.add(Text("stdout", "x"))

    assert len(held.since(0)) < 3000


def test_bytes_are_cut_as_bytes() -> None:
    held = Kept(3, "tail")
    held.add(Text("stdout", "a\ufffd\ufffd\ufffd", raw=b"a\xff\xfe\xfd"))

    assert [each.data for each in held.whole() if isinstance(each, Text)] == [b"\xff\xfe\xfd"]


def test_what_is_no_text_is_there_or_not() -> None:
    held = Kept(10, "tail")
    held.add(Display({"text/plain": "x" * 100}))
    held.add(Text("stdout", "abc"))

    assert held.whole() == (Text("stdout", "abc"),)
    assert held.truncated


def test_a_value_of_json_weighs_what_it_is_long() -> None:
    held = Kept(1000, "tail")
    for _ in range(100):
        held.add(Display({"application/json": {"rows": ["x" * 10_000]}}))

    assert len(held.since(0)) <= 1 + SLACK // 10_000
    assert held.truncated


def test_empty_texts_do_not_make_it_more() -> None:
    held = Kept(3, "tail")
    for text in ("ab", "", "cde"):
        held.add(Text("stdout", text))

    assert text_of(held) == "cde"
