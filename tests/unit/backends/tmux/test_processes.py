"""What is read from /proc, about processes of this test's own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sandbox_tui.backends.tmux import processes
from tests.support import retry_until

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc")

Spawn = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def spawn() -> Iterator[Spawn]:
    children: list[subprocess.Popen[bytes]] = []

    def spawn(*argv: str) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
        )
        children.append(child)
        return child

    yield spawn
    for child in children:
        with suppress(ProcessLookupError):  # with what it has started
            os.killpg(child.pid, signal.SIGKILL)
        child.communicate()


def test_a_process_is_known_while_it_runs(spawn: Spawn) -> None:
    child = spawn("sleep", "1000")
    process = processes.look(child.pid)

    assert process is not None
    assert process.memory > 0
    assert processes.is_alive(process)
    processes.kill([process])
    retry_until(lambda: not processes.is_alive(process))
    assert processes.look(child.pid) is None, "a zombie does not run"


def test_a_pid_that_is_somebody_elses_now_is_left_alone(spawn: Spawn) -> None:
    child = spawn("sleep", "1000")
    process = processes.look(child.pid)
    assert process is not None
    processes.kill([process._replace(born=process.born - 1)])

    assert processes.is_alive(process)


def test_a_tree_costs_what_its_members_cost(spawn: Spawn) -> None:
    busy = "import time\nwhile time.process_time() < 0.3: pass\ntime.sleep(1000)"
    shell = spawn("sh", "-c", f'{sys.executable} -c "{busy}" & wait')

    retry_until(lambda: len(processes.tree(shell.pid)) == 2)
    before = processes.Usage({}, 0)
    retry_until(lambda: processes.usage(shell.pid).cpu_since(before) >= 0.25)
    assert processes.usage(shell.pid).memory > 1_000_000


@pytest.mark.parametrize(
    ("words", "is_idle"),
    [
        (["-bash"], True),
        (["bash"], True),
        (["/bin/zsh", "-l"], True),
        (["bash", "--norc"], True),
        (["bash", "--rcfile", "x", "-i"], True),
        (["sh", "-c", "sleep 1"], False),
        (["bash", "-lc", "sleep 1"], False),
        (["bash", "script.sh"], False),
        (["python3"], False),
        ([], False),
    ],
)
def test_which_shells_wait_for_commands(words: list[str], is_idle: bool) -> None:
    assert processes._is_interactive(words) is is_idle
