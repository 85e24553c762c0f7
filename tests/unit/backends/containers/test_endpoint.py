"""Which engine is meant: the order of the sources, and that what is named is final."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from sandbox_tui.backends.containers.engine.endpoint import Choice, Endpoint, choose
from sandbox_tui.model.errors import ConfigError


def urls(choice: Choice) -> list[str]:
    return [endpoint.url for endpoint in choice.endpoints]


def write_context(docker: Path, name: str, host: str, *, current: bool = True) -> Path:
    folder = hashlib.sha256(name.encode()).hexdigest()
    meta = docker / "contexts" / "meta" / folder / "meta.json"
    meta.parent.mkdir(parents=True)
    meta.write_text(json.dumps({"Name": name, "Endpoints": {"docker": {"Host": host}}}))
    if current:
        (docker / "config.json").write_text(json.dumps({"currentContext": name, "auths": {}}))
    return docker / "contexts" / "tls" / folder / "docker"


def test_nothing_named_tries_the_usual_sockets_and_says_so(tmp_path: Path) -> None:
    choice = choose("", {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": "/run/user/7"})

    assert urls(choice) == [
        "unix:///var/run/docker.sock",
        "unix:///run/user/7/podman/podman.sock",
        "unix:///run/podman/podman.sock",
    ]
    assert choice.origin == 'tried DOCKER_HOST, context "default", podman'


def test_the_variable_is_final(tmp_path: Path) -> None:
    choice = choose("", {"HOME": str(tmp_path), "DOCKER_HOST": "unix:///tmp/x.sock"})

    assert urls(choice) == ["unix:///tmp/x.sock"]
    assert "DOCKER_HOST" in choice.origin


def test_the_current_context_is_final_and_the_variable_wins_over_it(tmp_path: Path) -> None:
    write_context(tmp_path / ".docker", "gpu1", "ssh://me@gpu1")
    env = {"HOME": str(tmp_path)}

    assert choose("", env) == Choice((Endpoint("ssh://me@gpu1"),), 'context "gpu1"')
    assert urls(choose("", {**env, "DOCKER_HOST": "tcp://h:2375"})) == ["tcp://h:2375"]


def test_the_default_context_is_no_choice(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"currentContext": "default"}')

    assert len(choose("", {"DOCKER_CONFIG": str(tmp_path)}).endpoints) > 1


def test_a_context_brings_its_certificates(tmp_path: Path) -> None:
    certificates = write_context(tmp_path, "far", "tcp://far:2376", current=False)
    certificates.mkdir(parents=True)
    (endpoint,) = choose("far", {"DOCKER_CONFIG": str(tmp_path)}).endpoints

    assert endpoint.certificates == str(certificates)
    assert endpoint.verify
    assert endpoint.environment()["DOCKER_CERT_PATH"] == str(certificates)


def test_the_variables_bring_certificates_for_tcp_only() -> None:
    env = {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/certs", "HOME": "/nowhere"}

    (tcp,) = choose("tcp://h:2376", env).endpoints
    (unix,) = choose("unix:///x.sock", env).endpoints
    assert (tcp.certificates, tcp.verify) == ("/certs", True)
    assert unix.certificates == ""


@pytest.mark.parametrize(
    ("named", "url"),
    [
        ("docker", "unix:///var/run/docker.sock"),
        ("/run/x.sock", "unix:///run/x.sock"),
        ("unix:///run/x.sock", "unix:///run/x.sock"),
        ("ssh://host", "ssh://host"),
    ],
)
def test_what_is_named_is_what_is_meant(named: str, url: str) -> None:
    assert urls(choose(named, {"DOCKER_HOST": "tcp://other:1", "HOME": "/nowhere"})) == [url]


def test_podman_by_name_is_never_docker() -> None:
    assert all("podman" in url for url in urls(choose("podman", {})))


def test_the_variable_of_podman_is_final_for_it() -> None:
    env = {"CONTAINER_HOST": "ssh://me@gpu1/run/podman.sock", "XDG_RUNTIME_DIR": "/run/user/7"}

    assert urls(choose("podman", env)) == ["ssh://me@gpu1/run/podman.sock"]
    assert "ssh://me@gpu1/run/podman.sock" not in urls(choose("docker", env))


def test_a_context_that_is_not_there_is_an_error_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="gpu9") as caught:
        choose("gpu9", {"HOME": str(tmp_path)})
    assert "docker context" in caught.value.hint


def test_a_broken_configuration_names_its_file(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")

    with pytest.raises(ConfigError, match=r"config\.json"):
        choose("", {"DOCKER_CONFIG": str(tmp_path)})
