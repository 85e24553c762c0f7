"""The command line where something around it is broken: its streams, its folder, its files."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.integration.cli.conftest import PROGRAM, Cli
from tests.support import TmuxServer

LS = "ls --backend tmux"


def shell(script: str) -> tuple[int, str]:
    """Run a line of shell in which `$P` is the program; its exit code and what came out."""
    env = {**os.environ, "P": " ".join(PROGRAM)}
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, timeout=40, env=env, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (f"{LS} >&-", 0),
        (f"{LS} --json >&- 2>&-", 0),
        ("--help >&-", 0),
        ("--version <&- >&- 2>&-", 0),
        (f"{LS} <&-", 0),
        ("<&-", 0),
        ("attach dev <&-", 2),
        ("rm dev <&-", 2),
        ("run dev <&-", 2),
        ("status nope 2>&-", 3),
    ],
)
def test_streams_may_be_closed(tmux_server: TmuxServer, words: str, code: int) -> None:
    tmux_server.new_session("dev", "sleep 1000")
    ended, said = shell(f"$P {words}")
    assert ended == code, said
    assert "unexpected" not in said
    assert "Traceback" not in said


def test_a_reader_may_have_enough(tmux_server: TmuxServer) -> None:
    tmux_server.new_session("dev", "seq 1 1900; sleep 1000")
    for words in (LS, "--help", "logs dev -n 2000", "ls --json --backend tmux"):
        ended, said = shell(f"$P {words} | head -n 1; exit ${{PIPESTATUS[0]}}")
        assert ended in (0, 1)
        assert said.count("\n") == 1, said


@pytest.mark.parametrize("words", [LS, "--help", f"{LS} --json"])
def test_a_full_disk_is_told(words: str, tmux_server: TmuxServer) -> None:
    tmux_server.new_session("dev", "sleep 1000")
    ended, said = shell(f"$P {words} > /dev/full")
    assert ended == 1
    assert "No space left on device" in said
    assert "unexpected" not in said


def test_a_folder_that_was_deleted_is_told(tmux_server: TmuxServer) -> None:
    ended, said = shell(f"mkdir gone; cd gone; rmdir ../gone; $P {LS}")
    assert (ended, said) == (2, "error: the folder that this runs in was deleted\nhint: Run: cd\n")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        ("mkdir $F", "is not a regular file"),
        ("mkfifo $F", "is not a regular file"),
        ("ln -s /dev/zero $F", "is not a regular file"),
        ("head -c 3000 /dev/urandom > $F; printf '\\xff' >> $F", "is not UTF-8 text"),
        ("truncate -s 1G $F", "has 1073741824 bytes"),
        ("printf '%05000d' 0 | tr 0 '[' > $F", "is n"),
    ],
)
@pytest.mark.parametrize("file", ["sandbox-tui.yml", "kstlib.conf.yml"])
def test_what_is_no_configuration_is_told(file: str, make: str, reason: str, here: Path) -> None:
    ended, said = shell(f"F={file}; {make}; $P {LS}")
    assert ended == 2
    assert said.startswith(f"error: {here / file}")
    assert reason in said


@pytest.mark.parametrize("place", ["/nonexistent", "/dev/null", ""])
def test_a_home_may_be_missing(place: str, tmux_server: TmuxServer) -> None:
    ended, said = shell(f"unset XDG_CONFIG_HOME XDG_STATE_HOME; HOME={place} $P {LS} --json")
    assert ended == 0, said


@pytest.mark.parametrize(
    "env", ["LC_ALL=C", "LC_ALL=C PYTHONIOENCODING=ascii", "TERM=dumb", "-u HOME"]
)
def test_names_of_all_letters_are_shown_everywhere(env: str, tmux_server: TmuxServer) -> None:
    tmux_server.new_session("größe", "sleep 1000")
    ended, said = shell(f"env {env} $P {LS}")
    assert ended == 0, said
    assert "tmux:größe" in said or r"tmux:gr\xf6\xdfe" in said


def test_without_any_terminal_nobody_is_asked(tmux_server: TmuxServer) -> None:
    tmux_server.new_session("dev", "sleep 1000")
    ended, said = shell("setsid -w $P rm dev")
    assert (ended, "--yes" in said) == (2, True)


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (["start", "a\nb", "--command", "x"], 2, "is not a name"),
        (["start", "   ", "--command", "x"], 2, "is not a name"),
        (["start", "n" * 300, "--command", "x"], 2, "255 are allowed"),
        (["start", "a", "--command", ""], 2, "command"),
        (["start", "a", "--command", "x", "--env", "A B=1"], 2, "is not a name"),
        (["start", "a", "--command", "x", "--workdir", "/none"], 2, "no folder /none"),
        (["start", "a", "--command", "x", "--socket", "../x"], 2, "name of a socket"),
        (["exec", "dev", "ls"], 3, "no sandbox named 'container:dev'"),
        (["status", "\x1b[31m"], 3, "x1b"),
        (["logs", "dev", "--since", "1m"], 0, "tmux keeps no times"),
        (["ls", "--backend", "tmux", "--filter", "zzz"], 0, "nothing here is like 'zzz'"),
    ],
    ids=lambda part: str(part)[:30],
)
def test_what_cannot_be_is_told(
    words: list[str], code: int, reason: str, cli: Cli, tmux_server: TmuxServer
) -> None:
    tmux_server.new_session("dev", "sleep 1000")
    said = cli(*words)
    assert (said.code, reason in said.err) == (code, True), said.err
    assert "\x1b" not in said.err
