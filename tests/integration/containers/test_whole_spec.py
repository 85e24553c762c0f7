"""Every field of a spec reaches the container, and the whole spec comes back from it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from sandbox_tui.backends.containers.backend import ContainerBackend
from sandbox_tui.backends.containers.labels import NAME_LABEL, SPEC_JSON_LABEL
from sandbox_tui.model.limits import check
from sandbox_tui.model.outputs import Outcome
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.model.specs import ContainerSpec, HostAccess
from tests.integration.containers.conftest import IMAGE, Outside, on_docker

TELL = """
hostname; id -u; id -g; pwd; echo "$A"
touch /x 2>/dev/null || echo read-only
touch /scratch/x && echo scratch
df -m /dev/shm | tail -1 | tr -s ' ' | cut -d ' ' -f 2
grep -c friend /etc/hosts
ls /dev/mine
grep CapEff /proc/self/status | tr -s '\\t' ' '
grep NoNewPrivs /proc/self/status | tr -s '\\t' ' '
ls /sys/class/net
"""


def whole(name: str) -> ContainerSpec:
    """A spec that says nearly everything."""
    return ContainerSpec(
        name=name,
        image=IMAGE,
        command=(TELL,),
        entrypoint=("sh", "-c"),
        working_dir="/tmp",
        env={"A": "b c"},
        labels={"mine": "yes"},
        user="65534:65534",
        hostname="guest",
        network="none",
        extra_hosts=("friend:192.0.2.7",),
        dns=("192.0.2.53",),
        read_only=True,
        tmpfs=("/scratch:size=1m,mode=1777",),
        memory=64 * 1024**2,
        cpus=0.5,
        shm=8 * 1024**2,
        security="strict",
        access=HostAccess(devices=("/dev/null:/dev/mine",)),
        tty=False,
        ttl=3600.0,
        idle_timeout=60.5,
        persist=True,
        project="shop",
        profile="mini",
    )


async def test_every_field_has_its_effect(backend: ContainerBackend, outside: Outside) -> None:
    spec = whole(outside.name())
    check(spec)
    result = await (await backend.run_once(spec, timeout=30))

    assert result.outcome is Outcome.OK, result
    *lines, capabilities, privileges, networks = result.stdout.splitlines()
    assert lines == ["guest", "65534", "65534", "/tmp", "b c", "read-only", "scratch", "8", "1",
                     "/dev/mine"]  # fmt: skip
    assert capabilities == "CapEff: 0000000000000000"
    assert privileges == "NoNewPrivs: 1"
    assert networks == "lo"


async def test_limits_are_the_engines_own(backend: ContainerBackend, outside: Outside) -> None:
    spec = msgspec.structs.replace(whole(outside.name()), command=("sleep 1000",))
    ref = await backend.start(spec)
    host = outside.client.inspect_container(ref.name)["HostConfig"]

    assert (host["Memory"], host["MemorySwap"]) == (64 * 1024**2, 64 * 1024**2)
    assert host["NanoCpus"] == 500_000_000
    assert host["PidsLimit"] == 512


async def test_the_spec_comes_back(
    backend: ContainerBackend,
    outside: Outside,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    spec = msgspec.structs.replace(
        whole(outside.name()), command=("sleep 1000",), volumes=("./here:/there:ro",)
    )
    back = await backend.spec_of(await backend.start(spec))

    assert back is not None
    assert back.volumes[0].startswith("/")
    assert back.volumes[0].endswith("/here:/there:ro")
    assert msgspec.structs.replace(back, volumes=spec.volumes) == spec


async def test_values_of_variables_are_in_no_label(
    backend: ContainerBackend, outside: Outside
) -> None:
    name = outside.name()
    spec = ContainerSpec(name=name, image=IMAGE, command="sleep 1000", env={"KEY": "s3cr3t-value"})
    ref = await backend.start(spec)

    labels = outside.client.inspect_container(name)["Config"]["Labels"]
    assert "s3cr3t-value" not in str(labels)
    assert await backend.spec_of(ref) == spec


async def test_labels_written_for_another_count_for_nothing(
    backend: ContainerBackend, outside: Outside
) -> None:
    mine = outside.name()
    await backend.start(ContainerSpec(name=mine, image=IMAGE, command="sleep 1000", ttl=5.0))
    labels = outside.client.inspect_container(mine)["Config"]["Labels"]
    other = outside.run("sleep", "1000", Labels=labels)  # as a container of a snapshot would be
    boxes = {box.ref.name: box for box in await backend.poll()}

    assert boxes[mine].managed
    assert boxes[mine].labels["sandbox-tui.ttl"] == "5"
    assert not boxes[other].managed
    assert not [key for key in boxes[other].labels if key.startswith("sandbox-tui.")]
    assert await backend.spec_of(Ref.make(Kind.CONTAINER, other)) is None


@on_docker
async def test_one_that_others_made_has_no_spec(
    backend: ContainerBackend, outside: Outside
) -> None:
    name = outside.name()
    body = {"Image": IMAGE, "Cmd": ["sleep", "1000"]}
    labels = {NAME_LABEL: name, SPEC_JSON_LABEL: '{"image": 7}'}
    outside.client.create_container_from_config({**body, "Labels": labels}, name)

    assert await backend.spec_of(Ref.make(Kind.CONTAINER, name)) is None
