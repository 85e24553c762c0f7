"""Sessions in containers by the ops face and by the shell, on real engines."""

from __future__ import annotations

import itertools
import json
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox_tui.api.ops import (
    BackendType,
    ContainerRunner,
    ContainerRuntimeNotFoundError,
    SessionAmbiguousError,
    SessionAttachError,
    SessionConfig,
    SessionConfigError,
    SessionExistsError,
    SessionManager,
    SessionNotFoundError,
    SessionStartError,
    SessionState,
    TmuxRunner,
    auto_detect_backend,
)
from tests.integration.cli.conftest import PROGRAM, Cli, SitDown
from tests.integration.ops.conftest import IMAGE
from tests.integration.ops.racing import one_wins
from tests.person import Person
from tests.support import Engine, TmuxServer, retry_until

Docker = Callable[..., str]
FOREVER = "trap 'exit 0' TERM INT; while :; do sleep 0.1; done"


def test_a_session_from_beginning_to_end(name: str, docker: Docker, here: Path) -> None:
    session = SessionManager(
        name,
        backend="container",
        image=IMAGE,
        volumes=["./data:/data"],
        log_volume="./logs:/logs",
        ports=["127.0.0.1:0:8080"],
        env={"MODE": "production"},
    )
    assert not session.exists()
    started = session.start(f"echo $MODE | tee /logs/said; {FOREVER}")
    assert (started.state, started.backend) == (SessionState.RUNNING, BackendType.CONTAINER)
    assert started.image is not None
    assert started.image.startswith(IMAGE)
    assert started.pid
    assert retry_until(lambda: session.logs(lines=1)).strip() == "production"
    assert (here / "logs" / "said").read_text() == "production\n"
    with pytest.raises(SessionExistsError):
        session.start(FOREVER)
    assert session.stop(graceful=True, timeout=10) is True
    assert docker("ps", "-aq", "--filter", f"name={name}") == ""
    with pytest.raises(SessionNotFoundError):
        session.status()


def test_what_others_made_is_there_too_and_stays(name: str, docker: Docker) -> None:
    docker("run", "-d", "--init", "--name", name, IMAGE, "sleep", "1000")
    session = SessionManager(name, backend="container")
    assert session.is_running()
    assert name in [status.name for status in ContainerRunner().list_sessions()]
    session.stop(graceful=False)
    assert session.status().state is SessionState.EXITED
    assert docker("ps", "-aq", "--filter", f"name={name}")


def test_nothing_but_its_name_is_a_container(name: str, docker: Docker) -> None:
    full = docker("run", "-d", "--init", "--name", name, IMAGE, "sleep", "1000")
    for other in (full[:4], full[:12], full, name[:-1], "busybox", "bridge", "host"):
        session = SessionManager(other, backend="container")
        assert not session.exists()
        with pytest.raises(SessionNotFoundError):
            session.stop()
    assert docker("inspect", "-f", "{{.State.Running}}", name) == "true"


def test_states_are_told_apart_and_the_same_everywhere(name: str, docker: Docker, cli: Cli) -> None:
    def told() -> tuple[str, str] | None:
        """What everybody says; `None` when it changed meanwhile."""
        entry = cli("status", f"container:{name}", "--json").json
        listed = cli("ls", "--all", "--json", "--backend", "container").json["sandboxes"]
        if [box["state"] for box in listed if box["name"] == name] != [entry["state"]]:
            return None
        session = SessionManager(name, backend="container").status()
        return entry["state"], session.detail or session.state.value

    docker("create", "--name", name, IMAGE, "sleep", "1000")
    assert told() == ("stopped", "created, never started")
    docker("start", name)
    assert told() == ("running", "running")
    docker("pause", name)
    assert told() == ("paused", "paused")
    docker("rm", "-f", name)
    docker("run", "-d", "--restart", "always", "--name", name, IMAGE, "false")
    retry_until(lambda: docker("inspect", "-f", "{{.State.Restarting}}", name) == "true")
    said = retry_until(told, timeout=20)
    assert said is not None
    assert said[1] in ("starts again and again", "starting", "running")


