"""What a program switched on is undone, and nothing that was not."""

from __future__ import annotations

import pytest

from sandbox_tui.runtime.modes import Modes


def undone(*pieces: bytes) -> bytes:
    modes = Modes()
    for piece in pieces:
        modes.watch(piece)
    return modes.undo()


def test_the_alternate_screen_is_left_only_when_it_is_shown() -> None:
    assert b"\x1b[?1049l" not in undone(b"hello")
    assert b"\x1b[?1049l" in undone(b"\x1b[?1049h")
    assert b"\x1b[?1049l" in undone(b"\x1b[?25;1049h")
    assert b"\x1b[?1049l" not in undone(b"\x1b[?1049h", b"text\x1b[?1049l")


def test_keyboard_modes_are_popped_as_often_as_they_were_pushed() -> None:
    assert b"\x1b[<2u" in undone(b"\x1b[>1u", b"\x1b[>31u")
    assert b"\x1b[<" not in undone(b"\x1b[>1u\x1b[<u")
    assert b"\x1b[<" not in undone(b"\x1b[<5u")


@pytest.mark.parametrize("cut", range(1, 8))
def test_sequences_may_be_cut(cut: int) -> None:
    whole = b"\x1b[?1049h"
    assert b"\x1b[?1049l" in undone(b"x" * 5000 + whole[:cut], whole[cut:] + b"y")


def test_a_full_reset_undoes_it_itself() -> None:
    assert b"\x1b[?1049l" not in undone(b"\x1b[?1049h\x1b[>1u", b"\x1bc")


@pytest.mark.parametrize("always", [b"\x1b[?1000l", b"\x1b[?2004l", b"\x1b[?25h", b"\x1b[0m"])
def test_harmless_things_are_always_set_right(always: bytes) -> None:
    assert always in undone(b"")
