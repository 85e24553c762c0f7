"""A line that rewrites itself, and a whole coloured screen, look here as they look in tmux."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from sandbox_tui.model.outputs import Screen
from sandbox_tui.tui.widgets import ansi
from sandbox_tui.tui.widgets.pane import PaneView
from tests.support import TmuxServer, retry_until
from tests.tui.widgets.stage import staged

FRAGMENTS = (
    "a", "bc", "def ", "12345", "é", "ü", "\r", "\b", "\t", "\x07", "\x1b]0;title\x07",
    "\x1b[31m", "\x1b[1;4m", "\x1b[0m", "\x1b[K", "\x1b[1K", "\x1b[2K",
)  # fmt: skip
"""No wide characters: terminals differ in what half of one leaves behind."""


def shown(server: TmuxServer, folder: Path, text: str, *flags: str) -> list[str]:
    """What a pane looks like after `text` was written to it."""
    file = folder / "text"
    file.write_text(text + "\r\nthe end", encoding="utf-8")
    command = f"stty raw -echo; cat {file}; sleep 30"
    session = server.new_session("lines", "sh", "-c", command, width=250, height=60)
    retry_until(lambda: "the end" in server.screen(session))
    return server.run("capture-pane", *flags, "-p", "-t", session).split("\n")


@pytest.mark.parametrize("seed", range(3))
def test_rewritten_lines(tmux_server: TmuxServer, home: Path, seed: int) -> None:
    chance = random.Random(seed)
    lines = ["".join(chance.choices(FRAGMENTS, k=chance.randint(1, 25))) for _ in range(50)]
    screen = shown(tmux_server, home, "\r\n".join(lines))
    assert [ansi.plain(line).rstrip() for line in lines] == [line.rstrip() for line in screen[:50]]


async def test_a_captured_screen_keeps_its_colours(tmux_server: TmuxServer, home: Path) -> None:
    written = "\x1b[31mred\r\nstill red\x1b[0m\r\n\x1b[1;38;2;1;2;3m日本\x1b[m plain"
    rows = shown(tmux_server, home, written, "-e")
    view = PaneView()
    view.show(Screen(tuple(rows), 250, 60))
    async with staged(view) as show:
        assert show.rows[:4] == ["red", "still red", "日本 plain", "the end"]
        assert show.style_of("red").color == show.style_of("still").color
        assert show.inked("日本") == "#010203"
        assert show.style_of("plain").color == view.rich_style.color
