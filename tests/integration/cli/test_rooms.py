"""Rooms from the shell: a real daemon and real kernels."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.cli.conftest import Cli, SitDown
from tests.support import retry_until

pytestmark = pytest.mark.usefixtures("daemon")


@pytest.fixture
def lab(cli: Cli) -> str:
    said = cli("room", "new", "lab")
    assert said.code == 0, said.err
    return "lab"


def test_a_room_from_beginning_to_end(cli: Cli, here: Path) -> None:
    assert cli("room", "new", "lab", "--env", "X=6").code == 0
    first = cli("room", "add", "lab", "x = 7 * int(__import__('os').environ['X'])").out.strip()
    second = cli("room", "add", "lab", "-", stdin="print('x is', x)\nx").out.strip()
    ran = cli("room", "run-all", "lab")
    assert (ran.out, ran.code) == ("x is 42\n42\n", 0)
    assert cli("room", "edit", "lab", "1", "x = 1").code == 0
    assert cli("room", "run", "lab", first, "2").out == "x is 1\n1\n"
    cells = cli("room", "cells", "lab", "--json").json["cells"]
    assert [cell["cell"]["id"] for cell in cells] == [first, second]
    assert cli("room", "export", "lab", "lab.ipynb").code == 0
    exported = json.loads((here / "lab.ipynb").read_text())
    assert exported["nbformat"] == 4
    assert exported["cells"][1]["outputs"][0]["text"] == ["x is 1\n"]
    assert cli("room", "export", "lab").out == (here / "lab.ipynb").read_text()
    assert cli("room", "rm", "lab", "1").code == 0
    assert cli("room", "run", "lab", "9").code == 3
    assert cli("room", "restart", "lab").code == 0
    assert cli("stop", "room:lab").code == 0
    assert cli("status", "room:lab", "--json").json["state"] == "stopped"
    assert cli("room", "rm", "lab", "--yes").code == 0
    assert cli("room", "ls", "--json").json["sandboxes"] == []


def test_cells_are_appended_to_moved_and_cleared(cli: Cli, lab: str) -> None:
    for source in ("x = 1", "print(x)"):
        cli("room", "add", lab, source)
    assert cli("room", "append", lab, "1", "-", stdin=" + 1").code == 0
    assert cli("room", "run-all", lab).out == "2\n"
    assert cli("room", "clear", lab, "2").err == cli("room", "clear", lab, "2").err
    cells = cli("room", "cells", lab, "--json").json["cells"]
    assert [cell["run"] is None for cell in cells] == [False, True]
    assert cli("room", "clear", lab, "--json").json["cell"] is None
    assert all(c["run"] is None for c in cli("room", "cells", lab, "--json").json["cells"])
    moved = cli("room", "move", lab, "2", "0", "--json").json
    assert moved["done"] == "moved"
    sources = [c["cell"]["source"] for c in cli("room", "cells", lab, "--json").json["cells"]]
    assert sources == ["print(x)", "x = 1 + 1"]
    assert cli("room", "move", lab, "9", "0").code == 3
    assert cli("room", "move", lab, "1", "-1").code == 2


def test_a_notebook_file_is_opened_and_saved(cli: Cli, lab: str, here: Path) -> None:
    cli("room", "add", lab, "print(6 * 7)")
    cli("room", "export", lab, "made.ipynb")
    opened = cli("room", "open", "made.ipynb")
    assert opened.code == 0, opened.err
    assert "print(6 * 7)" in opened.out
    assert cli("room", "run-all", "made").out == "42\n"
    assert cli("room", "save", "made").code == 0
    [cell] = json.loads((here / "made.ipynb").read_text())["cells"]
    assert cell["outputs"][0]["text"] == ["42\n"]
    saved = cli("room", "save", "made", "copy.ipynb", "--json").json["file"]
    assert Path(saved) == here / "copy.ipynb"
    assert cli("room", "open", "nowhere.ipynb").code != 0


def test_a_failing_cell_fails_the_command_and_drops_the_rest(cli: Cli, lab: str) -> None:
    for source in ("print('before')", "1 / 0", "print('after')"):
        cli("room", "add", lab, source)
    ran = cli("room", "run-all", lab)
    assert ran.out == "before\n"
    assert "ZeroDivisionError" in ran.err
    assert ran.code == 1
    results = cli("room", "run-all", lab, "--json").json["results"]
    assert [result["outcome"] for result in results] == ["ok", "error", "cancelled"]


def test_run_streams_and_tells_how_it_ended(cli: Cli, lab: str) -> None:
    code = "import sys; print('out'); print('err', file=sys.stderr); 6 * 7"
    said = cli("run", f"room:{lab}", "--", code)
    assert (said.out, said.err, said.code) == ("out\n42\n", "err\n", 0)
    assert cli("run", f"room:{lab}", "--timeout", "0.3", "--", "while True: pass").code == 5
    piped = cli("run", f"room:{lab}", "-", "--json", stdin="for i in range(2):\n  print(i)")
    assert piped.json["stdout"] == "0\n1\n"


def test_ctrl_c_ends_the_run_inside(sit_down: SitDown, cli: Cli, lab: str) -> None:
    one = sit_down(
        "run", f"room:{lab}", "--", "import time; print('begun', flush=True); time.sleep(60)"
    )
    one.sees("begun")
    one.types("\x03")
    assert one.sees_the_end() == 130
    retry_until(lambda: cli("status", f"room:{lab}", "--json").json["state"] == "idle")


def test_a_console_over_a_real_kernel(sit_down: SitDown, lab: str) -> None:
    one = sit_down("attach", f"room:{lab}")
    one.sees(r"In \[1\]: ")
    one.types("def f():\r  return 6 * 7\r\r")
    one.sees(r"In \[2\]: ")
    one.types("f()\r")
    one.sees(r"\n42\r\n")
    one.types("import time; print('be' 'gun'); time.sleep(60)\r")
    one.sees("begun\r\n")
    one.types("\x03")
    one.sees("KeyboardInterrupt")
    one.sees(r"In \[\d+\]: $")
    one.types("\x04")
    assert one.sees_the_end() == 0


def test_logs_are_what_the_runs_said(cli: Cli, lab: str) -> None:
    cli("run", f"room:{lab}", "--", "for i in range(5): print('line', i)")
    said = cli("logs", f"room:{lab}", "--lines", "2")
    assert said.out == "line 3\nline 4\n"
    assert cli("logs", f"room:{lab}", "--grep", "[01]$").out == "line 0\nline 1\n"


def test_the_daemon_from_the_shell(cli: Cli) -> None:
    assert cli("daemon", "status").code == 1
    assert cli("daemon", "start", "--json").json["running"] is True
    assert cli("daemon", "status").code == 0
    assert cli("daemon", "stop", "--json").json == {"stopped": True}
    assert cli("daemon", "stop", "--json").json == {"stopped": False}
