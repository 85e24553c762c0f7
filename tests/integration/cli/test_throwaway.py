"""Containers that wait for commands, projects and profiles, from the shell."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from tests.integration.cli.conftest import Cli
from tests.support import Engine, retry_until

IMAGE = "sandbox-tui-test/busybox"


@pytest.fixture
def name(docker_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A name of which nothing is left; docker is the only engine."""
    monkeypatch.setenv("DOCKER_HOST", docker_engine.url)
    name = f"st-cli-{uuid.uuid4().hex[:8]}"
    yield name
    client = docker.APIClient(base_url=docker_engine.url)
    for one in client.containers(all=True, filters={"name": name}):
        client.remove_container(one["Id"], force=True)
    client.close()


def test_made_used_stopped_and_swept_away(cli: Cli, name: str) -> None:
    said = cli("create", name, "--image", IMAGE, "--env", "WHO=me", "--project", name, "--json")
    assert (said.code, said.err) == (0, "")
    assert said.json["ref"] == f"container:{name}"
    assert said.json["sandbox"]["state"] == "running"

    assert cli("exec", name, "echo $WHO; exit 3").out == "me\n"
    assert cli("exec", name, "echo $WHO; exit 3").code == 3
    assert cli("exec", name, "--", "echo", "a b", "$WHO").out == "a b $WHO\n"
    assert cli("exec", name, "--lang", "sh", "--env", "X=1", "echo $X").out == "1\n"
    ran = cli("exec", name, "--timeout", "0.2", "--json", "sleep 9")
    assert (ran.code, ran.json["outcome"]) == (5, "timed_out")
    assert cli("exec", name, "no-such-program", "x").code == 127
    assert cli("exec", "nobody", "true").code == 3

    assert cli("prune", "--project", name, "--json", "--yes").json["removed"] == []
    assert cli("stop", name).code == 0
    assert cli("prune", "--project", name).code == 2
    assert cli("prune", "--project", name, "--json", "--yes").json["removed"] == [
        f"container:{name}"
    ]
    assert cli("status", f"container:{name}").code == 3


def test_a_fresh_one_by_the_same_name(cli: Cli, name: str) -> None:
    cli("create", name, "--image", IMAGE, "--read-only", "--network", "none")
    before = cli("status", name, "--json").json["facts"]["container_id"]

    assert cli("restart", name, "--fresh").code == 0

    assert cli("status", name, "--json").json["facts"]["container_id"] != before
    assert cli("exec", name, "touch /x || ls /sys/class/net").out == "lo\n"


def test_what_cannot_be_made_is_told(cli: Cli, name: str) -> None:
    assert cli("create", name, "--image", IMAGE, "--mem-limit", "much").code == 2
    assert cli("create", name, "--profile", "devv").code == 3
    missing = cli("create", name, "--profile", "agent", "--json")
    assert missing.code == 3
    assert "profiles build agent" in json.loads(missing.err)["error"]["hint"]


def test_a_project_and_its_doctor(cli: Cli, name: str, here: Path) -> None:
    assert cli("init", "--name", "shop", "--json").json == {"root": str(here), "project": "shop"}
    assert cli("create", name, "--image", IMAGE, "--persist").code == 0
    folder = here / ".pocketdock/instances" / name
    assert folder.is_dir()

    assert told(cli) == [f"{here} · 1 containers"]
    cli("rm", name, "--force", "--yes")
    assert told(cli) == [f"{here} · 0 containers"]
    assert not folder.exists()

    assert cli("create", name, "--image", IMAGE, "--persist").code == 0
    subprocess.run(["docker", "rm", "--force", name], check=True, capture_output=True)
    assert told(cli) == [f"{name} is gone, its folder is not"]


def told(cli: Cli) -> list[str]:
    """What `doctor` says of the project."""
    checks = cli("doctor", "--json").json["checks"]
    return [check["detail"] for check in checks if check["name"] == "project"]


def test_profiles_are_listed_shown_and_built_or_not(cli: Cli, here: Path) -> None:
    (here / "sandbox-tui.yml").write_text("profiles: {ml: {image: pytorch}}\n")

    known = {each["name"]: each for each in cli("profiles", "--json").json}
    assert len(known) == 7
    assert (known["agent"]["network"], known["dev"]["network"]) == (False, True)
    assert "FROM docker.io/library/python" in cli("profiles", "show", "agent").out
    assert cli("profiles", "show").code == 2
    assert cli("profiles", "show", "mll").code == 3
    assert "no Dockerfile" in cli("profiles", "build", "ml").err


def test_another_program_that_looks_ends_what_is_due(cli: Cli, name: str) -> None:
    cli("create", name, "--image", IMAGE, "--ttl", "1")

    def gone() -> bool:
        listed = cli("ls", "--backend", "container", "--all", "--json").json["sandboxes"]
        return name not in {box["name"] for box in listed}

    retry_until(gone, timeout=15)
