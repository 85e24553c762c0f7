"""The real program in a real terminal: a pane of a tmux server that the dashboard cannot see."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import docker
import docker.errors
import pytest

from tests.support import Engine, TmuxServer, require_engine, require_program, retry_until

ROOT = Path(__file__).parents[2]
PROGRAM = (sys.executable, "-m", "sandbox_tui")
IMAGE = "sandbox-tui-test/busybox"


class Terminal:
    """A terminal with one program in it: keys in, screen out."""

    def __init__(self, server: TmuxServer, *argv: str, width: int = 120, height: int = 40) -> None:
        self._server = server
        self._target = f"seat-{uuid.uuid4().hex[:6]}"
        server.new_session(self._target, *argv, width=width, height=height)
        server.run("set-option", "-t", self._target, "remain-on-exit", "on")
        self.pid = int(self._ask("#{pane_pid}"))

    def press(self, *keys: str) -> None:
        """Press keys, by tmux's names for them."""
        self._server.run("send-keys", "-t", f"={self._target}:", *keys)

    def write(self, text: str) -> None:
        """Type literal text."""
        self._server.run("send-keys", "-t", f"={self._target}:", "-l", "--", text)

    @property
    def screen(self) -> str:
        """What it shows."""
        return self._server.run("capture-pane", "-p", "-t", f"={self._target}:")

    def shows(self, *texts: str, timeout: float = 15.0) -> str:
        """Wait until all of these are on the screen at once."""

        def look() -> str:
            screen = self.screen
            return screen if all(text in screen for text in texts) else ""

        try:
            return retry_until(look, timeout)
        except pytest.fail.Exception:
            pytest.fail(f"not within {timeout:g} s: {texts}\non the screen:\n{self.screen}")

    def matches(self, pattern: str, timeout: float = 15.0) -> str:
        """Wait until this regular expression is found on the screen."""
        retry_until(lambda: re.search(pattern, self.screen), timeout, f"{pattern} on the screen")
        return self.screen

    def shows_no_more(self, text: str, timeout: float = 15.0) -> str:
        """Wait until this is not on the screen."""
        retry_until(lambda: text not in self.screen, timeout, f"no {text!r} in\n{self.screen}")
        return self.screen

    def line(self, text: str) -> str:
        """The first line of the screen that has this text."""
        return next((line for line in self.screen.splitlines() if text in line), "")

    @property
    def ended(self) -> bool:
        """Whether its program has ended."""
        return self._ask("#{pane_dead}") == "1"

    def close(self) -> None:
        """Take the terminal away, as closing a window does."""
        self._server.run("kill-session", "-t", f"={self._target}")

    def _ask(self, question: str) -> str:
        return self._server.run("display-message", "-p", "-t", f"={self._target}:", question)


Open = Callable[..., Terminal]


@pytest.fixture(autouse=True)
def folder(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run in an empty folder, with this checkout on the path."""
    here = home / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("COLORTERM", "truecolor")
    return here


@pytest.fixture
def seat(home: Path, folder: Path) -> Iterator[TmuxServer]:
    """The tmux server whose panes are the terminals; not where the dashboard looks for sessions."""
    require_program("tmux")
    server = TmuxServer(home / "seat", "seat")
    server.start()
    server.run("set-option", "-s", "escape-time", "0")
    yield server
    server.kill()
    _stop_the_daemon()


@pytest.fixture
def terminal(seat: TmuxServer) -> Open:
    """Open a terminal with `sandbox-tui` and these words in it."""

    def open_terminal(*words: str, width: int = 120, height: int = 40) -> Terminal:
        return Terminal(seat, *without_tmux(), *PROGRAM, *words, width=width, height=height)

    return open_terminal


@pytest.fixture
def cli() -> Callable[..., str]:
    """Run a command to its end and return what it printed."""

    def run(*words: str) -> str:
        done = subprocess.run(
            [*PROGRAM, *words], capture_output=True, text=True, timeout=40, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


class Engines:
    """Containers of a real engine, taken away at the end."""

    def __init__(self, engine: Engine) -> None:
        self.client = docker.APIClient(base_url=engine.url, timeout=30)
        self._made: list[str] = []

    def run(self, script: str) -> str:
        """Start a container that runs a shell script; its name."""
        name = f"st-e2e-{uuid.uuid4().hex[:6]}"
        self._made.append(name)
        host = self.client.create_host_config(init=True)
        self.client.create_container(
            IMAGE, ["sh", "-c", script], name=name, host_config=host, tty=True, stdin_open=True
        )
        self.client.start(name)
        return name

    def state(self, name: str) -> str:
        """What the engine says of it."""
        return str(self.client.inspect_container(name)["State"]["Status"])

    def end(self) -> None:
        """Take everything away."""
        for name in self._made:
            with suppress(docker.errors.NotFound):
                self.client.remove_container(name, force=True)
        self.client.close()


@pytest.fixture
def containers() -> Iterator[Engines]:
    """Containers of the real docker."""
    engines = Engines(require_engine("docker"))
    yield engines
    engines.end()


def without_tmux() -> tuple[str, ...]:
    """The program is in a terminal as any other: it must not know that tmux is the emulator."""
    strangers = ("TMUX", "TMUX_PANE", "COLUMNS", "LINES")
    unset = (word for name in strangers for word in ("-u", name))
    return ("env", *unset, "TERM=xterm-256color")


def _stop_the_daemon() -> None:
    subprocess.run(
        [*PROGRAM, "daemon", "stop"], capture_output=True, timeout=30, check=False, env=os.environ
    )
