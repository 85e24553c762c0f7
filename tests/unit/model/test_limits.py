"""What may be in a spec: every field, on both sides of its limit."""

from __future__ import annotations

import msgspec
import pytest

from sandbox_tui.model import limits
from sandbox_tui.model.errors import InvalidSpecError
from sandbox_tui.model.limits import check
from sandbox_tui.model.mounts import parse_mount
from sandbox_tui.model.ports import Port, parse_ports
from sandbox_tui.model.specs import ContainerSpec, HostAccess, TmuxSpec


def web(**values: object) -> ContainerSpec:
    return ContainerSpec(**{"name": "web", "image": "nginx", **values})


@pytest.mark.parametrize(
    "name", ["a", "dev-backup", "two words", "日本", "#(x)", "x" * limits.NAME]
)
def test_names_that_may_be(name: str) -> None:
    check(TmuxSpec(name=name))


@pytest.mark.parametrize("name", ["", "dev\n", "\n", "a\tb", "a\x1bb", "x" * (limits.NAME + 1)])
def test_names_that_may_not_be(name: str) -> None:
    with pytest.raises(InvalidSpecError, match=r"^name: "):
        check(TmuxSpec(name=name))


@pytest.mark.parametrize(
    "image",
    [
        "nginx",
        "nginx:1.27",
        "library/nginx",
        "localhost:5000/team/app:v1.2_3",
        "registry.example.com:8443/a/b/c",
        "[::1]:5000/app",
        "app@sha256:" + "0a" * 32,
        "app:v1@sha256:" + "0a" * 32,
        "sha256:" + "0a" * 32,
        "0a1b2c3d4e5f",
    ],
)
def test_images_that_may_be(image: str) -> None:
    check(web(image=image))


@pytest.mark.parametrize(
    "image", ["nginx\n", "x y", "NGINX/a:b:c", "-x", "a//b", "app:", "app@sha256:1", "a" * 600]
)
def test_images_that_may_not_be(image: str) -> None:
    with pytest.raises(InvalidSpecError, match=r"^image: "):
        check(web(image=image))


@pytest.mark.parametrize("mode", ["ro", "rw", "z", "Z", "ro,Z"])
def test_mounts_with_a_mode(mode: str) -> None:
    assert parse_mount(f"./data:/app/data:{mode}") == ("./data", "/app/data", mode)


@pytest.mark.parametrize("mount", ["/a:/b\n", "/a\n:/b", "/a:/b:ro\n", "/a:b", "/a", "/a:/b:x"])
def test_mounts_that_may_not_be(mount: str) -> None:
    with pytest.raises(InvalidSpecError, match=r"^volumes: "):
        check(web(volumes=(mount,)))
    with pytest.raises(InvalidSpecError, match=r"^volumes: "):
        check(web(log_volume=mount))


def test_ports_of_a_range_go_in_pairs() -> None:
    assert parse_ports("127.0.0.2:8000-8001:90-91/sctp") == (
        Port(90, "sctp", "127.0.0.2", 8000),
        Port(91, "sctp", "127.0.0.2", 8001),
    )
    assert parse_ports("80:80") == (Port(80, "tcp", "127.0.0.1", 80),)


@pytest.mark.parametrize(
    "port",
    ["80:80\n", "1-3:1-2", "3-1:3-1", "80:0", "0-1:1-2", "1:65536", "1-60000:1-60000", "80:80/x"],
)
def test_ports_that_may_not_be(port: str) -> None:
    with pytest.raises(InvalidSpecError, match=r"^ports: "):
        check(web(ports=(port,)))


@pytest.mark.parametrize("key", ["A\n", "A B", "A=B", "", "A" * (limits.KEY + 1)])
def test_variables_that_may_not_be(key: str) -> None:
    with pytest.raises(InvalidSpecError, match=r"^env: "):
        check(TmuxSpec(name="a", env={key: "x"}))


def test_values_are_free_up_to_their_size() -> None:
    check(TmuxSpec(name="a", env={"CERT": "line\nline\n" + "x" * 1000, "app.mode": "1"}))
    for value in ("a\0b", "x" * (limits.VALUE + 1)):
        with pytest.raises(InvalidSpecError, match=r"^env: "):
            check(TmuxSpec(name="a", env={"A": value}))


def test_there_may_only_be_so_many() -> None:
    many = {f"K{n}": "v" for n in range(limits.ENTRIES + 1)}
    with pytest.raises(InvalidSpecError, match="512"):
        check(TmuxSpec(name="a", env=many))


@pytest.mark.parametrize("command", [" ", ("",), "a\0b", ("a", "b\0"), "x" * (limits.COMMAND + 1)])
def test_commands_that_may_not_be(command: str | tuple[str, ...]) -> None:
    with pytest.raises(InvalidSpecError, match=r"^command: "):
        check(TmuxSpec(name="a", command=command))


def test_a_script_of_several_lines_is_a_command() -> None:
    check(TmuxSpec(name="a", command="cd /tmp\nls\n"))


