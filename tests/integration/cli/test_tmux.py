"""tmux from the shell: real sessions on a server of the test's own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.integration.cli.conftest import Cli, SitDown
from tests.support import TmuxServer, retry_until

ONLY = ("--backend", "tmux")

pytestmark = pytest.mark.usefixtures("tmux_server")


def names(cli: Cli) -> dict[str, str]:
    found = cli("ls", *ONLY, "--json").json["sandboxes"]
    return {box["name"]: box["state"] for box in found}


def test_a_session_from_beginning_to_end(cli: Cli) -> None:
    assert cli("start", "dev", "--command", "cat").err == "started tmux:dev\n"
    assert cli("start", "dev", "--command", "cat").code == 1
    entry = cli("status", "tmux:dev", "--json").json
    assert (entry["state"], entry["managed"], entry["image"]) == ("running", True, None)
    assert isinstance(entry["pid"], int)
    assert cli("send", "tmux:dev", "hello; $(world) #{pid}").code == 0
    retry_until(lambda: "hello; $(world) #{pid}" in cli("logs", "tmux:dev").out)
    assert cli("send", "tmux:dev", "--key", "C-c").code == 0
    assert cli("wait", "tmux:dev", "--for", "exited", "--timeout", "10").code == 0
    assert "signal 2" in cli("ls", *ONLY).out
    assert cli("rm", "tmux:dev", "--yes").code == 0
    assert cli("status", "tmux:dev").code == 3
    assert names(cli) == {}


def test_a_finished_command_keeps_its_exit_code_and_words(cli: Cli) -> None:
    cli("start", "job", "--command", "seq 1 50; echo last; exit 7")
    assert cli("wait", "tmux:job", "--for", "exited", "--timeout", "10").code == 0
    assert "exit 7" in cli("ls", *ONLY).out
    assert cli("logs", "tmux:job", "--lines", "3").out == "49\n50\nlast\n"
    assert cli("logs", "tmux:job", "--lines", "2", "--grep", "^1.$").out == "18\n19\n"


def test_names_are_exact(cli: Cli, tmux_server: TmuxServer) -> None:
    for name in ("dev", "dev-backup"):
        tmux_server.new_session(name, "sleep", "60")
    assert cli("stop", "tmux:de").code == 3
    assert cli("stop", "tmux:dev").code == 0
    assert names(cli) == {"dev-backup": "running"}


@pytest.mark.parametrize(
    "name", ["[/red]x", "two words", "日本", "#{pid}", "a=b", "-dash", "é" * 60]
)
def test_strange_names_are_names(cli: Cli, name: str) -> None:
    assert cli("start", f"tmux:{name}", "--command", "cat").code == 0
    assert names(cli) == {name: "running"}
    said = cli("ls", *ONLY)
    assert f"tmux:{name} " in said.out
    assert "\x1b" not in said.out
    assert cli("stop", f"tmux:{name}", "--force").code == 0
    assert names(cli) == {}


def test_tmux_has_no_exit_code_of_a_command(cli: Cli, tmux_server: TmuxServer) -> None:
    tmux_server.new_session("dev", "sh")
    said = cli("run", "tmux:dev", "--", "ls")
    assert said.code == 2
    assert "sandbox-tui send tmux:dev" in said.err


def test_a_definition_is_listed_started_and_defined_again(cli: Cli, here: Path) -> None:
    (here / "sandbox-tui.yml").write_text(
        "sandboxes:\n"
        "  astro: {command: [sh, -c, 'echo $WHO in $PWD; cat'], working_dir: ., env: {WHO: 007}}\n"
    )
    assert names(cli) == {"astro": "defined"}
    assert cli("start", "astro").code == 0
    retry_until(lambda: f"007 in {here}" in cli("logs", "tmux:astro").out.replace("\n", ""))
    assert cli("stop", "astro", *ONLY).code == 0
    assert names(cli) == {"astro": "defined"}


def test_attach_and_come_back(sit_down: SitDown, cli: Cli, tmux_server: TmuxServer) -> None:
    tmux_server.new_session("dev", "sh")
    one = sit_down("attach", "tmux:dev")
    retry_until(lambda: tmux_server.run("list-clients"))
    one.types("echo in''side\r")
    one.sees("inside")
    one.types("\x03\x1c")
    assert one.sees_the_end() == 0
    one.sees(re.escape("tmux:dev: left by key"))
    assert names(cli) == {"dev": "running"}


def test_inside_tmux_it_switches(cli: Cli, tmux_server: TmuxServer) -> None:
    tmux_server.new_session("here", "sh")
    tmux_server.new_session("there", "sh")
    client = ("attach", "-t", "=here")
    from tests.person import Person

    with Person("tmux", "-S", str(tmux_server.socket), *client, env={"TERM": "xterm"}) as one:
        retry_until(lambda: tmux_server.run("list-clients"))
        one.types("python -m sandbox_tui attach tmux:there\r")
        retry_until(
            lambda: tmux_server.run("list-clients", "-F", "#{client_session}") == "there",
            timeout=15,
        )


def test_only_tmux_is_asked(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere")
    assert (
        cli("ls", *ONLY).err == "nothing here yet; start something with: sandbox-tui start NAME\n"
    )
    everything = cli("ls", "--json")
    assert everything.code == 0
    health = everything.json["health"]
    assert health["tmux"]["ok"] is True
    assert health["container"]["ok"] is False
    assert everything.err.startswith("container: ")
    assert cli("ls", "--backend", "container").code == 4
    assert cli("stop", "container:web").code == 4
