"""The real program: run to its end, or used by a person at a terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.person import Person

ROOT = Path(__file__).parents[3]
PROGRAM = (sys.executable, "-m", "sandbox_tui")


class Said(NamedTuple):
    """What a command printed and its exit code."""

    out: str
    err: str
    code: int

    @property
    def json(self) -> Any:
        """Its one document."""
        return json.loads(self.out)


Cli = Callable[..., Said]
SitDown = Callable[..., Person]


@pytest.fixture(autouse=True)
def here(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run in an empty folder, with this checkout on the path."""
    folder = home / "home" / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return folder


@pytest.fixture
def cli() -> Cli:
    """Run a command to its end, without a terminal."""

    def run(*words: str, stdin: str = "", timeout: float = 40) -> Said:
        done = subprocess.run(
            [*PROGRAM, *words],
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=timeout,
            check=False,
        )
        return Said(done.stdout, done.stderr, done.returncode)

    return run


@pytest.fixture
def sit_down() -> Iterator[SitDown]:
    """Run a command at a terminal of its own."""
    with ExitStack() as stack:

        def run(*words: str, **settings: Any) -> Person:
            env = {"TERM": "xterm-256color", **settings.pop("env", {})}
            return stack.enter_context(Person(*PROGRAM, *words, env=env, **settings))

        yield run


@pytest.fixture
def daemon(cli: Cli) -> Iterator[None]:
    """End the room daemon that a test starts, and its kernels."""
    yield
    said = cli("daemon", "stop")
    assert said.code == 0, said.err
    assert os.environ["XDG_RUNTIME_DIR"].startswith("/tmp/st-")
