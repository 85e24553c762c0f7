"""Whatever becomes of our client, the user's server and its sessions live on.

A careless control client ends tmux 3.3a. This one is killed, frozen, flooded and half-closed a
hundred times each, while every pane prints, and the server has to be the same one afterwards.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, cast

import pytest

from sandbox_tui.backends.tmux.capture import FINGERPRINT
from sandbox_tui.backends.tmux.control import ATTACH
from sandbox_tui.backends.tmux.formats import LISTING
from sandbox_tui.backends.tmux.wire import line_of
from tests.support import TmuxServer, require_program, retry_until

ROUNDS = 100
PANES = 4
PRINTING = "i=0; while :; do echo line $i of a pane that prints; i=$((i+1)); sleep 0.01; done"

SCREEN = ("capture-pane", "-p", "-e", "-N", "-S", "-", "-t", "%0")
LOOK = ("display-message", "-p", "-t", "%0", FINGERPRINT)
QUESTIONS = "".join(f"{line_of(command)}\n" for command in (*LISTING, LOOK, SCREEN)).encode()

Client = subprocess.Popen[bytes]


@pytest.fixture
def printing(tmux_server: TmuxServer) -> Iterator[TmuxServer]:
    """A server whose panes print; afterwards it is the same, with all its sessions, and prints."""
    for number in range(PANES):
        tmux_server.new_session(f"s{number}", PRINTING)
    pid = tmux_server.pid
    yield tmux_server

    assert tmux_server.pid == pid
    assert len(tmux_server.run("list-sessions").splitlines()) == PANES
    retry_until(lambda: not tmux_server.run("list-clients"), what="no client is left")
    said = tmux_server.screen("%0")
    retry_until(lambda: tmux_server.screen("%0") != said, what="the panes still print")


def attached(server: TmuxServer) -> Client:
    """The very process that the backend starts, having greeted."""
    argv = (require_program("tmux"), "-S", str(server.socket), "-u", "-N", "-C", *ATTACH, "$0")
    pipe = subprocess.PIPE
    client = subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)
    assert ends(client)[1].readline().startswith(b"%begin")
    return client


def ends(client: Client) -> tuple[IO[bytes], IO[bytes]]:
    """Both ends of the conversation."""
    return cast("IO[bytes]", client.stdin), cast("IO[bytes]", client.stdout)


def ask(client: Client, times: int = 1) -> None:
    """Send questions, as far as the pipe takes them, and read no answer."""
    stdin, _ = ends(client)
    os.set_blocking(stdin.fileno(), False)
    try:
        os.write(stdin.fileno(), QUESTIONS * times)
    except BlockingIOError:
        pass  # the pipe is full: flooded enough


def bury(client: Client) -> None:
    """Take the process and our ends of its pipes away."""
    client.kill()
    client.wait(5)
    for end in ends(client):
        try:
            end.close()
        except BrokenPipeError:
            pass  # what was not sent goes with it


def killed(client: Client) -> None:
    ask(client)
    client.send_signal(signal.SIGKILL)


def frozen(client: Client) -> None:
    """Stopped, asked, and never read again."""
    client.send_signal(signal.SIGSTOP)
    ask(client, 20)


def flooded(client: Client) -> None:
    """Asked for far more than anybody reads."""
    ask(client, 400)
    ends(client)[1].read(10)


def half_closed(client: Client) -> None:
    """Nothing more is said, or nothing more is heard, in the middle of a line."""
    stdin, stdout = ends(client)
    ask(client)
    os.write(stdin.fileno(), b"list-panes -a -F '#{pa")
    (stdin if client.pid % 2 else stdout).close()


@pytest.mark.parametrize("way", [killed, frozen, flooded, half_closed])
def test_server_safety(printing: TmuxServer, way: Callable[[Client], None]) -> None:
    for _ in range(ROUNDS):
        client = attached(printing)
        try:
            way(client)
        finally:
            bury(client)
        assert printing.alive


PROGRAM = """
import asyncio, sys
from sandbox_tui.backends.tmux.backend import TmuxBackend

async def main():
    backend = TmuxBackend()
    refs = [box.ref for box in await backend.poll()]
    print("up", flush=True)
    while True:
        await asyncio.gather(backend.poll(), backend.capture(refs), backend.vitals(refs))

asyncio.run(main())
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_the_whole_program_may_die_at_any_moment(
    printing: TmuxServer, home: Path, number: signal.Signals
) -> None:
    for _ in range(10):
        argv = (sys.executable, "-c", PROGRAM)
        program = subprocess.Popen(argv, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3])
        with program:
            assert program.stdout is not None and program.stdout.readline() == b"up\n"
            program.send_signal(number)
            retry_until(lambda: printing.screen("%0"))
            program.kill()


def test_asking_whether_somebody_listens_harms_nobody(printing: TmuxServer) -> None:
    for _ in range(500):
        assert printing.alive
