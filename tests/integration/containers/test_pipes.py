"""How a shell inside gets pipes of its own, and who may open them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sandbox_tui.backends.containers.commands import scripts
from sandbox_tui.backends.containers.commands.killing import TAG
from sandbox_tui.backends.containers.commands.pipes import Pipes, main_of, pipes_below, pipes_of
from sandbox_tui.model.specs import IDLING
from tests.support import retry_until

Begin = Callable[..., subprocess.Popen[bytes]]

PROOF = "0123456789abcdef"

LISTED = "ls -l /proc/self/fd 2>/dev/null"


@pytest.fixture
def begin() -> Iterator[Begin]:
    """Begin a shell that has said that it is there."""
    begun: list[subprocess.Popen[bytes]] = []

    def start(*shell: str) -> subprocess.Popen[bytes]:
        if shutil.which(shell[0]) is None:
            pytest.skip(f"no {shell[0]} here")
        process = subprocess.Popen(
            [*shell, "-s", scripts.LABEL],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env={**os.environ, TAG: PROOF},
        )
        begun.append(process)
        tell(process, scripts.pipes())
        assert process.stdout is not None
        assert process.stdout.readline() == f"\x01{PROOF} here\n".encode()
        return process

    yield start
    for process in begun:
        process.kill()
        process.communicate()


def tell(process: subprocess.Popen[bytes], text: str) -> None:
    assert process.stdin is not None
    process.stdin.write(text.encode())


every_shell = pytest.mark.parametrize(
    "shell", [("dash",), ("busybox", "sh"), ("bash",)], ids=["dash", "busybox sh", "bash"]
)


@every_shell
def test_a_shell_speaks_by_its_own_pipes(begin: Begin, shell: tuple[str, ...]) -> None:
    process = begin(*shell)
    with closing(pipes_of(process.pid, f"{TAG}={PROOF}")) as pipes:
        for pipe in pipes:
            os.set_blocking(pipe.fileno(), True)
        pipes.stdin.send(scripts.pipes_opened(opened=True).encode())
        pipes.stdin.send(f"echo out; echo err >&2; {LISTED} 7>&-; exit 4\n".encode())
        out, err = pipes.stdout.readall(), pipes.stderr.readall()

    assert (out.partition(b"\n")[0], err) == (b"out", b"err\n")
    assert out.count(b"pipe:") == 2  # stdin and stdout
    assert process.communicate() == (b"", b"")
    assert process.returncode == 4


@every_shell
def test_a_shell_whose_pipes_are_not_opened_speaks_as_it_began(
    begin: Begin, shell: tuple[str, ...]
) -> None:
    process = begin(*shell)
    tell(process, scripts.pipes_opened(opened=False))
    tell(process, f"echo out; echo err >&2; {LISTED}; exit 4\n")
    out, err = process.communicate()

    assert (out.partition(b"\n")[0], err) == (b"out", b"err\n")
    assert out.count(b"pipe:") == 2
    assert process.returncode == 4


@every_shell
def test_a_shell_that_waits_begins_another_and_idles_after_it(shell: tuple[str, ...]) -> None:
    with subprocess.Popen(
        [*shell, "-s", scripts.LABEL], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as main:
        tell(main, scripts.first(PROOF))
        pipes = retry_until(lambda: below(main.pid))
        assert pipes is not None
        with closing(pipes):
            os.set_blocking(pipes.stdout.fileno(), True)
            pipes.stdin.send(scripts.first_opened().encode())
            pipes.stdin.send(b"echo out; read -r x; echo never\n")
            assert pipes.stdout.recv(100) == b"out\n"
        command_line = Path(f"/proc/{main.pid}/cmdline")
        idling = "\0".join((*IDLING, ""))
        retry_until(lambda: command_line.read_text() == idling)
        main.kill()
        assert main.communicate() == (b"", None)


def below(pid: int) -> Pipes | None:
    """The pipes of what a shell has begun, once it has."""
    try:
        return pipes_below(pid, f"{TAG}={PROOF}")
    except ProcessLookupError:
        return None


def test_another_process_is_not_opened(begin: Begin) -> None:
    process = begin("dash")

    for proof in (f"{TAG}={PROOF[:-1]}", f"{TAG}={PROOF}0", PROOF):
        with pytest.raises(ProcessLookupError, match="another"):
            pipes_of(process.pid, proof)
    with pytest.raises(FileNotFoundError):
        pipes_of(0, f"{TAG}={PROOF}")


def test_what_is_no_pipe_is_not_opened() -> None:
    with subprocess.Popen(
        ["sh", "-c", "exec 3</dev/zero 4</dev/zero; echo; read end"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, TAG: PROOF},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"\n"
        with pytest.raises(OSError, match="is no pipe"):
            pipes_of(process.pid, f"{TAG}={PROOF}")
        process.communicate()


def test_a_process_of_another_container_is_not_told_anything(begin: Begin) -> None:
    process = begin("dash")
    argv = ("dash", "-s", scripts.LABEL)
    for container_id, words in (("0" * 64, argv), ("", argv[:2])):
        with pytest.raises(ProcessLookupError, match="waits here"):
            main_of(process.pid, container_id, words)
    main_of(process.pid, "", argv).close()
