"""What a cell shows of its run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox_tui.backends.kernels.messages import Began, Cleared, Event, Updated
from sandbox_tui.hub.transcript import Transcript
from sandbox_tui.model.outputs import Display, Failure, Output, Text


def shown(*events: Event, cap: int = 1000) -> tuple[Output, ...]:
    transcript = Transcript(cap=cap)
    for event in events:
        transcript.hear(event)
    return transcript.outputs


def value(text: str, display_id: str | None = None) -> Display:
    return Display({"text/plain": text}, display_id=display_id)


def test_neighbouring_text_runs_together() -> None:
    said = [Text("stdout", "a"), Text("stdout", "b"), Text("stderr", "c"), value("1")]
    assert shown(Began("1", 1), *said) == (Text("stdout", "ab"), Text("stderr", "c"), value("1"))


@pytest.mark.parametrize(
    ("events", "wanted"),
    [
        ([Cleared(False)], ()),
        ([Cleared(True)], (Text("stdout", "a"),)),
        ([Cleared(True), Text("stdout", "b")], (Text("stdout", "b"),)),
        ([Cleared(False), Text("stdout", "b")], (Text("stdout", "b"),)),
    ],
)
def test_clearing(events: list[Event], wanted: tuple[Output, ...]) -> None:
    assert shown(Text("stdout", "a"), *events) == wanted


def test_an_update_stands_where_its_value_stood() -> None:
    update = Updated(value("2", "x"))
    before = [value("1", "x"), Text("stdout", "t"), value("1", "y"), value("1", "x")]
    wanted = (value("2", "x"), Text("stdout", "t"), value("1", "y"), value("2", "x"))
    assert shown(*before, update) == wanted


def test_the_newest_is_kept_and_the_cut_is_marked() -> None:
    transcript = Transcript(cap=10)
    for letter in "abc":
        transcript.hear(Text("stdout", letter * 4))
    assert transcript.outputs == (Text("stdout", "bbbbcccc"),)
    assert transcript.truncated


@pytest.mark.parametrize(
    ("huge", "kept"),
    [
        (Text("stdout", "x" * 99 + "end"), Text("stdout", "x" * 7 + "end")),
        (
            Display({"image/png": "x" * 99, "text/plain": "1"}, {}, 3, "i"),
            Display({"text/plain": "1"}, {}, 3, "i"),
        ),
        (Failure("E", "y" * 99, ("z" * 99,)), Failure("E", "yy")),
    ],
)
def test_one_output_that_is_too_large(huge: Output, kept: Output) -> None:
    transcript = Transcript(cap=10)
    transcript.hear(huge)
    assert transcript.outputs == (kept,)
    assert transcript.truncated


def test_the_same_object_while_nothing_changed() -> None:
    transcript = Transcript([Text("stdout", "a")])
    assert transcript.outputs is transcript.outputs
    before = transcript.version
    transcript.hear(Text("stdout", "b"))
    assert transcript.version > before


texts = st.builds(Text, st.sampled_from(["stdout", "stderr"]), st.text(max_size=30))


@given(st.lists(texts), st.integers(1, 100))
def test_it_is_bounded_and_holds_the_end(said: list[Text], cap: int) -> None:
    transcript = Transcript(said, cap=cap)
    whole = "".join(text.text for text in said)
    kept = "".join(text.text for text in transcript.outputs if isinstance(text, Text))
    assert len(kept) <= cap
    assert whole.endswith(kept)
    assert transcript.truncated == (kept != whole)


def test_updates_that_grow_stay_within_the_cap() -> None:
    transcript = Transcript([value("1", name) for name in "abc"], cap=100)
    for name in "abc":
        transcript.hear(Updated(value("x" * 60, name)))

    assert len(transcript.outputs) == 1
    assert transcript.truncated
