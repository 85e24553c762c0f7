"""Who may import whom: by import-linter in the source, by ``sys.modules`` at run time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

HEAVY = (
    "docker",
    "fastapi",
    "IPython",
    "jupyter_client",
    "libtmux",
    "pycrdt",
    "textual",
    "tornado",
    "zmq",
)

REPORT = """
import json, sys
print(json.dumps(sorted(sys.modules)))
"""

COMMAND = """
import io, sys
from contextlib import redirect_stdout

said, code = io.StringIO(), 0
with redirect_stdout(said):
    try:
        from sandbox_tui.cli.main import main
        code = main()
    except SystemExit as end:
        code = end.code
assert code in (None, 0, 4), f"exit code {code}"  # 4: an engine is missing here, no matter
assert said.getvalue().strip(), "it printed nothing"
"""


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, timeout=50, check=False
    )


def loaded_by(code: str, *arguments: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter holds after ``code``."""
    done = python(code + REPORT, *arguments)
    assert done.returncode == 0, done.stderr
    return {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


def test_contracts_are_kept() -> None:
    linted = python("from importlinter.cli import lint_imports_command as c; c()", "--no-logo")
    assert linted.returncode == 0, linted.stdout + linted.stderr


def test_importing_the_package_loads_nothing_heavy() -> None:
    too_much = {*HEAVY, "asyncio", "click", "msgspec", "rich", "yaml"}
    assert loaded_by("import sandbox_tui") & too_much == set()


@pytest.mark.parametrize("layer", ["model", "settings", "runtime", "hub", "api"])
def test_a_lower_layer_loads_no_surface(layer: str) -> None:
    surfaces = {"click", "fastapi", "IPython", "rich", "textual"}
    assert loaded_by(f"import sandbox_tui.{layer}") & surfaces == set()


@pytest.mark.parametrize("flag", ["--version", "--help"])
def test_a_question_loads_no_technology(flag: str) -> None:
    assert loaded_by(COMMAND, flag) & set(HEAVY) == set()


def test_ls_loads_no_screen_and_no_server() -> None:
    assert loaded_by(COMMAND, "ls", "--json") & {"textual", "fastapi", "IPython"} == set()
