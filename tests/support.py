"""What tests of every layer share: waiting, engines, and a tmux server of one's own."""

from __future__ import annotations

import inspect
import os
import shutil
import socket
import statistics
import subprocess
import time
from asyncio import sleep
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TypeVar, cast

import pytest

T = TypeVar("T")

INTERVAL = 0.02

PATIENCE = 15.0
"""Seconds that are waited for what happens sooner or later: a busy machine takes its time."""


def under_ci() -> bool:
    """Whether a missing engine is a failure here, and no reason to skip."""
    return os.environ.get("CI", "") not in {"", "0", "false"}


def lack(what: str) -> NoReturn:
    """Skip on a developer's machine, fail under CI."""
    if under_ci():
        pytest.fail(f"{what}, and CI has to have it: tests/engines.sh up")
    pytest.skip(f"{what} (tests/engines.sh up)")


# --- waiting ----------------------------------------------------------------------------------


def retry_until(predicate: Callable[[], T], timeout: float = PATIENCE, what: str = "") -> T:
    """Return the first true value of ``predicate``, or fail after ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    while not (value := predicate()):
        _fail_past(deadline, timeout, what or _source(predicate), value)
        time.sleep(INTERVAL)
    return value


async def retry_until_async(
    predicate: Callable[[], T | Awaitable[T]], timeout: float = PATIENCE, what: str = ""
) -> T:
    """Do the same on the event loop; ``predicate`` may be a coroutine function."""
    deadline = time.monotonic() + timeout
    while True:
        value = predicate()
        if inspect.isawaitable(value):
            value = await value
        if value:
            return cast("T", value)
        _fail_past(deadline, timeout, what or _source(predicate), value)
        await sleep(INTERVAL)


async def stays(predicate: Callable[[], object | Awaitable[object]], seconds: float = 0.1) -> bool:
    """Whether ``predicate`` is true now and all of these seconds: nothing tells of what is not."""
    until = time.monotonic() + seconds
    while True:
        value = predicate()
        if not (await value if inspect.isawaitable(value) else value):
            return False
        if time.monotonic() > until:
            return True
        await sleep(INTERVAL)


async def lapse(seconds: float) -> None:
    """Let time go by, where it is what a test is about: a rate, a race, a loss that is allowed."""
    await sleep(seconds)


def assert_within(took: Sequence[float], limit: float, worst: float) -> None:
    """The median of these seconds is what is promised; the worst may have met a busy machine."""
    assert statistics.median(took) < limit, took
    assert max(took) < worst, took


def _fail_past(deadline: float, timeout: float, what: str, value: object) -> None:
    if time.monotonic() > deadline:
        pytest.fail(f"not within {timeout:g} s: {what}\nlast seen: {value!r}")


def _source(predicate: Callable[[], object]) -> str:
    try:
        return inspect.getsource(predicate).strip()
    except (OSError, TypeError):
        return repr(predicate)


# --- engines ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Engine:
    """A container engine that answers on ``socket``."""

    kind: str
    socket: Path

    @property
    def url(self) -> str:
        """The address for a client library or ``DOCKER_HOST``."""
        return f"unix://{self.socket}"


_ENGINES = {
    "docker": ("DOCKER_HOST", "unix:///var/run/docker.sock"),
    "podman": ("SANDBOX_TUI_TEST_PODMAN", ""),
}


def require_engine(kind: str) -> Engine:
    """Return the ``docker`` or ``podman`` engine that answers a raw ping."""
    variable, default = _ENGINES[kind]
    url = os.environ.get(variable, default)
    if not url.startswith("unix://"):
        lack(f"no {kind} engine: {variable} names no unix socket")
    engine = Engine(kind, Path(url.removeprefix("unix://")))
    try:
        ping(engine.socket)
    except OSError as error:
        lack(f"no {kind} engine answers on {engine.socket}: {error}")
    return engine


def ping(path: Path, timeout: float = 5.0) -> None:
    """Ask for ``/_ping`` without any client library; raises OSError for any other answer."""
    with socket.socket(socket.AF_UNIX) as engine:
        engine.settimeout(timeout)
        engine.connect(str(path))
        engine.sendall(b"GET /_ping HTTP/1.0\r\nHost: engine\r\n\r\n")
        status = engine.makefile("rb").readline()
    if b" 200 " not in status:
        raise OSError(f"it said {status!r}")


def require_program(name: str) -> str:
    """Return the path of a program that a test runs."""
    return shutil.which(name) or lack(f"no {name}")


# --- tmux -------------------------------------------------------------------------------------


class TmuxServer:
    """A real server on a socket of its own, without the user's configuration.

    The socket lies where ``$TMUX_TMPDIR`` makes tmux look for ``-L name``, so that programs under
    test find it by name; this class goes by the path, so that it can never be another server.
    """

    def __init__(self, folder: Path, name: str = "default") -> None:
        self.name = name
        self.socket = folder / f"tmux-{os.getuid()}" / name
        self.socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)

    def run(self, *arguments: str, check: bool = True) -> str:
        """Run one tmux command and return what it printed."""
        command = [require_program("tmux"), "-S", str(self.socket), "-f", "/dev/null", *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=10, check=False, encoding="utf-8"
        )
        if check and done.returncode:
            raise AssertionError(f"tmux {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout.rstrip("\n")

    def start(self) -> None:
        """Start it without any session."""
        self.run("start-server", ";", "set-option", "-g", "exit-empty", "off")

    def new_session(self, name: str, *command: str, width: int = 80, height: int = 24) -> str:
        """Make a detached session and return its id."""
        size = ("-x", str(width), "-y", str(height))
        return self.run("new-session", "-dP", "-F", "#{session_id}", "-s", name, *size, *command)

    def screen(self, target: str) -> str:
        """Return the text of a pane."""
        return self.run("capture-pane", "-p", "-t", target)

    @property
    def pid(self) -> int:
        """The server's process id."""
        return int(self.run("display-message", "-p", "#{pid}"))

    @property
    def alive(self) -> bool:
        """Whether somebody listens on the socket."""
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex(str(self.socket)) == 0

    def kill(self) -> None:
        """End it and everything in it."""
        with suppress(subprocess.TimeoutExpired):
            self.run("kill-server", check=False)
        retry_until(lambda: not self.alive, what=f"the end of tmux on {self.socket}")
