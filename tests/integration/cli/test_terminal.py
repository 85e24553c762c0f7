"""The command line at a terminal: colours, questions, attaching, and ctrl-c."""

from __future__ import annotations

import os
import re
import signal
import subprocess

import pytest

from sandbox_tui.cli.escapes import columns, without_escapes
from tests.integration.cli.conftest import PROGRAM, SitDown


@pytest.mark.parametrize("width", [25, 80, 200])
def test_ls_fits_the_terminal_and_has_colours(sit_down: SitDown, width: int) -> None:
    one = sit_down("--demo", "ls", width=width)
    assert one.sees_the_end() == 0
    lines = one.seen.replace("\r", "").splitlines()
    assert len(lines) == 11
    assert max(columns(without_escapes(line)) for line in lines) <= width
    assert ("\x1b[32mrunning\x1b[0m" in one.seen) == (width > 25)


@pytest.mark.parametrize(
    ("words", "env"),
    [
        (["--no-color"], {}),
        ([], {"NO_COLOR": "1"}),
        ([], {"TERM": "dumb"}),
        (["--json"], {}),
    ],
)
def test_colours_can_be_refused(sit_down: SitDown, words: list[str], env: dict[str, str]) -> None:
    one = sit_down("--demo", "ls", *words, env=env)
    assert one.sees_the_end() == 0
    assert "\x1b" not in one.seen


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [("y\r", 0, "removed container:cache"), ("\r", 1, "nothing done"), ("\x03", 130, "")],
)
def test_a_person_is_asked(sit_down: SitDown, answer: str, code: int, said: str) -> None:
    one = sit_down("--demo", "rm", "cache", "--force")
    one.sees(re.escape("Remove container:cache (running)? You lose the sandbox"))
    one.types(answer)
    assert one.sees_the_end() == code
    assert said in one.seen
    assert "Traceback" not in one.seen


def test_yes_asks_nothing(sit_down: SitDown) -> None:
    one = sit_down("--demo", "stop", "cache", "-y")
    assert one.sees_the_end() == 0
    assert "[y/N]" not in one.seen


def test_attach_says_how_to_leave_and_what_happened(sit_down: SitDown) -> None:
    one = sit_down("--demo", "attach", "docs")
    one.sees(re.escape("tmux:docs: leave with enter or ctrl+\\"))
    one.sees("pretending to be tmux:docs")
    one.types("\x1c")
    assert one.sees_the_end() == 0
    assert "tmux:docs: left by key" in one.seen


def test_ctrl_c_ends_with_130_and_no_traceback(sit_down: SitDown) -> None:
    one = sit_down("--demo", "wait", "cache", "--for", "exited")
    one.child.signal(0)
    watching = sit_down("--demo", "watch")
    watching.sees("container:cache  running")
    for person in (one, watching):
        person.types("\x03")
        assert person.sees_the_end() == 130
        assert "Traceback" not in person.seen


def test_a_run_is_ended_by_ctrl_c(sit_down: SitDown) -> None:
    one = sit_down("--demo", "run", "cache", "--", "echo begun\nsleep 60")
    one.sees("begun")
    one.types("\x03")
    assert one.sees_the_end() == 130


def test_nobody_reads_any_more() -> None:
    with subprocess.Popen(
        [*PROGRAM, "--demo", "watch", "--jsonl"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as watching:
        assert watching.stdout is not None
        assert watching.stderr is not None
        watching.stdout.readline()
        watching.stdout.close()
        assert watching.wait(20) == 1
        assert watching.stderr.read() == b""


def test_a_console_runs_code_in_the_room(sit_down: SitDown) -> None:
    one = sit_down("--demo", "attach", "scratch")
    one.sees(r"In \[\d+\]: ")
    one.types("echo hel''lo\r")
    one.sees(r"hel''lo\r\n(?s:.*)In \[\d+\]: ")
    one.types("\x03")
    one.sees(r"In \[(\d+)\]: \r\nIn \[\1\]: ")
    one.types("\x04")
    assert one.sees_the_end() == 0
    assert "room:scratch: left" in one.seen


def test_the_leave_key_leaves_the_console(sit_down: SitDown) -> None:
    one = sit_down("--demo", "attach", "scratch")
    one.sees(r"In \[\d+\]: ")
    one.types("\x1c")
    assert one.sees_the_end() == 0
    assert not os.WCOREDUMP(one.child.wait_status or 0)


def test_sigterm_ends_quietly(sit_down: SitDown) -> None:
    one = sit_down("--demo", "watch")
    one.sees("container:cache")
    one.child.signal(signal.SIGTERM)
    assert one.sees_the_end() == -signal.SIGTERM
