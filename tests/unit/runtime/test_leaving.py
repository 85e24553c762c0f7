"""The leave key is found however a terminal spells it and however its bytes are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox_tui.runtime.leaving import LeaveKey

SPELLINGS = [
    b"\x1c",
    b"\x1b[92;5u",
    b"\x1b[92;5:1u",
    b"\x1b[92;5:2u",
    b"\x1b[92:124;5u",
    b"\x1b[92;69u",
    b"\x1b[92;133u",
    b"\x1b[92;197u",
    b"\x1b[92;5;28u",
    b"\x1b[27;5;92~",
]
OTHERS = [
    b"\x1b[92;1u",
    b"\x1b[92;3u",
    b"\x1b[92;7u",
    b"\x1b[92;6u",
    b"\x1b[92;5:3u",
    b"\x1b[99;5u",
    b"\x1b[27;5;99~",
    b"\x1b[A",
    b"\x1b",
    b"\x1b[",
    b"\\",
    b"\x03",
]


@pytest.mark.parametrize("key", SPELLINGS)
def test_every_spelling_leaves(key: bytes) -> None:
    assert LeaveKey().feed(b"before" + key + b"after") == (b"before", True)


@pytest.mark.parametrize("key", OTHERS)
def test_other_keys_pass(key: bytes) -> None:
    leave = LeaveKey()
    passed, left = leave.feed(key)
    assert not left
    assert passed + leave.release() == key


@pytest.mark.parametrize("key", [spelling for spelling in SPELLINGS if len(spelling) > 2])
def test_a_key_may_come_in_pieces(key: bytes) -> None:
    for cut in range(2, len(key)):
        leave = LeaveKey()
        assert leave.feed(key[:cut]) == (b"", False)
        assert leave.feed(key[cut:]) == (b"", True)


def test_a_lone_escape_is_never_held() -> None:
    assert LeaveKey().feed(b"\x1b") == (b"\x1b", False)


def test_another_key_can_be_the_leave_key() -> None:
    assert LeaveKey(b"\x11").feed(b"\x1b[113;5u") == (b"", True)
    assert LeaveKey(b"\x11").feed(b"\x1c") == (b"\x1c", False)


@given(st.lists(st.sampled_from([*OTHERS, b"a", b";", b"5u", b"92"]), max_size=12))
def test_nothing_is_lost(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)
    _, expected_left = LeaveKey().feed(whole)
    leave = LeaveKey()
    passed = b""
    for piece in pieces:
        got, left = leave.feed(piece)
        passed += got
        if left:
            assert whole.startswith(passed)
            return
    assert not expected_left
    assert passed + leave.release() == whole
