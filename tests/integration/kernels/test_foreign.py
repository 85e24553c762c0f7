"""Kernels that another program started: found, joined, run in, never ended."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from sandbox_tui.backends.kernels.foreign.backend import ForeignKernels
from sandbox_tui.backends.kernels.foreign.connection_files import ConnectionFiles
from sandbox_tui.model.errors import NotFoundError, UnsupportedError
from sandbox_tui.model.outputs import Outcome, Result, Text
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.specs import RoomSpec
from sandbox_tui.model.world import RoomFacts, Sandbox, State
from sandbox_tui.runtime.execution import Execution
from tests.support import retry_until_async
from tests.system import exists

REF = Ref("room:kernel-1234@jupyter")


@pytest.fixture
def file(home: Path) -> Path:
    return home / "kernels/kernel-1234.json"


@pytest.fixture
def stranger(file: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A kernel as `jupyter kernel` would have it, over tcp."""
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", str(file)]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(argv, stdout=quiet, stderr=quiet, start_new_session=True)
    yield process
    process.kill()
    process.wait()


@pytest.fixture
async def foreign() -> AsyncIterator[ForeignKernels]:
    backend = ForeignKernels(ConnectionFiles())
    yield backend
    await backend.aclose()


async def only(foreign: ForeignKernels) -> Sandbox:
    """The one kernel, once it is up."""

    async def there() -> list[Sandbox]:
        return await foreign.poll()

    [box] = await retry_until_async(there, timeout=15)
    return box


async def result_of(execution: Execution) -> Result:
    async with asyncio.timeout(20):
        return await execution


async def test_nothing_is_there(foreign: ForeignKernels) -> None:
    assert await foreign.poll() == []
    assert (await foreign.probe()).ok
    with pytest.raises(NotFoundError):
        await foreign.execute(REF, "1")


async def test_it_is_listed_as_foreign_before_it_is_joined(
    foreign: ForeignKernels, stranger: subprocess.Popen[bytes], file: Path
) -> None:
    box = await only(foreign)
    assert (box.ref, box.state, box.managed) == (REF, State.RUNNING, False)
    assert isinstance(box.facts, RoomFacts)
    assert box.facts.foreign
    assert box.facts.connection_file == str(file)


async def test_it_is_joined_and_run_in(
    foreign: ForeignKernels, stranger: subprocess.Popen[bytes]
) -> None:
    await only(foreign)
    result = await result_of(await foreign.execute(REF, "print('in'); 6 * 7"))
    assert (result.stdout, result.display[0].data) == ("in\n", {"text/plain": "42"})
    assert (await only(foreign)).state is State.IDLE


async def test_its_console_is_attached_to(
    foreign: ForeignKernels, stranger: subprocess.Popen[bytes]
) -> None:
    await only(foreign)
    attachment = await foreign.attachment(REF)

    assert attachment.argv[-2:] == ("attach", REF)
    with pytest.raises(NotFoundError):
        await foreign.attachment(Ref("room:nobody@jupyter"))


async def test_its_code_can_be_interrupted(
    foreign: ForeignKernels, stranger: subprocess.Popen[bytes]
) -> None:
    await only(foreign)
    began = time.monotonic()
    await result_of(await foreign.execute(REF, "1 / 0"))
    limit = 0.5 + 5 * (time.monotonic() - began)
    for code in ("while True: pass", "import asyncio; await asyncio.sleep(60)"):
        execution = await foreign.execute(REF, code)
        await retry_until_async(lambda execution=execution: execution.started_at is not None)
        assert (await only(foreign)).state is State.BUSY
        began = time.monotonic()
        await foreign.interrupt(REF)
        assert (await result_of(execution)).outcome is Outcome.CANCELLED
        assert time.monotonic() - began < limit


async def test_two_programs_share_it(
    foreign: ForeignKernels, stranger: subprocess.Popen[bytes]
) -> None:
    await only(foreign)
    other = ForeignKernels(ConnectionFiles())
    await other.poll()
    await result_of(await other.execute(REF, "x = 41"))
    slow = await other.execute(REF, "import time; time.sleep(0.5)")
    await retry_until_async(lambda: slow.started_at is not None)
    given_up = await foreign.execute(REF, "1")
    await given_up.cancel()
    assert (await result_of(given_up)).outcome is Outcome.CANCELLED
    result = await result_of(await foreign.execute(REF, "x + 1"))
    assert result.display[0].data == {"text/plain": "42"}
    assert (await result_of(slow)).ok
    await other.aclose()


async def test_its_log_has_what_others_run(
    foreign: ForeignKernels, stranger: subprocess.Popen[bytes]
) -> None:
    await only(foreign)
    said = ""

    async def read() -> None:
        nonlocal said
        async for output in foreign.follow(REF):
            assert isinstance(output, Text)
            said += output.text

    reading = asyncio.create_task(read())
    other = ForeignKernels(ConnectionFiles())
    await other.poll()
    await result_of(await other.execute(REF, "pass"))

    async def heard() -> bool:
        await result_of(await other.execute(REF, "print('é')"))
        return "print('é')\né\n" in said

    await retry_until_async(heard)
    await other.aclose()
    stranger.kill()

    async def gone() -> bool:
        return await foreign.poll() == []

    await retry_until_async(gone)
    async with asyncio.timeout(5):
        await reading


async def test_it_is_never_ended_here(
    foreign: ForeignKernels, stranger: subprocess.Popen[bytes]
) -> None:
    await only(foreign)
    with pytest.raises(UnsupportedError, match="started by another program"):
        await foreign.stop(REF)
    with pytest.raises(UnsupportedError):
        await foreign.remove(REF)
    with pytest.raises(UnsupportedError):
        await foreign.start(RoomSpec(name="x"))
    await foreign.execute(REF, "1")
    await foreign.aclose()
    assert stranger.poll() is None


async def test_a_dead_one_goes_and_its_runs_end(
    foreign: ForeignKernels, stranger: subprocess.Popen[bytes], file: Path
) -> None:
    await only(foreign)
    execution = await foreign.execute(REF, "import time; time.sleep(60)")
    os.kill(stranger.pid, signal.SIGKILL)

    async def gone() -> bool:
        return await foreign.poll() == []

    await retry_until_async(gone)
    assert exists(file)
    assert (await result_of(execution)).outcome is Outcome.DIED


async def test_files_that_are_no_connections_are_passed_over(
    foreign: ForeignKernels, home: Path
) -> None:
    (home / "kernels/jpserver-1.json").write_text('{"url": "http://localhost:8888/"}')
    (home / "kernels/kernel-half.json").write_text('{"shell_port": 1')
    assert await foreign.poll() == []
