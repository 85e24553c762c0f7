"""Cells in a real terminal: added, typed, run, moved and deleted, with another client beside."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import Open, Terminal
from tests.support import TmuxServer, retry_until

pytestmark = pytest.mark.timeout(120)

Cli = Callable[..., str]

EDITOR = """\
import pathlib, sys
print("the editor has the terminal")
file = pathlib.Path(sys.argv[1])
assert sys.stdin.isatty()
assert input("word: ") == "é"
file.write_text(file.read_text().replace("before", "after é"))
"""


def sources(cli: Cli) -> list[str]:
    """What the cells of the room say, as everybody sees it."""
    told = json.loads(cli("room", "cells", "lab", "--json"))
    return [entry["cell"]["source"] for entry in told["cells"]]


def notebook(terminal: Open, **size: int) -> Terminal:
    """The Notebook tab of the room, with the keys."""
    dashboard = terminal("room", "open", "lab", **size)
    dashboard.shows("lab", "rooms")
    dashboard.press("B")
    if size.get("width", 120) >= 100:
        dashboard.press("Enter")
    dashboard.shows("run in place")
    return dashboard


def test_a_cell_is_added_typed_run_moved_and_deleted(cli: Cli, terminal: Open) -> None:
    """In the smallest terminal there is."""
    cli("room", "new", "lab")
    cli("room", "add", "lab", "first = 1")
    dashboard = notebook(terminal, width=80, height=24)
    dashboard.shows("first = 1")

    dashboard.press("b")
    dashboard.shows("esc leave")
    dashboard.write("import time")
    dashboard.press("Enter")
    dashboard.write("for i in range(3): print(i, 'é', flush=True); time.sleep(0.3 * (i < 2))")
    dashboard.press("C-j")
    dashboard.shows("0 é")
    dashboard.shows("2 é", "done")
    dashboard.press("Escape")
    dashboard.shows("run in place")

    dashboard.press("Up", "K")
    retry_until(lambda: sources(cli)[0].startswith("import time"), timeout=10)
    dashboard.press("J")
    retry_until(lambda: sources(cli)[0] == "first = 1", timeout=10)
    dashboard.press("d")
    dashboard.shows("d once more")
    dashboard.press("d")
    dashboard.shows_no_more("2 é")
    retry_until(lambda: sources(cli) == ["first = 1", ""], timeout=10)


def test_what_others_edit_and_run_appears_while_one_types(cli: Cli, terminal: Open) -> None:
    cli("room", "new", "lab")
    cell = cli("room", "add", "lab", "mine = 1").strip()
    dashboard = notebook(terminal)
    dashboard.press("Enter")
    dashboard.shows("esc leave")
    dashboard.write(" + 2")
    retry_until(lambda: sources(cli) == ["mine = 1 + 2"], timeout=10)

    other = cli("room", "add", "lab", "print('from', 'afar')").strip()
    dashboard.shows("print('from', 'afar')")
    cli("room", "run", "lab", other)
    dashboard.shows("from afar")
    cli("room", "edit", "lab", cell, "whose = 1 + 2")
    dashboard.shows("whose = 1 + 2")
    dashboard.write("3")
    dashboard.press("C-r")
    dashboard.shows("In[2]")
    assert sources(cli)[0] == "whose = 1 + 23"


def test_a_cell_is_edited_in_the_persons_own_editor(
    cli: Cli, terminal: Open, folder: Path, seat: TmuxServer
) -> None:
    script = folder / "editor with a blank.py"
    script.write_text(EDITOR)
    seat.run("set-environment", "-g", "VISUAL", "")
    seat.run("set-environment", "-g", "EDITOR", f"{sys.executable} '{script}'")
    cli("room", "new", "lab")
    cli("room", "add", "lab", "x = 'before'")
    dashboard = notebook(terminal)
    dashboard.press("e")
    dashboard.shows("the editor has the terminal", "word:")
    dashboard.write("é")
    dashboard.press("Enter")

    dashboard.shows("x = 'after é'", "run in place")
    retry_until(lambda: sources(cli) == ["x = 'after é'"], timeout=10)
    dashboard.press("C-r")
    dashboard.shows("In[1]", "done")


def test_what_others_do_while_an_editor_is_open_is_kept(
    cli: Cli, terminal: Open, folder: Path, seat: TmuxServer
) -> None:
    script = folder / "editor.py"
    script.write_text(EDITOR)
    seat.run("set-environment", "-g", "VISUAL", f"{sys.executable} {script}")
    cli("room", "new", "lab")
    cli("room", "add", "lab", "x = 'before'\ny = 1")
    dashboard = notebook(terminal)
    dashboard.press("e")
    dashboard.shows("word:")
    cli("room", "edit", "lab", "1", "# before another\nx = 'before'\ny = 12")
    dashboard.write("é")
    dashboard.press("Enter")
    dashboard.shows("# before another", "x = 'after é'", "y = 12")

    dashboard.press("e")
    dashboard.shows("word:")
    cli("room", "rm", "lab", "1", "--yes")
    dashboard.write("é")
    dashboard.press("Enter")
    dashboard.shows("somebody deleted the cell you edited")
    dashboard.press("C-z")
    dashboard.shows("# after é another", "x = 'after é'")


@pytest.mark.parametrize("editor", ["false", "no-such-editor"])
def test_an_editor_that_fails_changes_nothing(
    cli: Cli, terminal: Open, seat: TmuxServer, editor: str
) -> None:
    seat.run("set-environment", "-g", "VISUAL", editor)
    cli("room", "new", "lab")
    cli("room", "add", "lab", "x = 1")
    dashboard = notebook(terminal)
    dashboard.press("e")
    dashboard.shows(editor)
    dashboard.shows("x = 1", "run in place")
    assert sources(cli) == ["x = 1"]
