"""The arguments of `docker run`, and what of them a policy lets through."""

from __future__ import annotations

import hashlib
import json
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox_tui.hub import policy as here
from sandbox_tui.model.docker_run import DockerRun, docker_words, parse_docker_run
from sandbox_tui.model.errors import DockerArgumentError, InvalidSpecError, PolicyError
from sandbox_tui.model.policy import ABILITIES
from sandbox_tui.model.sizes import parse_size

FORBIDDEN = [
    ("--privileged ubuntu", "privileged"),
    ("--privileged=true ubuntu", "privileged"),
    ("--privileged=1 ubuntu", "privileged"),
    ("--privileged=T ubuntu", "privileged"),
    ('"--privileged" ubuntu', "privileged"),
    ("--privi'leged' ubuntu", "privileged"),
    ("--privileged=false --privileged ubuntu", "privileged"),
    ("-it --privileged --rm ubuntu", "privileged"),
    ("--privileged false", "privileged"),  # here `false` is the image
    ("--network host ubuntu", "network-host"),
    ("--network=host ubuntu", "network-host"),
    ("--net host ubuntu", "network-host"),
    ("--net=host ubuntu", "network-host"),
    ("--net='host' ubuntu", "network-host"),
    ("--network name=host ubuntu", "network-host"),
    ('--network "name=host" ubuntu', "network-host"),
    ("--network NAME=host ubuntu", "network-host"),
    ("--network none --network host ubuntu", "network-host"),
    ("--network container:web ubuntu", "network-join"),
    ("--net=ns:/proc/1/ns/net ubuntu", "network-join"),
    ("--pid host ubuntu", "pid-host"),
    ("--pid=host ubuntu", "pid-host"),
    ("--pid=container:web ubuntu", "pid-host"),
    ("--ipc=host ubuntu", "ipc-host"),
    ("--ipc host ubuntu", "ipc-host"),
    ("--uts host ubuntu", "uts-host"),
    ("--userns=host ubuntu", "userns-host"),
    ("--userns host ubuntu", "userns-host"),
    ("--cgroupns host ubuntu", "cgroupns-host"),
    ("--cap-add ALL ubuntu", "cap-add"),
    ("--cap-add=SYS_ADMIN ubuntu", "cap-add"),
    ("--cap-drop ALL --cap-add NET_RAW ubuntu", "cap-add"),
    ("--device /dev/sda ubuntu", "device"),
    ("--device=/dev/mem:/dev/mem:rwm ubuntu", "device"),
    ("--device-cgroup-rule 'b *:* rwm' ubuntu", "device-cgroup-rule"),
    ("--security-opt seccomp=unconfined ubuntu", "security-opt"),
    ("--security-opt=apparmor=unconfined ubuntu", "security-opt"),
    ("--security-opt label:disable ubuntu", "security-opt"),
    ("--security-opt seccomp:unconfined ubuntu", "security-opt"),
    ("--security-opt no-new-privileges=false ubuntu", "security-opt"),
    ("-v /:/host ubuntu", "mount-system"),
    ("-v=/:/host ubuntu", "mount-system"),
    ("-v/:/host ubuntu", "mount-system"),
    ("-itv /:/host ubuntu", "mount-system"),
    ("--volume /:/host:ro ubuntu", "mount-system"),
    ("--volume=//:/host ubuntu", "mount-system"),
    ("-v /tmp/..:/host ubuntu", "mount-system"),
    ("-v /tmp/../etc/:/host ubuntu", "mount-system"),
    ("-v /var:/host ubuntu", "mount-system"),
    ("-v /run/docker.sock:/s ubuntu", "mount-system"),
    ("-v /var/run/docker.sock:/var/run/docker.sock ubuntu", "mount-system"),
    ("-v /proc/1/root:/host ubuntu", "mount-system"),
    ("--mount type=bind,src=/,dst=/host ubuntu", "mount-system"),
    ("--mount=type=bind,source=/,target=/host,readonly ubuntu", "mount-system"),
    ('--mount "dst=/host","type=bind","src=/etc" ubuntu', "mount-system"),
    ("--mount TYPE=bind,SRC=/,DST=/host ubuntu", "mount-system"),
]

