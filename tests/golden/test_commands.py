"""What the command line prints, byte for byte, over the built-in story and real configuration.

A case is a file in `said/`: its first line is the command. `UPDATE_GOLDEN=1` writes them anew.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CASES = sorted((Path(__file__).parent / "said").glob("*.txt"))

CONFIGURATION = """\
sandboxes:
  "[/red]x": {backend: room}
  "two words": {backend: room, working_dir: ./notes}
  "日本": {kernel: ir}
  %s: {backend: room}
  broken: {backend: room, kernle: ir}
""" % ("long-" * 40)

VOLATILE = (
    (re.compile(r'("(?:created_at|duration|started_at|at)":)\d[\d.e-]*'), r"\g<1>0"),
    (re.compile(r'("revision":)\d+'), r"\g<1>0"),
    (re.compile(r'("id":)"[0-9a-f]{32}"'), r'\g<1>"0"'),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+\+[\d:]+"), "TIME"),
)


def run(command: str, home: Path) -> str:
    """Everything a command says, with what differs from run to run made equal."""
    (home / "home" / "sandbox-tui.yml").write_text(CONFIGURATION, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "sandbox_tui", *shlex.split(command)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=home / "home",
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80", "TZ": "UTC"},
        timeout=30,
        check=False,
    )
    parts = [done.stdout.decode(), "--- stderr\n", done.stderr.decode()]
    text = f"$ sandbox-tui {command}\n{''.join(parts)}--- exit {done.returncode}\n"
    text = text.replace(str(home), "HOME").replace(str(ROOT), "ROOT")
    text = text.replace(sys.executable, "PYTHON")
    for pattern, same in VOLATILE:
        text = pattern.sub(same, text)
    return text


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_it_says_what_it_said(case: Path, home: Path) -> None:
    expected = case.read_text(encoding="utf-8")
    command = expected.partition("\n")[0].removeprefix("$ sandbox-tui ")
    said = run(command, home)
    if os.environ.get("UPDATE_GOLDEN"):
        case.write_text(said, encoding="utf-8")
        return
    assert said == expected


def test_there_are_cases() -> None:
    assert len(CASES) > 20
