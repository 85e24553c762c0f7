"""Which lines are new, against a model of what tmux does with them."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox_tui.backends.tmux.scrollback import Line, Look, Picture, Scroll, unfold


@dataclass
class Terminal:
    """Rows as tmux keeps them: a screen, and a history that loses a tenth whenever it is full."""

    width: int = 8
    height: int = 4
    limit: int = 40
    history: list[str] = field(default_factory=list[str])
    screen: list[str] = field(default_factory=list[str])
    part: str = ""
    wraps: set[int] = field(default_factory=set[int])

    def say(self, line: str) -> None:
        """Print a line that fits into one row, and a newline."""
        self.screen.append(line)
        while len(self.screen) >= self.height:
            if len(self.history) >= self.limit:
                del self.history[: max(1, self.limit // 10)]
            self.history.append(self.screen.pop(0))

    def look(self, **changed: object) -> Look:
        look = Look(
            width=self.width,
            height=self.height,
            history=len(self.history),
            limit=self.limit,
            cursor=len(self.screen),
            alternate=False,
            dead=False,
        )
        return look._replace(**changed)

    def picture(self, start: int | None = None, **changed: object) -> Picture:
        rows = [*self.history, *self.screen, self.part]
        rows += [""] * (len(self.history) + self.height - len(rows))
        lines = [Line(text, row, row + 1) for row, text in enumerate(rows)]
        return Picture(self.look(**changed), lines[start or 0 :])


def fresh(scroll: Scroll, terminal: Terminal) -> list[str]:
    """What a reader is told after one more look."""
    start = scroll.expected(terminal.look())
    lines = None
    if start is not None:
        lines = scroll.tell(terminal.picture(start), whole=False)
    if lines is None:
        lines = scroll.tell(terminal.picture(), whole=True)
    assert lines is not None
    return [line.text for line in lines]


def started(terminal: Terminal) -> Scroll:
    return Scroll(terminal.picture())


@given(st.integers(0, 60), st.lists(st.integers(0, 30), max_size=20))
def test_every_line_is_told_once_and_in_order(before: int, bursts: list[int]) -> None:
    terminal = Terminal()
    for number in range(before):
        terminal.say(f"line {number}")
    scroll, told, said = started(terminal), list[str](), before
    for burst in bursts:
        for _ in range(burst):
            terminal.say(f"line {said}")
            said += 1
        told += fresh(scroll, terminal)

    assert told == [f"line {number}" for number in range(before, said)]


@given(st.lists(st.integers(0, 3), max_size=60))
def test_equal_lines_are_told_as_often_as_they_came(bursts: list[int]) -> None:
    terminal = Terminal(limit=40)
    scroll, told = started(terminal), 0
    for burst in bursts:
        for _ in range(burst):
            terminal.say("tick")
        told += len(fresh(scroll, terminal))

    assert told == sum(bursts)


def test_an_unfinished_line_is_told_when_it_is_finished() -> None:
    terminal = Terminal(part="half")
    scroll = started(terminal)
    assert fresh(scroll, terminal) == []
    terminal.part = ""
    terminal.say("half and half")

    assert fresh(scroll, terminal) == ["half and half"]


def test_the_end_tells_what_was_never_finished() -> None:
    terminal = Terminal(part="last words")
    scroll = started(terminal)
    lines = scroll.tell(terminal.picture(dead=True), whole=True)

    assert [line.text for line in lines or []] == ["last words"]


def test_tmux_own_notice_is_no_output() -> None:
    terminal = Terminal(screen=["done", "", ""], part="Pane is dead (st")
    picture = terminal.picture(dead=True, notice="Pane is dead (status 0, today)")

    assert [line.text for line in picture.said()] == ["done"]


def test_a_cleared_terminal_begins_anew() -> None:
    terminal = Terminal()
    for number in range(20):
        terminal.say(f"old {number}")
    scroll = started(terminal)
    terminal.history.clear()
    terminal.screen = ["new"]

    assert fresh(scroll, terminal) == ["new"]
    terminal.say("newer")
    assert fresh(scroll, terminal) == ["newer"]


def test_a_line_drawn_again_is_not_told_again() -> None:
    terminal = Terminal(height=10, screen=["a 10%", "b 10%"])
    scroll = started(terminal)
    terminal.screen = ["a 10%", "b 90%"]
    assert fresh(scroll, terminal) == []
    terminal.say("c")

    assert fresh(scroll, terminal) == ["c"]


def test_lines_that_are_taken_back_and_said_anew_are_told() -> None:
    terminal = Terminal(height=10, screen=["a", "b", "c"])
    scroll = started(terminal)
    terminal.screen = ["a"]
    assert fresh(scroll, terminal) == []
    terminal.say("d")

    assert fresh(scroll, terminal) == ["d"]


def test_another_screen_is_told_whole() -> None:
    terminal = Terminal(height=10, screen=["a", "b", "c"])
    scroll = started(terminal)
    terminal.screen = ["x", "y", "z"]

    assert fresh(scroll, terminal) == ["x", "y", "z"]


def test_a_full_screen_program_says_nothing() -> None:
    terminal = Terminal()
    scroll = started(terminal)
    terminal.screen = ["menu", "bar"]

    assert scroll.tell(terminal.picture(alternate=True), whole=True) == []


def test_a_narrower_window_tells_nothing_twice() -> None:
    terminal = Terminal()
    for number in range(12):
        terminal.say(f"line {number}")
    scroll = started(terminal)
    terminal.width, terminal.height = 6, 6
    terminal.screen = [terminal.history.pop(), *terminal.screen]
    terminal.say("line 12")

    assert fresh(scroll, terminal) == ["line 12"]


@pytest.mark.parametrize(
    ("rows", "joined", "ends"),
    [
        (["one", "two"], ["one", "two"], [1, 2]),
        (["aaaa", "aa", "b"], ["aaaaaa", "b"], [2, 3]),
        (["aaaa", "aaaa", "a", "", "b"], ["aaaaaaaaa", "", "b"], [3, 4, 5]),
        (["aaaa", "bbbb"], ["aaaa", "bbbb"], [1, 2]),
        (["\x1b[31maa\x1b[m", "\x1b[31mbb\x1b[m"], ["\x1b[31maabb\x1b[m"], [2]),
        (["one      ", "two"], ["one", "two"], [1, 2]),
    ],
)
def test_folded_lines_are_found(rows: list[str], joined: list[str], ends: list[int]) -> None:
    lines = unfold(rows, joined, 10)

    assert [line.end - 10 for line in lines] == ends
    assert [line.start - 10 for line in lines] == [0, *ends[:-1]]
