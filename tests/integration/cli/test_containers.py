"""Containers from the shell, on a real engine."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox_tui.api.containers import create_new_container, init_project
from tests.integration.cli.conftest import Cli, SitDown
from tests.support import Engine, retry_until

IMAGE = "sandbox-tui-test/busybox"


@pytest.fixture
def box(cli: Cli, docker_engine: Engine) -> Iterator[str]:
    """A running container."""
    name = f"container:st-cli-{uuid.uuid4().hex[:8]}"
    command = "trap 'exit 0' TERM; seq 1 20; while :; do sleep 0.2; done"
    said = cli("start", name, "--image", IMAGE, "--command", command, "--env", "WHO=me")
    assert said.code == 0, said.err
    yield name
    cli("rm", name, "--force", "--yes")


def test_a_listing_of_real_containers_loads_no_library_of_anybody(box: str) -> None:
    code = (
        "import sys; from sandbox_tui.cli.main import main; main(['ls', '--json']);"
        "print({'docker', 'requests', 'urllib3', 'http', 'pycrdt', 'jupyter_core', 'zmq',"
        " 'libtmux', 'yaml', 'tarfile', 'zipfile', 'email'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    listing, loaded = done.stdout.splitlines()
    assert box in listing
    assert loaded == "set()"


def test_one_that_is_removed_takes_along_what_its_project_keeps(
    cli: Cli, docker_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del docker_engine
    monkeypatch.chdir(init_project(tmp_path / "shop"))
    name = f"st-cli-{uuid.uuid4().hex[:8]}"
    kept = Path(create_new_container(image=IMAGE, name=name, persist=True).data_path)
    other = kept.with_name("other")
    shutil.copytree(kept, other)

    assert cli("rm", f"container:{name}", "--force", "--yes").code == 0
    assert not kept.exists()
    assert other.exists()


def test_a_container_from_beginning_to_end(cli: Cli, box: str) -> None:
    entry = cli("status", box, "--json").json
    assert (entry["state"], entry["managed"]) == ("running", True)
    assert entry["image"].startswith(IMAGE)
    assert cli("start", box, "--image", IMAGE).code == 1
    assert cli("logs", box, "--lines", "3").out == "18\n19\n20\n"
    stamped = cli("logs", box, "--lines", "1", "--timestamps").out
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d 20\n", stamped)
    assert cli("pause", box).code == 0
    assert cli("status", box, "--json").json["state"] == "paused"
    assert cli("resume", box).code == 0
    assert cli("stop", box, "--json").json["sandbox"]["state"] in ("stopped", "exited")
    assert box in cli("ls", "--backend", "container").out
    assert cli("logs", box, "--lines", "1").out == "20\n"
    assert cli("rm", box).code == 2
    assert cli("rm", box, "--yes").code == 0
    assert cli("status", box).code == 3


def test_run_streams_both_and_ends_as_the_command_did(cli: Cli, box: str) -> None:
    said = cli("run", box, "--", "echo out $WHO; echo err >&2; exit 9")
    assert (said.out, said.err, said.code) == ("out me\n", "err\n", 9)
    assert cli("run", box, "--", "echo", "two  words", "$WHO").out == "two  words $WHO\n"
    late = cli("run", box, "--timeout", "0.5", "--", "sleep 60")
    assert (late.code, late.err) == (5, "not done in time, and so ended\n")
    assert cli("run", box, "--json", "--", "exit 3").json["exit_code"] == 3


def test_ctrl_c_ends_the_command_inside(sit_down: SitDown, cli: Cli, box: str) -> None:
    one = sit_down("run", box, "--", "echo begun; sleep 54321")
    one.sees("begun")
    one.types("\x03")
    assert one.sees_the_end() == 130
    retry_until(lambda: "54321" not in cli("run", box, "--", "ps").out)


def test_following_sees_what_comes(sit_down: SitDown, box: str) -> None:
    one = sit_down("logs", box, "--follow", "--lines", "1")
    one.sees("^20\r\n")
    one.types("\x03")
    assert one.sees_the_end() == 130


def test_a_shell_inside(sit_down: SitDown, box: str) -> None:
    one = sit_down("shell", box)
    one.sees(r"[#$] ")
    one.types("echo $WHO-$((6*7))\r")
    one.sees("me-42")
    one.types("exit 4\r")
    assert one.sees_the_end() == 4
    assert f"{box}: ended with exit code 4" in one.seen


def test_the_leave_key_leaves_a_shell(sit_down: SitDown, cli: Cli, box: str) -> None:
    one = sit_down("shell", box)
    one.sees(r"[#$] ")
    one.types("\x1c")
    assert one.sees_the_end() == 0
    assert cli("status", box, "--json").json["state"] == "running"


def test_ctrl_c_while_attached_leaves_us_alive(sit_down: SitDown, cli: Cli, box: str) -> None:
    one = sit_down("attach", box)
    one.sees("leave with")
    one.waits_for_raw_keys()
    one.types("\x1c")
    assert one.sees_the_end() == 0
    assert "Traceback" not in one.seen
    assert cli("status", box, "--json").json["state"] == "running"


def test_an_error_as_json(cli: Cli, docker_engine: Engine) -> None:
    said = cli("start", "container:st-none", "--image", "sandbox-tui-test/no-such", "--json")
    assert said.out == ""
    assert said.code in (1, 2, 3)
    error = json.loads(said.err)["error"]
    assert set(error) == {"type", "message", "hint"}
