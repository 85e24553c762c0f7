"""Output in answers: bounded, and nothing lost without a word."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from hypothesis import given
from hypothesis import strategies as st

from sandbox_tui.model.outputs import Display, Failure, Outcome, Output, Result, Text
from sandbox_tui.server.http.outputs import bounded, contents, newest, weight

texts = st.builds(Text, st.sampled_from(["stdout", "stderr"]), st.text(max_size=50))
outputs = texts | st.builds(Failure, st.text(max_size=9), st.text(max_size=50))


@given(st.lists(outputs, max_size=20), st.integers(1, 300))
def test_what_is_kept_is_the_end_and_what_is_lost_is_marked(said: list[Output], most: int) -> None:
    kept = bounded(said, most)
    total = sum(map(weight, said))

    if total <= most:
        assert sum(map(weight, kept)) == total
        assert "cut" not in str(kept[:1]) or "cut" in str(said)
    else:
        assert isinstance(kept[0], Text)
        assert str(most) in kept[0].text
        mark = len(f"… the output was cut: only its last {most} characters are here …\n")
        assert sum(map(weight, kept)) <= most + mark


def test_a_large_picture_is_left_out_and_marked() -> None:
    [mark] = bounded([Display({"image/png": "x" * 5000})], 1000)
    assert isinstance(mark, Text)


def test_an_end_from_outside_is_told_last() -> None:
    result = Result(outcome=Outcome.DIED, outputs=(Text("stdout", "a"),), detail="kernel died: 3")

    assert contents(result, 1000) == [
        {"name": "stdout", "text": "a"},
        {"ename": "DeadKernelError", "evalue": "kernel died: 3", "traceback": []},
    ]


@given(st.lists(outputs, max_size=20), st.integers(1, 300))
def test_read_one_by_one_the_same_is_kept(said: list[Output], most: int) -> None:
    async def one_by_one() -> AsyncIterator[Output]:
        for output in said:
            yield output

    assert asyncio.run(newest(one_by_one(), most)) == bounded(said, most)
