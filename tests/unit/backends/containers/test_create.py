"""A spec in the engine's words."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from sandbox_tui.backends.containers.create import bind, container_config, published
from sandbox_tui.backends.containers.labels import MANAGED_LABEL, SPEC_LABEL
from sandbox_tui.model.errors import InvalidSpecError
from sandbox_tui.model.specs import ContainerSpec, fingerprint

HERE = Path("/srv/app")


def config_of(**fields: object) -> dict[str, object]:
    spec = msgspec.convert(
        {"type": "container", "name": "web", "image": "i", **fields}, ContainerSpec
    )
    return container_config(spec, HERE)


def host_of(**fields: object) -> dict[str, object]:
    host = config_of(**fields)["HostConfig"]
    assert isinstance(host, dict)
    return host


def test_zombies_are_reaped_and_a_stop_is_quick() -> None:
    assert host_of()["Init"] is True


def test_a_string_runs_through_a_shell_and_a_tuple_does_not() -> None:
    assert config_of(command="a | b")["Cmd"] == ["sh", "-c", "a | b"]
    assert config_of(command=["a", "| b"])["Cmd"] == ["a", "| b"]
    assert "Cmd" not in config_of()


def test_labels_tell_who_made_it_and_from_what() -> None:
    labels = config_of(labels={"a": "b", MANAGED_LABEL: "0"})["Labels"]

    assert isinstance(labels, dict)
    assert labels["a"] == "b"
    assert labels[MANAGED_LABEL] == "1"
    assert len(labels[SPEC_LABEL]) == 16


def test_the_fingerprint_depends_on_values_not_on_their_order() -> None:
    def spec(env: dict[str, str]) -> ContainerSpec:
        return ContainerSpec(name="web", image="i", env=env)

    assert fingerprint(spec({"A": "1", "B": "2"})) == fingerprint(spec({"B": "2", "A": "1"}))
    assert fingerprint(spec({"A": "1"})) != fingerprint(spec({"A": "2"}))


def test_a_terminal_has_an_open_stdin() -> None:
    assert (config_of()["Tty"], config_of()["OpenStdin"]) == (True, True)
    assert (config_of(tty=False)["Tty"], config_of(tty=False)["OpenStdin"]) == (False, False)


@pytest.mark.parametrize(
    ("volume", "bound"),
    [
        ("/data:/data", "/data:/data"),
        ("./data:/app/data:ro", "/srv/app/data:/app/data:ro"),
        ("../data:/d", "/srv/data:/d"),
        (".:/d", "/srv/app:/d"),
        ("logs/x:/d:rw,z", "/srv/app/logs/x:/d:rw,z"),
        ("cache:/root/.cache", "cache:/root/.cache"),
    ],
)
def test_volumes_by_path_and_by_name(volume: str, bound: str) -> None:
    assert bind(volume, HERE) == bound


def test_a_home_is_meant_by_its_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")

    assert bind("~/data:/d", HERE) == "/home/me/data:/d"


def test_the_log_volume_is_one_more() -> None:
    assert host_of(volumes=["/a:/a"], log_volume="./log:/log")["Binds"] == [
        "/a:/a",
        "/srv/app/log:/log",
    ]


@pytest.mark.parametrize("volume", ["", "/data", ":/data", "/a:b", "/a:/b:readonly", "/a:/b:ro:x"])
def test_other_volumes_are_refused(volume: str) -> None:
    with pytest.raises(InvalidSpecError, match="volumes"):
        bind(volume, HERE)


@pytest.mark.parametrize(
    ("port", "inside", "address", "host"),
    [
        ("8081:8080", "8080/tcp", "127.0.0.1", "8081"),
        ("0:80/udp", "80/udp", "127.0.0.1", "0"),
        ("0.0.0.0:8081:8080", "8080/tcp", "0.0.0.0", "8081"),
        ("[::1]:53:53/udp", "53/udp", "::1", "53"),
    ],
)
def test_ports_are_published_on_this_machine_only(
    port: str, inside: str, address: str, host: str
) -> None:
    assert published(port) == [(inside, {"HostIp": address, "HostPort": host})]


@pytest.mark.parametrize(
    "port",
    [
        "",
        "80",
        "a:80",
        "80:",
        ":80",
        "80:0",
        "70000:80",
        "x:1:2",
        "80:80/icmp",
        "1-2:1-3",
        "80:80\n",
    ],
)
def test_other_ports_are_refused(port: str) -> None:
    with pytest.raises(InvalidSpecError, match="ports"):
        published(port)


def test_one_port_may_be_published_twice() -> None:
    bindings = host_of(ports=["1:80", "2:80"])["PortBindings"]

    assert isinstance(bindings, dict)
    assert [outside["HostPort"] for outside in bindings["80/tcp"]] == ["1", "2"]


@pytest.mark.parametrize("name", ["", "-x", "a b", "a/b", "ü", "[/red]x"])
def test_a_name_that_no_engine_takes_is_refused(name: str) -> None:
    with pytest.raises(InvalidSpecError, match="name"):
        container_config(ContainerSpec(name=name, image="i"), HERE)


def test_an_image_is_needed() -> None:
    with pytest.raises(InvalidSpecError, match="image"):
        container_config(ContainerSpec(name="web"), HERE)
