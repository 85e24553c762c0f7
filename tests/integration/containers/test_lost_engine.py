"""An engine that dies or freezes in the middle of a command: an end, no hang, and then it works."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from sandbox_tui.backends.containers.backend import ContainerBackend
from sandbox_tui.backends.containers.commands.run import END_SECONDS
from sandbox_tui.model.outputs import Outcome
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.specs import ContainerSpec
from sandbox_tui.runtime.session import Session
from tests.integration.containers.conftest import IMAGE
from tests.service import Service
from tests.support import require_engine, retry_until_async

pytestmark = pytest.mark.timeout(90)

SLOW = "echo begun; sleep 1000"


@pytest.fixture
def service(home: Path) -> Iterator[Service]:
    require_engine("podman")
    service = Service(home)
    service.start()
    yield service
    service.close()


@pytest.fixture
async def backend(service: Service) -> AsyncIterator[ContainerBackend]:
    backend = ContainerBackend(service.url, patience=3)
    yield backend
    await backend.aclose()


@pytest.fixture
async def ref(backend: ContainerBackend, service: Service) -> AsyncIterator[Ref]:
    name = f"st-test-{os.urandom(4).hex()}"
    ref = await backend.start(ContainerSpec(name=name, image=IMAGE, command="sleep 1000"))
    yield ref
    await backend.stop(ref, grace=0)
    await backend.remove(ref)


async def works(backend: ContainerBackend, ref: Ref) -> None:
    assert (await (await backend.execute(ref, "echo on"))).stdout == "on\n"
    session = await backend.session(ref)
    assert (await (await session.run("echo on"))).stdout == "on\n"
    await session.aclose()


async def test_everything_ends_when_it_is_killed(
    backend: ContainerBackend, service: Service, ref: Ref
) -> None:
    session: Session = await backend.session(ref)
    run, streamed = await backend.execute(ref, SLOW), await backend.execute(ref, SLOW)
    said = await session.run(SLOW)
    stream = streamed.stream()
    await anext(stream)
    for execution in (run, said):
        await retry_until_async(execution.peek)
    cpu, began = time.process_time(), time.monotonic()
    service.stop()

    for execution in (run, said, streamed):
        result = await execution
        assert (result.outcome, result.stdout) == (Outcome.DIED, "begun\n")
    assert [output async for output in stream] == []
    assert time.monotonic() - began < 1
    assert time.process_time() - cpu < 0.5
    assert not session.is_open

    service.start()
    await works(backend, ref)


async def test_a_frozen_one_costs_the_deadline_and_nothing_after_it(
    backend: ContainerBackend, service: Service, ref: Ref
) -> None:
    session: Session = await backend.session(ref)
    other: Session = await backend.session(ref)
    await (await other.run("x=5"))
    run, said = await backend.execute(ref, SLOW, timeout=1), await session.run(SLOW, timeout=1)
    for execution in (run, said):
        await retry_until_async(execution.peek)
    service.signal(signal.SIGSTOP)
    began = time.monotonic()
    try:
        for execution in (run, said):
            result = await execution
            assert (result.outcome, result.stdout) == (Outcome.TIMED_OUT, "begun\n")
        assert time.monotonic() - began < 1 + END_SECONDS + 1
    finally:
        service.signal(signal.SIGCONT)

    assert (await (await other.run("echo $x"))).stdout == "5\n"
    await works(backend, ref)
