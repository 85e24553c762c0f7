"""What a session says to its shell, under a storm of the signal that ends commands."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from sandbox_tui.backends.containers.commands import scripts

COMMANDS = 1000

_FUNCTIONS = "f() { while :; do :; done; }; f; f"

ROUND = 0.0001
"""Seconds between two signals: far less than between any that are sent."""


@contextmanager
def storm(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Signal it all the time."""
    calm = threading.Event()

    def blow() -> None:
        while not calm.wait(ROUND):
            os.kill(process.pid, signal.SIGURG)

    blowing = threading.Thread(target=blow)
    blowing.start()
    try:
        yield
    finally:
        calm.set()
        blowing.join()


def answer(process: subprocess.Popen[bytes], mark: str) -> bool:
    """Whether it tells the end of the command with that mark."""
    assert process.stdout is not None
    return any(mark.encode() in line for line in iter(process.stdout.readline, b""))


@pytest.mark.parametrize(
    ("shell", "in_line"),
    [(["dash"], False), (["bash"], False), (["bash"], True), (["busybox", "sh"], False)],
    ids=["dash", "bash", "bash in a line", "busybox sh"],
)
def test_no_shell_ends_with_its_command(shell: Sequence[str], in_line: bool) -> None:
    if shutil.which(shell[0]) is None:
        pytest.skip(f"no {shell[0]} here")
    process = subprocess.Popen(
        [*shell, "-s", scripts.LABEL],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        env={**os.environ, "LC_ALL": "C"},
    )
    assert process.stdin is not None
    with process:
        process.stdin.write(scripts.session_setup("begun").encode())
        assert answer(process, "begun")
        code = "while :; do :; done; echo never" if in_line else _FUNCTIONS
        with storm(process):
            for number in range(COMMANDS):
                process.stdin.write(scripts.command(str(number), code, in_line=in_line).encode())
                assert answer(process, f"begun end {number} ")
        process.stdin.close()