NOT_UNDERSTOOD = [
    "--priv ubuntu",
    "--netw host ubuntu",
    "--volumes-from web ubuntu",
    "--mount type=volume,dst=/h,volume-opt=type=none,volume-opt=device=/,volume-opt=o=bind ubuntu",
    "--mount type=bind,src=/tmp,src=/,dst=/h ubuntu",
    "--mount type=bind,src=/,dst=/h,bind-propagation=shared ubuntu",
    "--volume-driver local ubuntu",
    "--cgroup-parent / ubuntu",
    "--runtime evil ubuntu",
    "--privileged=maybe ubuntu",
    "--env-file /etc/shadow ubuntu",
    "--network name=a,alias=b ubuntu",
    "-d ubuntu",
    "-z ubuntu",
    "-v /data ubuntu",
    "--name",
    "-it",
    "",
    "--",
    "--cpus many ubuntu",
]

HONEST = [
    "ubuntu:22.04",
    "--rm -it ubuntu",
    "-- ubuntu",
    "-v /tmp/data:/data ubuntu",
    "-v data:/data:ro ubuntu",
    "-v ./here:/data ubuntu",
    "--mount type=volume,src=data,dst=/data ubuntu",
    "--mount type=tmpfs,dst=/scratch ubuntu",
    "--mount type=bind,src=/tmp/data,dst=/data,ro ubuntu",
    "--tmpfs /scratch ubuntu",
    "-e A=1 --env B=2 ubuntu",
    "-w /data -u 1000:1000 ubuntu",
    "-p 8080:80 -p 9000 ubuntu",
    "--network none ubuntu",
    "--network bridge ubuntu",
    "--net backend ubuntu",
    "--privileged=false ubuntu",
    "--gpus all ubuntu",
    "-m 256m --cpus 1.5 --pids-limit 100 ubuntu",
    "--memory=1g --shm-size 64m ubuntu",
    "--cap-drop ALL --security-opt no-new-privileges ubuntu",
    "--security-opt=no-new-privileges:true ubuntu",
    "--ipc private --pid '' ubuntu",
    "--read-only --init --hostname box --name box ubuntu",
    "--dns 1.1.1.1 --add-host db:10.0.0.1 -l a=b ubuntu",
    "--entrypoint /bin/sh ubuntu",
]


def parsed(line: str) -> DockerRun:
    return parse_docker_run(shlex.split(line))


@pytest.mark.parametrize(("line", "ability"), FORBIDDEN)
def test_every_spelling_of_a_forbidden_ability_is_refused(line: str, ability: str) -> None:
    with pytest.raises(PolicyError) as refusal:
        here.enforce(parsed(line).spec, ())
    assert refusal.value.ability == ability
    here.enforce(parsed(line).spec, ABILITIES)


def test_every_ability_has_a_spelling_here() -> None:
    assert {ability for _, ability in FORBIDDEN} == set(ABILITIES)


@pytest.mark.parametrize("line", NOT_UNDERSTOOD)
def test_what_is_not_understood_in_full_is_refused(line: str) -> None:
    with pytest.raises(DockerArgumentError):
        parsed(line)


@pytest.mark.parametrize("line", HONEST)
def test_honest_arguments_pass(line: str) -> None:
    run = parsed(line)
    here.enforce(run.spec, ())
    assert run.spec.image in ("ubuntu", "ubuntu:22.04") and run.words == ()


