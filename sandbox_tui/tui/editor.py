"""A cell in the person's own editor: the terminal is handed over, and what was saved comes back."""

from __future__ import annotations

import os
import shlex
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from textual.app import App

from sandbox_tui.model.cells import Cell, CellKind
from sandbox_tui.model.errors import OperationFailedError
from sandbox_tui.runtime import terminal
from sandbox_tui.tui.lending import lend

FALLBACK = "vi"
_SUFFIXES = {CellKind.CODE: ".py", CellKind.MARKDOWN: ".md", CellKind.RAW: ".txt"}


def edited(app: App[Any], cell: Cell) -> str:
    """The source of `cell` as `$VISUAL` or `$EDITOR` left it.

    Blocks until the editor ends. Raises `ToolMissingError` where there is no such program, and
    `OperationFailedError` when it failed or where there is no terminal (in a browser).
    """
    with tempfile.TemporaryDirectory(prefix="sandbox-tui-") as folder:
        path = Path(folder, f"cell{_SUFFIXES[cell.kind]}")
        path.write_text(f"{cell.source}\n", "utf-8", "replace")
        program = _program()
        work = partial(terminal.hand_over, [*program, str(path)])
        fate = lend(app, work, to=cell.id, verb="edit", hint="Edit it here.")
        if fate.exit_code or fate.signal is not None or fate.left_by_key:
            reason = f"{program[0]}: {fate.message}"
            raise OperationFailedError(cell.id, "edit", reason, hint="The cell is as it was.")
        return path.read_text("utf-8", "replace").removesuffix("\n")


def _program() -> list[str]:
    named = os.environ.get("VISUAL") or os.environ.get("EDITOR") or FALLBACK
    return shlex.split(named) or [FALLBACK]
