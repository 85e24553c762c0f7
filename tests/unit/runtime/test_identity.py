"""Whether a process is gone is said only of one that is, for certain."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from sandbox_tui.runtime.identity import is_gone, myself

TELL = "from sandbox_tui.runtime.identity import myself; print(myself(), flush=True); input()"


def test_a_process_is_gone_when_it_has_ended_and_not_before() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", TELL], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        identity = child.stdout.readline().strip()
        assert not is_gone(identity)
        child.kill()
        child.wait()
        assert is_gone(identity)


def test_another_process_under_the_same_number_is_not_the_same() -> None:
    pid, began, world = myself().split(".")

    assert not is_gone(myself())
    assert is_gone(f"{pid}.{int(began) + 1}.{world}")


def test_what_cannot_be_known_is_not_gone() -> None:
    _, began, _ = myself().split(".")

    for told in ("", "x", "1", "4194999.5", f"4194999.{began}.", f"4194999.{began}.elsewhere"):
        assert not is_gone(told)


def test_a_process_whose_name_was_cut_within_a_letter_is_one(tmp_path: Path) -> None:
    program = tmp_path / "xüüüüüüüüü"
    program.symlink_to("/bin/sleep")
    with subprocess.Popen([program, "60"]) as child:
        try:
            assert is_gone(f"{child.pid}.1.{myself().split('.')[2]}")
        finally:
            child.kill()
