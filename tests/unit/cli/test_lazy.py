"""A command imports what it needs and nothing else."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys

import pytest

TECHNOLOGY = {"docker", "jupyter_client", "jupyter_core", "requests", "textual", "yaml", "zmq"}

ACTING = {
    "sandbox_tui.api.blocking_api",
    "sandbox_tui.backends.containers.attach",
    "sandbox_tui.backends.containers.commands.run",
    "sandbox_tui.backends.containers.commands.session",
    "sandbox_tui.backends.containers.commands.workers",
    "sandbox_tui.backends.containers.create",
    "sandbox_tui.backends.containers.files.files",
    "sandbox_tui.backends.containers.logs",
    "sandbox_tui.backends.containers.vitals.cgroups",
    "sandbox_tui.backends.kernels.client",
    "sandbox_tui.backends.tmux.capture",
    "sandbox_tui.backends.tmux.ending",
    "sandbox_tui.backends.tmux.keyboard",
    "sandbox_tui.backends.tmux.scrollback",
    "sandbox_tui.backends.tmux.starting",
    "sandbox_tui.documents.store",
    "sandbox_tui.hub.handlers",
}
"""What does something with sandboxes, which a listing never does."""

REPORT = (
    "import json, sys; from sandbox_tui.cli.main import main; main(sys.argv[1:]);"
    "print(); print(json.dumps(sorted(sys.modules)))"
)


def modules_of(*words: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", REPORT, *words], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def loaded_by(*words: str) -> set[str]:
    return {name.partition(".")[0] for name in modules_of(*words)}


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


def test_a_listing_imports_nothing_that_acts() -> None:
    assert all(importlib.util.find_spec(name) for name in ACTING)
    assert modules_of("ls", "--json") & (ACTING | TECHNOLOGY) == set()
