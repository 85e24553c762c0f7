"""A command imports what it needs and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

TECHNOLOGY = {"docker", "jupyter_client", "jupyter_core", "requests", "textual", "yaml", "zmq"}

REPORT = (
    "import json, sys; from sandbox_tui.cli.main import main; main(sys.argv[1:]);"
    "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
)


def loaded_by(*words: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", REPORT, *words], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("--version",),
        ("stop", "--help"),
        ("ls", "--backend", "tmux", "--json"),
        ("--demo", "ls"),
    ],
    ids=" ".join,
)
def test_no_technology_is_imported_that_is_not_asked(words: tuple[str, ...]) -> None:
    assert loaded_by(*words) & TECHNOLOGY == set()


def test_help_does_not_even_start_asyncio() -> None:
    assert "asyncio" not in loaded_by("--help")
