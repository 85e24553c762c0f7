"""The real program on a real terminal: what it does when that goes away, or is none."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from fcntl import ioctl
from termios import TIOCSWINSZ

import pytest

from tests.support import retry_until

RUN = "import sys; from sandbox_tui.tui.launch import run; sys.exit(run(demo=True))"


class Terminal:
    """The demo in a terminal of its own."""

    def __init__(self) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm-256color"
            os.execv(sys.executable, [sys.executable, "-c", RUN])
        ioctl(self.fd, TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.said = b""
        self.status: int | None = None

    def read(self) -> bytes:
        """Everything said so far."""
        with contextlib.suppress(OSError):
            while select.select([self.fd], [], [], 0.02)[0]:
                self.said += os.read(self.fd, 65536)
        return self.said

    def has_ended(self) -> bool:
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.status = status if pid else None
        return self.status is not None


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    one = Terminal()
    retry_until(lambda: b"postgres" in one.read(), 20)
    yield one
    if not one.has_ended():
        os.kill(one.pid, signal.SIGKILL)
        os.waitpid(one.pid, 0)
    with contextlib.suppress(OSError):
        os.close(one.fd)


def test_it_ends_when_its_terminal_is_closed(terminal: Terminal) -> None:
    os.close(terminal.fd)
    retry_until(terminal.has_ended, 10)


def test_it_ends_when_the_terminal_is_closed_while_much_is_drawn(terminal: Terminal) -> None:
    for _ in range(50):
        os.write(terminal.fd, b"Tjk")
    os.close(terminal.fd)
    retry_until(terminal.has_ended, 10)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_signal_ends_it_and_the_terminal_is_set_right(terminal: Terminal, number: int) -> None:
    os.kill(terminal.pid, number)
    retry_until(lambda: terminal.read() and terminal.has_ended(), 10)
    assert terminal.status is not None
    assert os.waitstatus_to_exitcode(terminal.status) == 128 + number
    assert b"\x1b[?1049l" in terminal.said


def test_q_ends_it_at_once(terminal: Terminal) -> None:
    began = time.monotonic()
    os.write(terminal.fd, b"q")
    retry_until(lambda: terminal.read() and terminal.has_ended(), 10)
    assert os.waitstatus_to_exitcode(terminal.status or 0) == 0
    assert time.monotonic() - began < 5


def test_a_redirected_stderr_is_said_before_anything_is_drawn() -> None:
    code = (
        "from sandbox_tui.tui.launch import run\n"
        "from sandbox_tui.model.errors import TerminalNeededError\n"
        "try: run(demo=True)\n"
        "except TerminalNeededError as error: print(error.hint)\n"
        "import sys; print('textual' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )
    assert "draws on stderr" in done.stdout
    assert done.stdout.endswith("False\n")


def test_nothing_that_a_backend_needs_is_imported_before_the_first_frame() -> None:
    code = (
        "import sys, sandbox_tui.tui.app, sandbox_tui.tui.outfit\n"
        "heavy = {'docker', 'zmq', 'jupyter_client', 'libtmux', 'requests', 'tornado', 'pycrdt'}\n"
        "late = {'sandbox_tui.tui.screens.palette', 'sandbox_tui.tui.screens.new',\n"
        "        'sandbox_tui.tui.chrome.input_line', 'sandbox_tui.api.client'}\n"
        "print(sorted((heavy | late) & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout == "[]\n"
