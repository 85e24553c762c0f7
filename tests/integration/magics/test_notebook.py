"""A whole notebook, executed as a scheduler or a publisher executes one."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_notebook

from tests.integration.magics.conftest import IMAGE
from tests.support import Engine


@pytest.fixture(autouse=True)
def _engine(docker_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", docker_engine.url)


def execute(folder: Path, *sources: str) -> list[str]:
    """What each cell has printed on stdout; the notebook is a valid one before and after."""
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    NotebookClient(
        notebook, timeout=30, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    nbformat.validate(notebook)
    return [
        "".join(o.get("text", "") for o in cell.outputs if o.get("name") == "stdout")
        for cell in notebook.cells
    ]


def test_a_notebook_with_every_magic(tmp_path: Path) -> None:
    (tmp_path / "sandbox-tui.yml").write_text(f"profiles: {{ml: {{image: {IMAGE}}}}}\n")
    said = execute(
        tmp_path,
        "%load_ext sandbox_tui",
        f"%%docker {IMAGE}\necho one",
        "%docker_profile ml",
        "!echo two",
        "%docker_off",
        "!echo three",
        "%docker_on",
        "%docker_status",
        "print(_exit_code)",
    )
    assert said[1] == "one\n"
    assert said[3] == "two\n"
    assert said[5].strip() == "three"
    assert "! redirection: on" in said[7]
    assert said[8] == "0\n"


def test_a_refused_cell_ends_the_notebook(tmp_path: Path) -> None:
    with pytest.raises(CellExecutionError):
        execute(
            tmp_path, "%load_ext sandbox_tui", f"%%docker --check {IMAGE}\nexit 3", "print('never')"
        )
