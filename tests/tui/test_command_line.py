"""Actions as command lines, and that the command line really has those words."""

from __future__ import annotations

import shlex

import click
import pytest

from sandbox_tui.cli.main import program
from sandbox_tui.model.actions import (
    Action,
    Attach,
    Interrupt,
    Pause,
    Remove,
    Restart,
    Run,
    Send,
    Start,
    Stop,
)
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.tui.command_line import about, command_line

WEB = Ref("container:web")

LINES: list[tuple[Action, str]] = [
    (Stop(ref=WEB), "stop container:web"),
    (Stop(ref=WEB, force=True, timeout=3.0), "stop container:web --force --timeout 3"),
    (Restart(ref=WEB), "restart container:web"),
    (Pause(ref=WEB), "pause container:web"),
    (Attach(ref=WEB), "attach container:web"),
    (Interrupt(ref=WEB), "interrupt container:web"),
    (Remove(ref=WEB, force=True), "rm container:web --force --yes"),
    (Run(ref=WEB, code="echo 'a b'"), "run container:web -- 'echo '\"'\"'a b'\"'\"''"),
    (Send(ref=Ref("tmux:a b"), text="ls; rm x"), "send 'tmux:a b' 'ls; rm x'"),
    (Send(ref=Ref("tmux:t"), text="y", enter=False), "send tmux:t y --no-enter"),
    (Send(ref=Ref("tmux:t"), key="C-c"), "send tmux:t --key C-c"),
    (Start(name=WEB), "start container:web"),
    (
        Start(name="b", kind=Kind.TMUX, command="make watch", env={"A": "1 2"}),
        "start b --backend tmux --command 'make watch' --env 'A=1 2'",
    ),
    (Start(name="b", image="x:1", volumes=("/a:/b",)), "start b --image x:1 --volume /a:/b"),
    (Start(name="b", command=("sh", "-c", "a b")), "start b --command 'sh -c '\"'\"'a b'\"'\"''"),
]


@pytest.mark.parametrize(("action", "line"), LINES)
def test_it_is_written_as_a_person_would(action: Action, line: str) -> None:
    assert command_line(action) == f"sandbox-tui {line}"
    assert shlex.split(command_line(action))[0] == "sandbox-tui"


def test_about_one() -> None:
    assert about(WEB) == "sandbox-tui status container:web"


@pytest.mark.parametrize(("action", "line"), LINES)
def test_the_command_line_understands_it(action: Action, line: str) -> None:
    words = shlex.split(command_line(action))[1:]
    found = program.get_command(click.Context(program), words[0])
    assert found is not None, line
    found.make_context(words[0], words[1:])