def test_numbers_and_words_of_a_file_work(name: str, docker: Docker, cli: Cli, here: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (here / "kstlib.conf.yml").write_text(
        f"ops: {{sessions: {{{name}: {{backend: container, image: {IMAGE}, env: {{PORT: {port}}},"
        f" ports: [{port}], command: [sleep, 1000]}}}}}}"
    )
    assert cli("start", name).code == 0
    made = json.loads(docker("inspect", name))[0]
    assert f"PORT={port}" in made["Config"]["Env"]
    assert made["Config"]["Cmd"] == ["sleep", "1000"]
    assert made["HostConfig"]["PortBindings"] == {
        f"{port}/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(port)}]
    }


def test_defined_running_defined(name: str, cli: Cli, here: Path, docker: Docker) -> None:
    (here / "sandbox-tui.yml").write_text(
        f"sandboxes: {{{name}: {{image: {IMAGE}, command: '{FOREVER}'}}}}".replace(
            "'exit 0'", "exit"
        )
    )
    assert cli("status", name, "--json").json["state"] == "defined"
    assert cli("start", name).code == 0
    assert cli("status", name, "--json").json["state"] == "running"
    stopped = cli("stop", name, "--force")
    assert stopped.code == 0
    assert "its log are gone, persist: true in its entry keeps them" in stopped.err
    assert cli("status", name, "--json").json["state"] == "defined"
    assert docker("ps", "-aq", "--filter", f"name={name}") == ""


def test_the_nearest_value_counts_and_its_source_is_told(
    name: str, cli: Cli, here: Path, home: Path, docker: Docker
) -> None:
    mine = home / "config" / "sandbox-tui" / "config.yml"
    mine.parent.mkdir()
    mine.write_text(
        f"sandboxes: {{{name}: {{image: {IMAGE}, command: [sleep, 99],"
        " env: {A: u, B: u, C: u}}}"
    )
    project = here / "sandbox-tui.yml"
    project.write_text(f"sandboxes: {{{name}: {{env: {{B: p, C: p}}}}}}")
    (here / "kstlib.conf.yml").write_text(f"ops: {{sessions: {{{name}: {{env: {{D: k}}}}}}}}")
    told = cli("config", "show", "--sources").out
    assert {
        line.split()[0].rpartition(".")[2]: line.split()[-1].rpartition(":")[0]
        for line in told.splitlines()
        if f"{name}.env." in line
    } == {"A": f"{mine}", "B": f"{project}", "C": f"{project}", "D": f"{here / 'kstlib.conf.yml'}"}
    assert cli("start", name, "--env", "C=c", "--log-volume", "./logs:/logs").code == 0
    made = json.loads(docker("inspect", name))[0]
    assert set(made["Config"]["Env"]) >= {"A=u", "B=p", "C=c", "D=k"}
    assert made["Config"]["Cmd"] == ["sleep", "99"]
    assert [mount["Source"] for mount in made["Mounts"]] == [str(here / "logs")]


def test_what_is_to_persist_keeps_its_log_when_it_is_stopped(
    name: str, cli: Cli, here: Path
) -> None:
    (here / "sandbox-tui.yml").write_text(
        f"sandboxes: {{{name}: {{image: {IMAGE}, command: 'echo hi; sleep 99', persist: true}}}}"
    )
    assert cli("start", name).code == 0
    retry_until(lambda: cli("logs", name).out == "hi\n")
    stopped = cli("stop", name, "--force")
    assert (stopped.code, "gone" in stopped.err) == (0, False)
    assert cli("status", name, "--json").json["state"] in ("exited", "failed")
    assert cli("logs", name).out == "hi\n"
    assert cli("rm", name, "--yes").code == 0
    assert cli("status", name, "--json").json["state"] == "defined"


def test_all_that_a_file_says_counts_from_python_too(
    name: str, cli: Cli, here: Path, docker: Docker
) -> None:
    (here / "sandbox-tui.yml").write_text(
        f"profiles: {{small: {{image: {IMAGE}, memory: 64m}}}}\n"
        f"sandboxes: {{{name}: {{profile: small, command: [sleep, 99], security: strict}}}}"
    )
    [row] = cli("ls", "--json", "--backend", "container", "--filter", name).json["sandboxes"]
    assert (row["state"], row["image"]) == ("defined", IMAGE)
    session = SessionManager.from_config(name)
    assert session.status().image == IMAGE
    session.start()
    made = json.loads(docker("inspect", name))[0]["HostConfig"]
    assert (made["Memory"], made["CapDrop"]) == (64 << 20, ["ALL"])
    docker("kill", name)
    retry_until(lambda: session.status().state is SessionState.EXITED)
    assert cli("start", name).code == 0, "the very definition that it was made from"


def test_what_ended_keeps_its_log_and_runs_again_only_as_it_was(
    name: str, cli: Cli, here: Path
) -> None:
    def define(command: str) -> None:
        text = f"sandboxes: {{{name}: {{image: {IMAGE}, command: '{command}'}}}}"
        (here / "sandbox-tui.yml").write_text(text)

    def has_ended() -> bool:
        return cli("status", name, "--json").json["state"] in ("exited", "failed")

    define("echo once; exit 3")
    assert cli("start", name).code == 0
    retry_until(has_ended)
    assert cli("status", name, "--json").json["exit_code"] == 3
    assert cli("logs", name, "-n", "5").out == "once\n"
    assert cli("start", name).code == 0
    retry_until(lambda: cli("logs", name).out == "once\nonce\n", timeout=15)
    retry_until(has_ended)
    define("echo other; sleep 1000")
    refused = cli("start", name)
    assert refused.code == 1
    assert "--replace" in refused.err
    assert cli("start", name, "--replace").code == 0
    retry_until(lambda: cli("logs", name).out == "other\n", timeout=15)


def test_what_ended_and_is_not_defined_runs_again(name: str, cli: Cli, docker: Docker) -> None:
    docker("run", "--name", name, IMAGE, "echo", "hi")
    assert cli("start", f"container:{name}").code == 0
    retry_until(lambda: docker("logs", name) == "hi\nhi")


def test_of_two_that_start_one_wins(name: str) -> None:
    def session() -> SessionManager:
        return SessionManager(name, backend="container", image=IMAGE, command=FOREVER)

    one_wins(session, 4)


def test_of_two_that_run_what_ended_again_one_wins(name: str, docker: Docker) -> None:
    docker("run", "-d", "--name", name, IMAGE, "sh", "-c", "[ -e /x ] && exec sleep 1000; >/x")
    retry_until(lambda: docker("inspect", "-f", "{{.State.Status}}", name) == "exited")
    programs = [
        subprocess.Popen([*PROGRAM, "start", f"container:{name}"], stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    said = [program.communicate(timeout=40)[1] for program in programs]

    assert sorted(program.returncode for program in programs) == [0, 1, 1], said
    assert sum(b"exists already" in each for each in said) == 2


def test_json_is_one_clean_document(cli: Cli, here: Path, docker_engine: Engine) -> None:
    image = f"registry.example.com:5000/{'team/' * 10}app:v1"
    assert len(image) > 79
    (here / "sandbox-tui.yml").write_text(
        f"sandboxes: {{long: {{image: '{image}'}}, bad: {{image: 'x y'}}, worse: {{imag: 1}}}}"
    )
    said = cli("ls", "--json", "--backend", "container")
    [box] = [box for box in said.json["sandboxes"] if box["name"] == "long"]
    assert box["image"] == image
    assert said.out.count("\n") == 1
    assert said.err.count("warning: ") == 2
    assert cli("status", "long", "--json").json["image"] == image


def test_a_terminal_is_turned_into_a_container(name: str, cli: Cli, here: Path) -> None:
    (here / "kstlib.conf.yml").write_text(
        f"ops: {{sessions: {{{name}: {{backend: tmux, command: '{FOREVER}'}}}}}}".replace(
            "'exit 0'", "exit"
        )
    )
    started = cli("start", name, "--backend", "container", "--image", IMAGE, "--json")
    assert started.json["ref"] == f"container:{name}"
    assert started.json["sandbox"]["facts"]["runtime"] == "docker"


def test_an_engine_that_never_answers_is_told_in_time(
    cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch, tmux_server: TmuxServer
) -> None:
    tmux_server.new_session("lives", "sleep 1000")
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(home / "silent.sock"))
        silent.listen()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{home}/silent.sock")
        began = time.monotonic()
        said = cli("ls", "--json")
        assert time.monotonic() - began < 12
    assert "tmux:lives" in [box["ref"] for box in said.json["sandboxes"]]
    assert said.json["health"]["container"]["ok"] is False
    assert "no answer" in said.err


def test_without_an_engine_it_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{home}/none.sock")
    session = SessionManager("a", backend="container", image=IMAGE)
    for use in (session.status, session.start, session.exists):
        with pytest.raises(ContainerRuntimeNotFoundError) as caught:
            use()
        assert caught.value.hint
    assert auto_detect_backend("a") is None


def test_a_bad_image_is_told(name: str) -> None:
    with pytest.raises(SessionStartError, match="no-such-image"):
        SessionManager(name, backend="container", image="no-such-image:1").start()
    with pytest.raises(SessionConfigError, match="image"):
        SessionManager(name, backend="container").start()


def test_a_name_of_both_kinds_is_ambiguous(name: str, docker: Docker, cli: Cli) -> None:
    docker("run", "-d", "--init", "--name", name, IMAGE, "sleep", "1000")
    assert auto_detect_backend(name) is BackendType.CONTAINER
    terminal = SessionManager(name, command="sleep 1000")
    terminal.start()
    with pytest.raises(SessionAmbiguousError) as caught:
        auto_detect_backend(name)
    assert caught.value.backends == [f"tmux:{name}", f"container:{name}"]
    refused = cli("stop", name)
    assert refused.code == 2
    assert f"container:{name}, tmux:{name}" in refused.err
    assert len(TmuxRunner().list_sessions()) == 1
    terminal.stop(graceful=False)


def test_a_runner_by_itself(name: str) -> None:
    runner = ContainerRunner(runtime="docker")
    config = SessionConfig(
        name=name, backend=BackendType.CONTAINER, image=IMAGE, command="seq 1 9; sleep 1000"
    )
    assert runner.start(config).state is SessionState.RUNNING
    assert runner.runtime == "docker"
    retry_until(lambda: runner.logs(name, lines=2).split() == ["8", "9"])
    done = runner.exec(name, "echo out; echo err >&2; exit 4")
    assert (done.stdout, done.stderr, done.returncode) == ("out\n", "err\n", 4)
    with pytest.raises(SessionAttachError, match="terminal"):
        runner.attach(name)
    assert runner.stop(name, graceful=False)


def comes_back(one: Person) -> None:
    """Use what `cat` runs in, and leave it as people do: one key at a time."""
    one.sees("ctrl\\+p ctrl\\+q")
    one.types("typed\r")
    one.sees("typed(?s:.)*typed")
    keys = itertools.cycle("\x10\x11")
    retry_until(lambda: one.ended.is_set() or one.types(next(keys)), timeout=10)
    assert one.sees_the_end() == 0


def test_attaching_and_coming_back(name: str, cli: Cli, sit_down: SitDown) -> None:
    said = cli("start", name, "--image", IMAGE, "--command", "echo here I am; exec cat")
    assert said.code == 0, said.err
    comes_back(sit_down("attach", name))
    assert SessionManager(name, backend="container").is_running()


# --- two engines ------------------------------------------------------------------------------


def test_both_engines_are_seen_side_by_side(
    name: str, docker: Docker, podman_beside: Engine, cli: Cli
) -> None:
    docker("run", "-d", "--init", "--name", name, IMAGE, "sleep", "1000")
    in_podman = ContainerRunner(runtime="podman")
    config = SessionConfig(name, BackendType.CONTAINER, "sleep 1000", image=IMAGE)
    try:
        in_podman.start(config)
        listed = cli("ls", "--json", "--backend", "container").json
        runtimes = {
            box["ref"]: box["facts"]["runtime"]
            for box in listed["sandboxes"]
            if box["name"] == name
        }
        assert runtimes == {f"container:{name}": "docker", f"container:{name}@podman": "podman"}
        assert set(listed["health"]) == {"container", "container@podman"}
        with pytest.raises(SessionAmbiguousError):
            ContainerRunner().status(name)
        assert ContainerRunner(runtime="docker").status(name).state is SessionState.RUNNING
        assert cli("stop", name).code == 2
        entry = cli("status", name, "--runtime", "podman", "--json").json
        assert entry["ref"] == f"container:{name}@podman"
        assert cli("exec", name, "true").code == 2
        assert cli("exec", name, "--runtime", "podman", "--", "hostname").code == 0
        assert cli("restart", name, "--runtime", "podman", "--timeout", "0").code == 0
    finally:
        in_podman.stop(name, graceful=False)
    assert docker("inspect", "-f", "{{.State.Running}}", name) == "true"


def test_what_names_no_engine_is_started_in_podman(
    name: str, podman_beside: Engine, cli: Cli, docker: Docker
) -> None:
    session = SessionManager(name, backend="container", image=IMAGE, command="sleep 1000")
    try:
        session.start()
        entry = cli("status", name, "--json").json
        assert (entry["ref"], entry["facts"]["runtime"]) == (f"container:{name}@podman", "podman")
        assert docker("ps", "-aq", "--filter", f"name={name}") == ""
        assert ContainerRunner().runtime == "podman"
    finally:
        session.stop(graceful=False)


def test_podman_alone_is_the_plain_one(
    podman_beside: Engine, monkeypatch: pytest.MonkeyPatch, cli: Cli
) -> None:
    monkeypatch.setenv("DOCKER_HOST", podman_beside.url)
    listed = cli("ls", "--json", "--backend", "container").json
    assert set(listed["health"]) == {"container"}
    assert "podman" in listed["health"]["container"]["detail"].lower()


def test_podman_too_has_one_winner_and_lets_people_come_back(
    name: str, podman_beside: Engine, sit_down: SitDown
) -> None:
    words = ("start", name, "--runtime", "podman", "--image", IMAGE, "--command", "exec cat")
    starts = [subprocess.Popen([*PROGRAM, *words], stderr=subprocess.PIPE) for _ in range(3)]
    try:
        said = [start.communicate(timeout=40)[1] for start in starts]
        assert sorted(start.returncode for start in starts) == [0, 1, 1], said
        assert sum(b"exists already" in each for each in said) == 2
        comes_back(sit_down("attach", name, "--runtime", "podman"))
        assert SessionManager(name, backend="container", runtime="podman").is_running()
    finally:
        ContainerRunner(runtime="podman").stop(name, graceful=False)


def test_a_podman_that_never_answers_keeps_docker_from_nothing(
    name: str, docker: Docker, cli: Cli, home: Path
) -> None:
    docker("run", "-d", "--init", "--name", name, IMAGE, "sleep", "1000")
    (home / "run" / "podman").mkdir()
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(home / "run" / "podman" / "podman.sock"))
        silent.listen()
        began = time.monotonic()
        said = cli("ls", "--json", "--backend", "container")
        assert time.monotonic() - began < 12
    assert said.code == 0
    assert f"container:{name}" in [box["ref"] for box in said.json["sandboxes"]]
    assert {place: one["ok"] for place, one in said.json["health"].items()} == {
        "container": True,
        "container@podman": False,
    }
    assert "container@podman: " in said.err