def test_a_link_to_a_forbidden_folder_is_one(tmp_path) -> None:
    (tmp_path / "innocent").symlink_to("/etc")
    with pytest.raises(PolicyError):
        here.enforce(parsed(f"-v {tmp_path}/innocent:/data ubuntu").spec, ())
    with pytest.raises(PolicyError):
        here.enforce(parsed("-v ./innocent:/data ubuntu").spec, (), tmp_path)


def test_the_socket_of_the_engine_in_use_is_guarded(tmp_path, monkeypatch) -> None:
    spec = parsed(f"-v {tmp_path}:/data ubuntu").spec
    here.enforce(spec, ())
    (tmp_path / "engine.sock").touch()
    for variable in ("DOCKER_HOST", "CONTAINER_HOST"):
        with monkeypatch.context() as patch:
            patch.setenv(variable, f"unix://{tmp_path}/engine.sock")
            with pytest.raises(PolicyError):
                here.enforce(spec, ())


@pytest.mark.parametrize("scheme", ["unix://", ""])
def test_so_is_that_of_an_engine_that_the_configuration_names(tmp_path, scheme: str) -> None:
    spec = parsed(f"-v {tmp_path}:/data ubuntu").spec
    (tmp_path / "engine.sock").touch()
    with pytest.raises(PolicyError):
        here.enforce(spec, (), engines=("local", "ssh://me@far", f"{scheme}{tmp_path}/engine.sock"))


def test_so_is_the_socket_of_a_docker_context(tmp_path, monkeypatch) -> None:
    (tmp_path / "desktop.sock").touch()
    meta = tmp_path / "contexts" / "meta" / hashlib.sha256(b"desktop").hexdigest() / "meta.json"
    meta.parent.mkdir(parents=True)
    host = {"Host": f"unix://{tmp_path}/desktop.sock"}
    meta.write_text(json.dumps({"Name": "desktop", "Endpoints": {"docker": host}}))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("DOCKER_CONTEXT", "desktop")
    with pytest.raises(PolicyError):
        here.enforce(parsed(f"-v {tmp_path}/desktop.sock:/s ubuntu").spec, ())
    monkeypatch.setenv("DOCKER_CONTEXT", "none-such")
    here.enforce(parsed("-v data:/data ubuntu").spec, ())


def test_what_is_said_is_in_the_spec() -> None:
    line = (
        "-itw /data -eA=1 -e B -e C -v/tmp/x:/x -p 80 -m1g --cpus=.5 --pids-limit 9 --name box "
        "--mount type=bind,src=sub,dst=/y,readonly --label k=v ubuntu echo -v hi"
    )
    spec, words = parse_docker_run(shlex.split(line), {"B": "2"})
    assert (spec.name, spec.image, spec.working_dir) == ("box", "ubuntu", "/data")
    assert (spec.env, spec.labels) == ({"A": "1", "B": "2"}, {"k": "v"})
    assert spec.volumes == ("/tmp/x:/x", "./sub:/y:ro")
    assert (spec.ports, spec.memory, spec.cpus, spec.pids) == (("0:80",), 2**30, 0.5, 9)
    assert words == ("echo", "-v", "hi")


@pytest.mark.parametrize("line", [line for line, _ in FORBIDDEN] + HONEST)
def test_a_spec_says_itself_in_dockers_words(line: str) -> None:
    spec = parsed(line).spec
    assert parse_docker_run(docker_words(spec)).spec == spec


@given(st.lists(st.text(max_size=20), max_size=6))
def test_no_words_break_the_parser(words: list[str]) -> None:
    try:
        spec, rest = parse_docker_run(words)
    except (DockerArgumentError, InvalidSpecError):
        return
    assert (spec.image, *rest) == tuple(words[-1 - len(rest) :])


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1", 1),
        ("64k", 65536),
        ("256m", 2**28),
        ("1G", 2**30),
        ("1.5GiB", 3 * 2**29),
        ("2 tb", 2**41),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "m", "-1m", "1x", "1m\n", "1e9", "1,5g"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(InvalidSpecError):
        parse_size(text)
