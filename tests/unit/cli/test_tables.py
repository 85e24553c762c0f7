"""Tables are aligned by columns of the terminal, clipped on one, whole in a pipe."""

from __future__ import annotations

from sandbox_tui.cli.escapes import columns
from sandbox_tui.cli.tables import Styled, table

ROWS = [("tmux:日本", Styled("running", "32"), "vim"), ("a", Styled("idle", "32"), "x" * 50)]


def test_columns_are_aligned_whatever_the_letters() -> None:
    lines = table(("NAME", "STATE", "WHAT"), ROWS, width=None, colour=False).split("\n")
    assert lines == [
        "NAME       STATE    WHAT",
        "tmux:日本  running  vim",
        f"a          idle     {'x' * 50}",
    ]


def test_a_terminal_is_never_overrun() -> None:
    for width in range(1, 80):
        text = table(("NAME", "STATE", "WHAT"), ROWS, width=width, colour=False)
        assert max(map(columns, text.split("\n"))) <= width


def test_what_is_cut_off_is_told() -> None:
    text = table(("NAME", "STATE", "WHAT"), ROWS, width=30, colour=False)
    assert text.split("\n")[2] == f"a          idle     {'x' * 9}…"


def test_colours_do_not_count_as_columns() -> None:
    plain = table(("A", "B", "C"), ROWS, width=40, colour=False)
    painted = table(("A", "B", "C"), ROWS, width=40, colour=True)
    assert "\x1b[32mrunning\x1b[0m" in painted
    for code in ("\x1b[32m", "\x1b[2m", "\x1b[0m"):
        painted = painted.replace(code, "")
    assert painted == plain


def test_a_name_cannot_draw() -> None:
    text = table(("A",), [("\x1b[2J[/red]x\n",)], width=None, colour=True)
    assert text.split("\n")[1] == "\\e[2J[/red]x\\n"
