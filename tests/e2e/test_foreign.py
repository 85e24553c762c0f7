"""A kernel of another program's in the dashboard: found, run in, heard once, left alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Open


@pytest.fixture
def stranger(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A kernel as `jupyter kernel` would have it."""
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", str(home / "kernels/kernel-7.json")]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(argv, stdout=quiet, stderr=quiet, start_new_session=True)
    yield process
    process.kill()
    process.wait()


def test_what_is_run_in_it_is_shown_once(terminal: Open, stranger: subprocess.Popen[bytes]) -> None:
    seat = terminal()
    seat.shows("kernel-7@jupyter")
    seat.press("4", "l", "s")
    seat.shows("run in kernel-7")
    seat.write("print('[red]' + 'a' * 3)")
    seat.press("Enter")
    seat.shows("In [1]: print(", "[red]aaa", "In[1] idle")
    assert seat.screen.count("[red]aaa") == 1
    seat.press("S")
    seat.shows("started by another program")
    assert stranger.poll() is None
