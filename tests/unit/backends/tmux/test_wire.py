"""The control protocol, however its bytes are cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox_tui.backends.tmux.wire import GarbledError, Notice, Reply, Wire, line_of

GREETING = b"%begin 1795221012 274 0\n%end 1795221012 274 0\n"
LISTING = b"%begin 1795221012 279 1\nalpha\nbe ta\n%end 1795221012 279 1\n"
REFUSAL = b"%begin 1795221013 280 1\ncan't find pane: %9\n%error 1795221013 280 1\n"
NEWS = b"%sessions-changed\n%session-renamed $4 n2\n"
EMPTY = b"%begin 1795221014 281 1\n%end 1795221014 281 1\n"

TALK = GREETING + LISTING + NEWS + REFUSAL + EMPTY
ITEMS = [
    Reply(ok=True, body=b"", at=1795221012, asked=False),
    Reply(ok=True, body=b"alpha\nbe ta", at=1795221012),
    Notice("sessions-changed"),
    Notice("session-renamed"),
    Reply(ok=False, body=b"can't find pane: %9", at=1795221013),
    Reply(ok=True, body=b"", at=1795221014),
]


def test_a_whole_conversation() -> None:
    assert list(Wire().feed(TALK)) == ITEMS


@given(st.lists(st.integers(0, len(TALK)), max_size=12))
def test_the_pieces_do_not_matter(cuts: list[int]) -> None:
    wire = Wire()
    edges = [0, *sorted(cuts), len(TALK)]
    pieces = [TALK[a:b] for a, b in pairwise(edges)]

    assert [item for piece in pieces for item in wire.feed(piece)] == ITEMS


@pytest.mark.parametrize(
    "line", [b"%end 1 2 1", b"%begin 1 2 1", b"%sessions-changed", b"%exit", b"", b"x%end 7 8 1"]
)
def test_a_program_cannot_end_its_own_block(line: bytes) -> None:
    body = b"before\n" + line + b"\nafter"
    (reply,) = Wire().feed(b"%begin 7 8 1\n" + body + b"\n%end 7 8 1\n")

    assert reply == Reply(ok=True, body=body, at=7)


@pytest.mark.parametrize("noise", [b"hello\n", b"\n", b"begin 1 2 1\n", b"\x1bP1000p\n"])
def test_what_is_no_protocol_is_told(noise: bytes) -> None:
    with pytest.raises(GarbledError):
        list(Wire().feed(GREETING + noise))


@given(st.lists(st.text(st.characters(exclude_characters="\0\n")), min_size=1))
def test_a_line_is_one_line_and_every_word_is_quoted(words: list[str]) -> None:
    line = line_of(tuple(words))

    assert "\n" not in line
    assert line.replace("'\\''", "").count("'") == 2 * len(words)
