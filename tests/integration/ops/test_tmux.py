"""Sessions in tmux by the ops face and by the shell, on a server of the test's own."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox_tui.api.ops import (
    BackendType,
    SessionConfig,
    SessionConfigError,
    SessionExistsError,
    SessionManager,
    SessionNotFoundError,
    SessionState,
    TmuxNotFoundError,
    TmuxRunner,
    auto_detect_backend,
)
from tests.integration.cli.conftest import Cli, SitDown
from tests.integration.ops.racing import one_wins
from tests.person import Person
from tests.support import TmuxServer, retry_until


def test_a_session_from_beginning_to_end(tmux_server: TmuxServer) -> None:
    session = SessionManager("bot", backend="tmux")
    with pytest.raises(SessionNotFoundError):
        session.status()
    assert (session.exists(), session.is_running()) == (False, False)

    started = session.start("echo hello; sleep 1000")
    assert (started.name, started.state) == ("bot", SessionState.RUNNING)
    assert (started.backend, started.window_count) == (BackendType.TMUX, 1)
    assert started.pid
    assert started.created_at is not None
    assert started.created_at.isdigit()
    assert retry_until(lambda: session.logs(lines=50)) == "hello\n"
    assert (session.exists(), session.is_running()) == (True, True)
    with pytest.raises(SessionExistsError):
        session.start("sleep 1")

    assert session.stop(timeout=1) is True
    assert not session.exists()
    with pytest.raises(SessionNotFoundError):
        session.stop()


def test_names_are_exact(tmux_server: TmuxServer, cli: Cli) -> None:
    tmux_server.new_session("dev-backup", "sleep 1000")
    dev = SessionManager("dev")
    assert not dev.exists()
    for use in (dev.status, dev.logs, dev.stop, dev.attach):
        with pytest.raises(SessionNotFoundError):
            use()
    for verb in ("stop", "status", "logs"):
        assert cli(verb, "dev").code == 3
    dev.start("sleep 1000")
    assert dev.stop(graceful=False)
    with pytest.raises(SessionNotFoundError):
        dev.stop()
    assert tmux_server.run("list-sessions", "-F", "#{session_name}") == "dev-backup"


def test_nothing_in_a_folder_is_run(tmux_server: TmuxServer, here: Path) -> None:
    odd = here / "#(touch pwned)"
    odd.mkdir()
    (here / "sandbox-tui.yml").write_text(
        json.dumps({"sandboxes": {"odd": {"working_dir": str(odd), "command": "pwd; sleep 99"}}})
    )
    session = SessionManager.from_config("odd")
    session.start()
    assert retry_until(session.logs).strip().replace("\n", "") == str(odd)
    assert not list(here.rglob("pwned"))
    session.stop(graceful=False)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("kstlib.conf.yml", "ops: {tmux_binary: ./evil, container_runtime: ./evil}"),
        ("sandbox-tui.yml", "backends: {tmux: {binary: ./evil}}"),
    ],
)
def test_a_config_of_the_folder_chooses_no_program(
    cli: Cli, here: Path, tmux_server: TmuxServer, file: str, text: str
) -> None:
    evil = here / "evil"
    evil.write_text("#!/bin/sh\ntouch run-by-us\n")
    evil.chmod(0o755)
    (here / file).write_text(text)
    said = cli("start", "a", "--command", "sleep 99", "--backend", "tmux")
    assert file in cli("ls", "--backend", "tmux").err
    assert not (here / "run-by-us").exists()
    assert said.code in (0, 2)


def test_a_handler_of_ctrl_c_gets_to_its_end(tmux_server: TmuxServer, here: Path) -> None:
    program = here / "saves.py"
    program.write_text(
        "import pathlib, signal, sys, time\n"
        "def save(*_):\n"
        "    time.sleep(1); pathlib.Path('saved').write_text('all'); sys.exit()\n"
        "signal.signal(signal.SIGINT, save)\n"
        "print('ready', flush=True)\n"
        "time.sleep(1000)\n"
    )
    session = SessionManager("saver", working_dir=str(here), command="exec python saves.py")
    session.start()
    retry_until(lambda: "ready" in session.logs())
    session.stop(graceful=True, timeout=10)
    assert (here / "saved").read_text() == "all"


def test_exactly_so_many_lines_in_true_order_and_colour(tmux_server: TmuxServer, cli: Cli) -> None:
    session = SessionManager("said")
    session.start(r"seq 1 60; printf '\033[31mred\033[0m\nlast\n'; sleep 1000")
    retry_until(lambda: "last" in session.logs())
    lines = session.logs(lines=2).splitlines()
    assert [line.replace("\x1b[31m", "").replace("\x1b[m", "") for line in lines] == ["red", "last"]
    assert "\x1b[31m" in lines[0]
    assert session.logs(lines=62).split()[:3] == ["1", "2", "3"]
    assert cli("logs", "said", "-n", "2", "--no-ansi").out == "red\nlast\n"


def test_what_ended_can_be_looked_at_until_it_is_removed(tmux_server: TmuxServer) -> None:
    session = SessionManager("short", command="echo bye; exit 7")
    session.start()
    retry_until(lambda: session.status().state is SessionState.EXITED)
    assert session.status().exit_code == 7
    assert session.logs(lines=1) == "bye\n"
    assert session.exists()
    assert session.stop()
    assert not session.exists()


def test_what_ended_runs_again_only_as_it_was(
    tmux_server: TmuxServer, cli: Cli, here: Path
) -> None:
    def define(command: str) -> None:
        (here / "sandbox-tui.yml").write_text(f"sandboxes: {{job: {{command: '{command}'}}}}")

    def has_ended() -> bool:
        return cli("status", "job", "--json").json["state"] == "exited"

    define("echo once >>runs")
    assert cli("start", "job").code == 0
    retry_until(has_ended)
    assert cli("start", "job").code == 0
    retry_until(lambda: (here / "runs").read_text() == "once\nonce\n")
    retry_until(has_ended)

    define("echo other >>runs")
    refused = cli("start", "job")
    assert refused.code == 1
    assert "another definition" in refused.err
    assert "--replace" in refused.err
    assert cli("start", "job", "--replace").code == 0
    retry_until(lambda: (here / "runs").read_text() == "once\nonce\nother\n")


def test_of_two_that_start_one_wins(tmux_server: TmuxServer) -> None:
    one_wins(lambda: SessionManager("race", command="sleep 1000"), 6)


def test_of_two_that_run_what_ended_again_one_wins(tmux_server: TmuxServer, here: Path) -> None:
    command = "[ -e x ] && exec sleep 1000; >x"
    session = SessionManager("again", command=command, working_dir=str(here))
    session.start()
    retry_until(lambda: session.status().state is SessionState.EXITED)
    one_wins(lambda: SessionManager("again", command=command, working_dir=str(here)), 4)


def test_defined_running_defined(tmux_server: TmuxServer, cli: Cli, here: Path) -> None:
    (here / "kstlib.conf.yml").write_text(
        "ops: {sessions: {astro: {backend: tmux, command: sleep 1000, env: {MODE: development}}}}"
    )
    session = SessionManager.from_config("astro")
    assert session.status().state is SessionState.DEFINED
    assert not session.exists()
    assert "defined" in cli("list", "--backend", "tmux").out
    assert cli("status", "astro", "--json").json["state"] == "defined"
    for words in (
        ("stop", "astro"),
        ("logs", "astro"),
        ("send", "astro", "x"),
        ("interrupt", "astro"),
    ):
        said = cli(*words)
        assert (said.code, "sandbox-tui start tmux:astro" in said.err) == (3, True), said.err
    assert session.start().state is SessionState.RUNNING
    assert "running" in cli("list", "--backend", "tmux").out
    session.stop(graceful=False)
    assert session.status().state is SessionState.DEFINED
    assert "defined" in cli("list", "--backend", "tmux").out


def test_what_no_file_defines_or_defines_wrongly(here: Path) -> None:
    file = here / "kstlib.conf.yml"
    file.write_text("ops:\n  sessions:\n    good: {}\n    bad: {image: 'x y'}\n")
    with pytest.raises(SessionConfigError, match="there are: good"):
        SessionManager.from_config("nope")
    with pytest.raises(SessionConfigError, match=r"kstlib\.conf\.yml:4: .*'x y'"):
        SessionManager.from_config("bad")


def test_a_broken_entry_starts_nothing_else(tmux_server: TmuxServer, cli: Cli, here: Path) -> None:
    (here / "sandbox-tui.yml").write_text("sandboxes: {bad: {image: 'x y'}, good: {}}")
    tmux_server.new_session("bad-one", "sleep 1000")
    refused = cli("start", "bad")
    assert refused.code == 2
    assert "sandbox-tui.yml:1" in refused.err
    assert "good" in cli("ls", "--backend", "tmux").out
    assert tmux_server.run("list-sessions", "-F", "#{session_name}") == "bad-one"


def test_an_override_counts_for_this_start(tmux_server: TmuxServer) -> None:
    session = SessionManager("env", command="echo $A-$B; sleep 99", env={"A": "1", "B": "2"})
    session.start(env={"B": "3"})
    assert retry_until(session.logs) == "1-3\n"


def test_words_run_without_a_shell(tmux_server: TmuxServer, here: Path) -> None:
    (here / "sandbox-tui.yml").write_text(
        "sandboxes: {words: {command: [echo, $HOME; touch x], env: {PORT: 8080}}}"
    )
    session = SessionManager.from_config("words")
    session.start()
    assert retry_until(session.logs) == "$HOME; touch x\n"
    assert not (here / "x").exists()


def test_every_server_of_the_user_is_seen(
    tmux_server: TmuxServer, tmux_servers: Callable[[str], TmuxServer], cli: Cli
) -> None:
    work = tmux_servers("work")
    work.new_session("api", "sleep 1000")
    dead = tmux_server.socket.parent / "dead"
    os.mknod(dead)
    listed = cli("ls", "--json", "--backend", "tmux").json
    assert [box["ref"] for box in listed["sandboxes"]] == ["tmux:api@work"]
    assert set(listed["health"]) == {"tmux", "tmux@work"}
    assert cli("stop", "api", "--force").code == 0


def test_a_socket_that_nobody_has_named_before(tmux_server: TmuxServer, cli: Cli) -> None:
    assert cli("start", "a", "--socket", "fresh", "--command", "sleep 1000").code == 0
    elsewhere = SessionManager("a", socket_name="fresh")
    assert elsewhere.status().socket_name == "fresh"
    assert not SessionManager("a").exists()
    assert auto_detect_backend("a", socket_name="fresh") is BackendType.TMUX
    assert elsewhere.stop(graceful=False)


def test_the_same_name_on_two_servers_must_be_told_apart(
    tmux_server: TmuxServer, tmux_servers: Callable[[str], TmuxServer], cli: Cli
) -> None:
    for server in (tmux_server, tmux_servers("work")):
        server.new_session("api", "sleep 1000")
    refused = cli("stop", "api")
    assert refused.code == 2
    assert "tmux:api, tmux:api@work" in refused.err
    assert cli("status", "api", "--socket", "default", "--json").json["ref"] == "tmux:api"
    assert cli("status", "api", "--socket", "none").code == 3
    assert cli("logs", "api", "--socket", "work", "--runtime", "docker").code == 2
    assert cli("stop", "api", "--socket", "work", "--force").code == 0
    assert tmux_server.run("list-sessions", "-F", "#{session_name}") == "api"


def test_a_runner_by_itself(tmux_server: TmuxServer) -> None:
    runner = TmuxRunner()
    config = SessionConfig(name="direct", backend=BackendType.TMUX, command="cat")
    assert runner.start(config).state is SessionState.RUNNING
    runner.send_keys("direct", "hello #(x)")
    retry_until(lambda: runner.logs("direct").count("hello #(x)") == 2)
    assert [status.name for status in runner.list_sessions()] == ["direct"]
    runner.send_keys("direct", "C-c")
    retry_until(lambda: runner.status("direct").state is SessionState.EXITED)
    assert runner.stop("direct")
    assert runner.list_sessions() == []


def test_a_missing_program_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TmuxNotFoundError, match="nonono"):
        TmuxRunner(binary="nonono").list_sessions()
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(FileNotFoundError, match="tmux is not installed"):
        SessionManager("a").start("sleep 1")


def test_attaching_and_coming_back(tmux_server: TmuxServer, cli: Cli, sit_down: SitDown) -> None:
    assert cli("start", "dev", "--command", "echo here I am; exec cat").code == 0
    one = sit_down("attach", "dev")
    one.sees("here I am")
    one.leaves(tmux_server)
    assert one.sees_the_end() == 0
    assert SessionManager("dev").is_running()
    SessionManager("dev").stop(graceful=False)


def test_a_program_attaches_and_goes_on(tmux_server: TmuxServer) -> None:
    SessionManager("dev", command="echo here I am; exec cat").start()
    code = (
        "from sandbox_tui.api.ops import SessionManager\n"
        "SessionManager('dev').attach()\n"
        "print('back', SessionManager('dev').is_running())\n"
    )
    with Person(sys.executable, "-c", code, env={"TERM": "xterm-256color"}) as one:
        one.sees("here I am")
        one.leaves(tmux_server)
        one.sees("back True")
        assert one.sees_the_end() == 0
    SessionManager("dev").stop(graceful=False)
