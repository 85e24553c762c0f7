"""Processes by pid and birth, and the logs of kernels."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from sandbox_tui.backends.kernels.process import KernelProcess, lives, stat
from sandbox_tui.backends.kernels.records import LOG_CAP, KernelRecord, Records, discard, tail, trim
from sandbox_tui.backends.kernels.vitals import Meter
from sandbox_tui.model.refs import Ref
from tests.support import retry_until_async
from tests.system import in_session


def born(pid: int) -> int:
    found = stat(pid)
    assert found is not None
    return found.started


def spawn(*argv: str) -> int:
    process = subprocess.Popen(argv, start_new_session=True)
    process.returncode = 0
    return process.pid


def test_a_pid_that_is_used_again_is_another_process() -> None:
    mine = os.getpid()
    assert lives(mine, born(mine))
    assert not lives(mine, born(mine) - 1)
    assert stat(2**22 + 1) is None


@pytest.mark.parametrize(
    ("script", "code", "reason"),
    [
        ("exit 0", 0, "exit code 0"),
        ("exit 7", 7, "exit code 7"),
        ("kill -9 $$", 137, "signal 9 (Killed)"),
    ],
)
async def test_how_a_child_ended(script: str, code: int, reason: str) -> None:
    pid = spawn("sh", "-c", script)
    process = KernelProcess(pid)
    assert await process.gone(5)
    assert process.ended.result() == (code, reason)


async def test_the_whole_group_is_ended() -> None:
    pid = spawn("sh", "-c", "trap '' TERM; sleep 300 & wait")
    process = KernelProcess(pid)
    await process.end(0.05)
    assert process.ended.done()
    await retry_until_async(lambda: not in_session(pid))
    await process.end()


async def test_a_released_process_goes_on() -> None:
    pid = spawn("sleep", "300")
    process = KernelProcess(pid)
    process.release()
    again = KernelProcess(pid)
    assert not await again.gone(0.05)
    await again.end(0)
    assert again.ended.result().reason == "signal 9 (Killed)"


def record(folder: Path) -> KernelRecord:
    files = folder / "run" / "abcabcabcabc"
    files.mkdir(parents=True)
    log = folder / "abcabcabcabc.log"
    log.write_text("said")
    return KernelRecord(
        id="abcabcabcabc",
        owner=Ref("room:lab"),
        kernel="python",
        pid=1,
        started=2,
        connection_file=str(files / "connection.json"),
        log=str(log),
    )


def test_records_are_read_back_and_forgotten(tmp_path: Path) -> None:
    records = Records(tmp_path)
    assert records.read() == []
    one = record(tmp_path)
    records.write(one)
    (tmp_path / "half.json").write_text("{")
    assert records.read() == [one]
    records.forget(one)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["half.json", "run"]
    assert list((tmp_path / "run").iterdir()) == []


@pytest.mark.parametrize("path", ["", ".", "abcabcabcabc", "/", "/tmp", "/tmp/x/../.."])
def test_nothing_is_removed_but_what_was_made_for_a_kernel(path: str) -> None:
    with pytest.raises(ValueError, match="not made for a kernel"):
        discard(Path(path))


def test_a_log_is_short_and_told_from_a_point(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    assert tail(log) == ""
    log.write_bytes(b"before" + b"caf\xe9\n")
    assert tail(log, 6) == "caf�"
    log.write_bytes(b"x" * (LOG_CAP + 1))
    trim(log)
    assert log.stat().st_size == 0
    log.write_bytes(b"after")
    assert tail(log, 1000) == "after"


def test_vitals_of_a_tree() -> None:
    meter = Meter()
    mine = os.getpid()
    first = meter.measure([mine, 2**22 + 1])
    assert first.keys() == {mine}
    assert first[mine].cpu is None
    sum(range(1_000_000))
    second = meter.measure([mine])[mine]
    assert second.cpu is not None
    assert second.memory is not None
    assert second.memory > 1_000_000
