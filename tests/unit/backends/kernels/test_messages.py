"""Jupyter messages become events without a kernel."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox_tui.backends.kernels.messages import (
    KINDS,
    PIECE,
    Began,
    Cleared,
    Event,
    Message,
    Updated,
    event,
    execution_state,
    failure,
    outcome,
    pieces,
    plain,
)
from sandbox_tui.backends.kernels.wire import unpack
from sandbox_tui.model.outputs import Display, Failure, Outcome, Text

VALUE = {"data": {"text/plain": "1"}, "metadata": {"x": 1}}

SAID: list[tuple[str, dict[str, object], Event]] = [
    ("stream", {"name": "stderr", "text": "oh\n"}, Text("stderr", "oh\n")),
    ("display_data", VALUE, Display({"text/plain": "1"}, {"x": 1})),
    (
        "display_data",
        {**VALUE, "transient": {"display_id": "a"}},
        Display({"text/plain": "1"}, {"x": 1}, display_id="a"),
    ),
    ("execute_result", {**VALUE, "execution_count": 7}, Display({"text/plain": "1"}, {"x": 1}, 7)),
    (
        "update_display_data",
        {**VALUE, "transient": {"display_id": "a"}},
        Updated(Display({"text/plain": "1"}, {"x": 1}, display_id="a")),
    ),
    (
        "error",
        {"ename": "ValueError", "evalue": "no", "traceback": ["a", "b"]},
        Failure("ValueError", "no", ("a", "b")),
    ),
    ("execute_input", {"code": "1", "execution_count": 7}, Began("1", 7)),
    ("clear_output", {"wait": True}, Cleared(True)),
    ("clear_output", {}, Cleared(False)),
]


@pytest.mark.parametrize(("kind", "body", "wanted"), SAID)
def test_each_message_has_its_event(kind: str, body: dict[str, object], wanted: Event) -> None:
    assert event(kind, body) == wanted


def test_every_kind_is_tried_here() -> None:
    assert {kind for kind, _, _ in SAID} == KINDS


@pytest.mark.parametrize("body", [{}, {"name": "stdout"}, {"name": "stdout", "text": 1}, []])
def test_what_is_not_the_protocol_is_refused(body: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        event("stream", body)


def test_a_private_syntax_error_has_its_public_name() -> None:
    assert failure({"ename": "_IncompleteInputError"}).name == "SyntaxError"


@pytest.mark.parametrize(
    ("status", "wanted"),
    [("ok", Outcome.OK), ("error", Outcome.ERROR), ("aborted", Outcome.CANCELLED)],
)
def test_a_reply_says_how_it_ended(status: str, wanted: Outcome) -> None:
    assert outcome({"status": status, "execution_count": 3}) == (wanted, 3)


def test_a_status_is_a_word() -> None:
    assert execution_state({"execution_state": "busy"}) == "busy"


@given(st.text(), st.integers(0, 3 * PIECE))
def test_pieces_are_bounded_and_complete(text: str, more: int) -> None:
    whole = text + "x" * more
    cut = pieces("stdout", whole)
    assert "".join(piece.text for piece in cut) == whole
    assert all(0 < len(piece.text) <= PIECE for piece in cut)


def test_outputs_as_a_terminal_shows_them() -> None:
    assert plain(Text("stdout", "a\n")) == "a\n"
    assert plain(Display({"text/plain": "1", "text/html": "<b>1</b>"})) == "1"
    assert plain(Display({"image/png": "…", "text/html": "…"})) == "<image/png, text/html>"
    assert plain(Failure("E", "m", ("x", "y"))) == "x\ny"
    assert plain(Failure("E", "m")) == "E: m"


@pytest.mark.parametrize(
    ("packed", "wanted"),
    [
        (b'{"text": "caf\xe9"}', {"text": "caf�"}),
        (rb'{"text": "\ud800!"}', {"text": "?!"}),
        (rb'{"text": "\ud83d\ude42"}', {"text": "🙂"}),
    ],
)
def test_content_is_text_that_can_be_encoded(packed: bytes, wanted: object) -> None:
    assert unpack(Message("iopub", "stream", "", packed)) == wanted


def test_numbers_that_json_has_not() -> None:
    body = unpack(Message("iopub", "display_data", "", json.dumps({"x": float("nan")}).encode()))
    assert str(body) == "{'x': nan}"
