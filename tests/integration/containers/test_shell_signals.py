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

_FUNCTIONS = "f() { while :; do :; done; }; f; f"
_IN_LINE = "while :; do :; done; echo never"

OFTEN = 0.005
"""Seconds between two signals: as long as between any two that are sent."""

STORM = 0.0001
"""The same in a storm. Only bash stands it: the others run a trap within a trap."""


@contextmanager
def storm(process: subprocess.Popen[bytes], pause: float) -> Iterator[None]:
    """Signal it all the time."""
    calm = threading.Event()

    def blow() -> None:
        while not calm.wait(pause):
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
    ("shell", "in_line", "pause", "commands"),
    [
        (["dash"], False, OFTEN, 200),
        (["busybox", "sh"], False, OFTEN, 200),
        (["bash"], False, STORM, 1000),
        (["bash"], True, STORM, 1000),
    ],
    ids=["dash", "busybox sh", "bash", "bash in a line"],
)
def test_no_shell_ends_with_its_command(
    shell: Sequence[str], in_line: bool, pause: float, commands: int
) -> None:
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
        process.stdin.write(scripts.session_setup("begun", near=False).encode())
        assert answer(process, "begun")
        code = _IN_LINE if in_line else _FUNCTIONS
        with storm(process, pause):
            for number in range(commands):
                process.stdin.write(scripts.command(str(number), code, in_line=in_line).encode())
                assert answer(process, f"begun end {number} ")
        process.stdin.close()