@pytest.mark.parametrize("socket", ["a/b", "a\n", "a:b", "../x"])
def test_a_socket_has_a_name_and_no_path(socket: str) -> None:
    with pytest.raises(InvalidSpecError, match=r"^socket: "):
        check(TmuxSpec(name="a", socket=socket))


def test_a_folder_is_one_line() -> None:
    with pytest.raises(InvalidSpecError, match=r"^working_dir: "):
        check(TmuxSpec(name="a", working_dir="/tmp\n"))


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("entrypoint", ["sh -c x", ("sh", "-c")]),
        ("user", ["me", "1000", "1000:1000", "me:staff", "_apt"]),
        ("hostname", ["web", "web-1.example.com"]),
        ("network", ["none", "host", "my_net", "container:web"]),
        ("dns", [("192.0.2.1", "2001:db8::1")]),
        ("extra_hosts", [("db:192.0.2.1", "db:[2001:db8::1]", "up:host-gateway")]),
        ("tmpfs", [("/tmp", "/run:size=64m,mode=1777,noexec")]),
        ("memory", [limits.LEAST_MEMORY, limits.MOST_BYTES]),
        ("shm", [1, limits.MOST_BYTES]),
        ("cpus", [0.01, 1.5, limits.CPUS]),
        ("pids", [1, limits.PIDS]),
        ("dropped", [("ALL",), ("NET_RAW", "CAP_CHOWN")]),
        ("ttl", [1.0, float(limits.SECONDS)]),
        ("idle_timeout", [0.0 + 1]),
        ("project", ["my shop"]),
        ("profile", ["minimal-python"]),
    ],
)
def test_what_a_container_may_be_given(field: str, values: list[object]) -> None:
    for value in values:
        check(web(**{field: value}))


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("command", [(), "", " ", ("",), "\0"]),
        ("entrypoint", [(), " ", "x" * (limits.COMMAND + 1)]),
        ("user", ["a b", ":1", "me:", "me\n", "-x"]),
        ("hostname", ["-a", "a..b", "ä", "a\n", "x" * (limits.HOSTNAME + 1)]),
        ("network", ["a b", "container:", "net\n"]),
        ("dns", [("home",), ("192.0.2.1\n",)]),
        ("extra_hosts", [("db",), ("db:",), ("a b:192.0.2.1",), ("db:192.0.2.1\n",)]),
        ("tmpfs", [("tmp",), ("/tmp:a b",), ("/tmp\n",)]),
        ("memory", [0, limits.LEAST_MEMORY - 1, limits.MOST_BYTES + 1, -1]),
        ("shm", [0, -1]),
        ("cpus", [0.0, -1.0, float("nan"), float("inf")]),
        ("pids", [0, -1, limits.PIDS + 1]),
        ("dropped", [("net_raw",), ("NET RAW",), ("",)]),
        ("ttl", [0.0, -1.0, float("nan"), limits.SECONDS * 2.0]),
        ("idle_timeout", [0.0]),
        ("project", ["a\n"]),
        ("profile", ["../x", "a b"]),
    ],
)
def test_what_a_container_may_not_be_given(field: str, values: list[object]) -> None:
    for value in values:
        if value != "":
            with pytest.raises(InvalidSpecError, match=rf"^{field}: "):
                check(web(**{field: value}))


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("capabilities", ("NET_ADMIN", "ALL"), ("net_admin",)),
        ("devices", ("/dev/fuse", "/dev/a:/dev/b", "/dev/a:/dev/b:rw"), ("fuse",)),
        ("device_rules", ("c 1:3 rwm", "a *:* rw"), ("c 1:3",)),
        ("gpus", "all", "0"),
        ("security_options", ("seccomp=unconfined",), ("a\nb",)),
        ("pid", "host", "ho st"),
        ("ipc", "container:web", "container:"),
        ("uts", "host", "host\n"),
        ("userns", "host", " "),
        ("cgroupns", "private", "a/b"),
    ],
)
def test_what_lowers_the_wall(field: str, good: object, bad: object) -> None:
    check(web(access=msgspec.structs.replace(HostAccess(), **{field: good})))
    with pytest.raises(InvalidSpecError, match=rf"^access\.{field}: "):
        check(web(access=msgspec.structs.replace(HostAccess(), **{field: bad})))


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"swap": 0}, "swap"),
        ({"security": "strict", "access": HostAccess(privileged=True)}, "access.privileged"),
        ({"security": "strict", "access": HostAccess(pid="host")}, "access.pid"),
        ({"security": "strict", "ports": ("0.0.0.0:80:80",)}, "ports"),
    ],
)
def test_what_does_not_go_together(values: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidSpecError, match=rf"^{field}: "):
        check(web(**values))


def test_a_strict_container_may_be_given_something_back() -> None:
    access = HostAccess(capabilities=("NET_BIND_SERVICE",), devices=("/dev/fuse",))
    check(web(security="strict", access=access, ports=("8080:80",), memory=2**30, swap=0))
