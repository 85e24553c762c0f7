"""Processor, memory and traffic, from the kernel and from the engine."""

from __future__ import annotations

import threading

import pytest

from sandbox_tui.backends.containers.backend import ContainerBackend
from sandbox_tui.backends.containers.vitals import stats
from sandbox_tui.backends.containers.vitals.vitals import LocalGauges
from sandbox_tui.model.outputs import Vitals
from sandbox_tui.model.refs import Kind, Ref
from tests.integration.containers.conftest import Outside, on_docker
from tests.support import lapse, retry_until_async

BUSY = "while :; do :; done"


async def measured(backend: ContainerBackend, ref: Ref, seconds: float = 0.5) -> Vitals:
    await backend.poll()
    await retry_until_async(lambda: backend.vitals([ref]), timeout=8)
    await lapse(seconds)
    return (await backend.vitals([ref]))[ref]


async def test_a_busy_core_is_one(backend: ContainerBackend, outside: Outside) -> None:
    host = {"Memory": 64_000_000, "NanoCpus": 500_000_000}
    busy = Ref.make(Kind.CONTAINER, outside.shell(BUSY, host=host))
    idle = Ref.make(Kind.CONTAINER, outside.run("sleep", "1000"))
    at_work, at_rest = await measured(backend, busy), await measured(backend, idle)

    assert at_work.cpu is not None and at_rest.cpu is not None
    assert 0.2 < at_work.cpu < 0.9
    assert at_rest.cpu < 0.1
    assert (at_work.cpu_limit, at_work.memory_limit) == (0.5, pytest.approx(64_000_000, abs=4096))
    assert at_rest.cpu_limit is None and at_rest.memory_limit is None
    assert at_work.memory is not None and 0 < at_work.memory < 64_000_000
    assert at_work.pids is not None and at_work.pids >= 2
    assert at_work.received is not None


@on_docker
async def test_only_what_runs_is_measured(backend: ContainerBackend, outside: Outside) -> None:
    running = Ref.make(Kind.CONTAINER, outside.run("sleep", "1000"))
    created = Ref.make(Kind.CONTAINER, outside.make("true"))
    await backend.poll()

    assert list(await backend.vitals([running, created, Ref("container:nobody")])) == [running]


@on_docker
async def test_one_that_ends_is_left_out_and_its_files_are_closed(
    backend: ContainerBackend, outside: Outside
) -> None:
    ref = Ref.make(Kind.CONTAINER, outside.run("sleep", "1000"))
    await backend.poll()
    assert ref in await backend.vitals([ref])
    outside.client.kill(ref.name)

    async def left_out() -> bool:
        return ref not in await backend.vitals([ref])

    await retry_until_async(left_out)


@on_docker
async def test_the_kernels_files_and_the_engine_agree(
    backend: ContainerBackend, outside: Outside
) -> None:
    ref = Ref.make(Kind.CONTAINER, outside.run("sleep", "1000"))
    await backend.poll()
    ours = (await backend.vitals([ref]))[ref]
    theirs = outside.client.stats(ref.name, stream=False)

    assert ours.memory == pytest.approx(theirs["memory_stats"]["usage"], abs=1_000_000)
    assert ours.pids == theirs["pids_stats"]["current"]


@on_docker
async def test_another_machines_are_measured_by_its_engine(
    docker_engine: object,
    outside: Outside,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # An engine in a virtual machine: its socket is here, its processes are not.
    monkeypatch.setattr(LocalGauges, "read", lambda self, boxes: {})
    monkeypatch.setattr(stats, "FORGET_SECONDS", 3.0)
    backend = ContainerBackend(outside.engine.url)
    ref = Ref.make(Kind.CONTAINER, outside.shell(BUSY))
    vitals = await measured(backend, ref, seconds=2.2)

    assert vitals.cpu is not None and vitals.cpu > 0.2
    assert vitals.memory and vitals.pids

    def streams() -> list[threading.Thread]:
        return [each for each in threading.enumerate() if each.name.startswith("measurements of")]

    assert len(streams()) == 1
    await retry_until_async(lambda: not streams(), timeout=15, what="the stream is dropped")
    await backend.aclose()
