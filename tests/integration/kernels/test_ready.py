"""Kernels that stand ready, and kernels that are forked: as good as any, only sooner there."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox_tui.backends.kernels.host import KernelHost
from sandbox_tui.backends.kernels.kernel import Kernel, KernelStatus
from sandbox_tui.backends.kernels.launch import KernelRequest
from sandbox_tui.backends.kernels.process import stat
from sandbox_tui.backends.kernels.records import KernelRecord, Records
from sandbox_tui.model.outputs import Outcome, Result
from sandbox_tui.model.pools import PoolState
from sandbox_tui.model.refs import Ref
from sandbox_tui.runtime.execution import Execution
from tests.integration.kernels.listener import Ears
from tests.support import retry_until_async
from tests.system import in_session, names_in

LAB = Ref("room:lab")


async def run(kernel: Kernel, code: str) -> Result:
    async with asyncio.timeout(30):
        return await kernel.run(Execution(LAB, code))


async def filled(host: KernelHost) -> PoolState:
    """The one pool, once it is full."""
    await retry_until_async(lambda: host.pools[0].available == host.pools[0].size, timeout=20)
    return host.pools[0]


@pytest.fixture
async def keen(home: Path, state: Path) -> AsyncIterator[KernelHost]:
    """A host that keeps one kernel ready."""
    host = KernelHost(home / "run", state, pool=1)
    await host.warm()
    await filled(host)
    yield host
    await host.aclose()


@pytest.fixture
async def forked(keen: KernelHost, ears: Ears) -> AsyncIterator[Kernel]:
    """The second of two that are started at once: there was only one ready."""
    request = KernelRequest(owner=LAB)
    first = await keen.start(request, ears)
    second = await keen.start(request, ears)
    await keen.end(first)
    yield second
    await keen.end(second)


async def only(state: Path) -> KernelRecord:
    """The one kernel that is written down."""
    [record] = await asyncio.to_thread(Records(state).read)
    return record


async def parent(kernel: Kernel) -> int:
    found = await asyncio.to_thread(stat, kernel.pid)
    assert found is not None
    return found.parent


async def private(kernel: Kernel) -> int:
    """The memory that is its own, in megabytes."""
    told = await asyncio.to_thread(Path(f"/proc/{kernel.pid}/smaps_rollup").read_text)
    [size] = [line.split()[1] for line in told.splitlines() if line.startswith("Private_Dirty")]
    return int(size) // 1024


async def test_a_ready_kernel_is_moved_to_where_it_is_wanted(
    keen: KernelHost, ears: Ears, home: Path
) -> None:
    request = KernelRequest(owner=LAB, working_dir=str(home), env={"MOOD": "fine"})
    kernel = await keen.start(request, ears)
    code = "import os; print(os.getcwd(), os.environ['MOOD'], _dh[0], dir()[:2])"
    result = await run(kernel, code)
    names = "['In', 'Out']"
    assert result.stdout == f"{home} fine {home} {names}\n"
    assert (result.execution_count, kernel.record.owner, await kernel.log()) == (1, LAB, "")
    await keen.end(kernel)


async def test_it_is_there_at_once_and_another_follows(keen: KernelHost, ears: Ears) -> None:
    began = time.monotonic()
    kernel = await keen.start(KernelRequest(owner=LAB), ears)
    assert time.monotonic() - began < 0.2
    assert keen.pools[0].available == 0
    assert await filled(keen) == PoolState(environment="python", size=1, available=1)
    await keen.end(kernel)


async def test_what_the_zygote_has_learnt_its_kernels_know_and_share(
    keen: KernelHost, ears: Ears
) -> None:
    """The first kernel is there before the zygote learns to complete; all others come later."""
    request = KernelRequest(owner=LAB)
    first = await keen.start(request, ears)
    await filled(keen)
    second = await keen.start(request, ears)
    assert await parent(second) == await parent(first) != os.getpid()
    assert (await run(second, "import sys; print('jedi' in sys.modules)")).stdout == "True\n"
    assert await private(second) < await private(first) + 8
    assert "print" in (await second.complete("pri", 3)).matches
    for kernel in (first, second):
        await keen.end(kernel)


async def test_a_death_is_told_with_its_code_while_the_zygote_learns(
    keen: KernelHost, ears: Ears
) -> None:
    kernel = await keen.start(KernelRequest(owner=LAB), ears)
    await retry_until_async(lambda: keen.pools[0].warming)
    assert (await run(kernel, "import os; os._exit(3)")).exit_code == 3
    await keen.end(kernel)


async def test_none_is_made_while_a_cell_runs(keen: KernelHost, ears: Ears) -> None:
    kernel = await keen.start(KernelRequest(owner=LAB), ears)
    running = asyncio.create_task(run(kernel, "import time; time.sleep(1.5)"))
    await retry_until_async(lambda: kernel.status is KernelStatus.BUSY)
    while not running.done():
        assert (keen.pools[0].available, keen.pools[0].warming) == (0, 0)
        await asyncio.wait([running], timeout=0.05)
    await filled(keen)
    await keen.end(kernel)


async def test_a_flushed_pool_is_filled_anew(keen: KernelHost, state: Path, ears: Ears) -> None:
    before = await only(state)
    await keen.flush_pool()
    assert keen.pools[0].available == 0
    await filled(keen)
    assert (await only(state)).pid != before.pid


async def test_a_dead_one_is_not_handed_out(keen: KernelHost, state: Path, ears: Ears) -> None:
    record = await only(state)
    os.killpg(record.pid, signal.SIGKILL)
    await retry_until_async(lambda: not in_session(record.pid))
    kernel = await keen.start(KernelRequest(owner=LAB), ears)
    assert kernel.pid != record.pid
    assert (await run(kernel, "1")).ok
    await keen.end(kernel)
    await filled(keen)


async def test_a_frozen_one_is_not_handed_out(
    keen: KernelHost, state: Path, ears: Ears, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox_tui.backends.kernels.kernel.SETTLES", 0.5)
    record = await only(state)
    os.kill(record.pid, signal.SIGSTOP)
    async with asyncio.timeout(30):
        kernel = await keen.start(KernelRequest(owner=LAB), ears)
    assert kernel.pid != record.pid
    assert not in_session(record.pid)
    await keen.end(kernel)


async def test_a_dead_one_cannot_be_prepared(keen: KernelHost, ears: Ears) -> None:
    kernel = await keen.start(KernelRequest(owner=LAB), ears)
    os.killpg(kernel.pid, signal.SIGKILL)
    await retry_until_async(lambda: kernel.status is KernelStatus.DEAD)
    async with asyncio.timeout(30):
        assert not await kernel.prepare("pass")
    await keen.end(kernel)


async def test_variables_that_are_read_early_take_a_fresh_process(
    keen: KernelHost, ears: Ears
) -> None:
    request = KernelRequest(owner=LAB, env={"PYTHONOPTIMIZE": "1"})
    kernel = await keen.start(request, ears)
    assert (await run(kernel, "assert False")).ok
    assert await parent(kernel) == os.getpid()
    await keen.end(kernel)


async def test_nothing_that_stands_ready_is_left(home: Path, state: Path, ears: Ears) -> None:
    host = KernelHost(home / "run", state, pool=1)
    await host.warm()
    await filled(host)
    record = await only(state)
    await host.aclose()
    assert not in_session(record.pid)
    assert names_in(home / "run") == []
    assert names_in(state) == ["zygote.log"]


async def test_ownerless_kernels_are_ended_by_the_next_daemon(
    host: KernelHost, home: Path, state: Path, ears: Ears
) -> None:
    kernel = await host.start(KernelRequest(owner=LAB, ready=True), ears)
    await host.aclose()
    heir = KernelHost(home / "run", state)
    assert await heir.adopt(lambda _: ears) == ([], [])
    await retry_until_async(lambda: not in_session(kernel.pid))
    assert names_in(state) == []
    await heir.aclose()


async def test_what_was_launched_and_not_written_down_is_ended(
    host: KernelHost, home: Path, state: Path, ears: Ears
) -> None:
    kernel = await host.start(KernelRequest(owner=LAB), ears)
    await host.aclose()
    (state / f"{kernel.record.id}.json").unlink()
    heir = KernelHost(home / "run", state)
    assert await heir.adopt(lambda _: ears) == ([], [])
    await retry_until_async(lambda: not in_session(kernel.pid))
    await heir.aclose()


@pytest.mark.parametrize("pause", [0.0, 0.005, 0.02, 0.06, 0.15])
async def test_a_start_that_is_called_off_leaves_nothing(
    keen: KernelHost, state: Path, home: Path, ears: Ears, pause: float
) -> None:
    await keen.flush_pool()
    request = KernelRequest(owner=LAB, env={"PYTHONOPTIMIZE": "1"} if pause else {})
    starting = asyncio.create_task(keen.start(request, ears))
    await asyncio.wait([starting], timeout=pause)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    await keen.aclose()
    assert names_in(state) == ["zygote.log"]
    assert names_in(home / "run") == []


async def test_without_uv_the_default_is_a_kernel_of_this_environment(
    keen: KernelHost, ears: Ears, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    monkeypatch.setenv("PATH", "/nowhere")
    kernel = await keen.start(KernelRequest(owner=LAB, env_source="uv:prewarmed"), ears)
    assert keen.pools[0].available == 0
    assert (await run(kernel, "import sys; print(sys.prefix)")).stdout == f"{sys.prefix}\n"
    await keen.end(kernel)


# --- forked ones ------------------------------------------------------------------------------


async def test_a_forked_kernel_is_like_any(forked: Kernel, host: KernelHost, ears: Ears) -> None:
    assert await parent(forked) != os.getpid()
    code = """
import os, sys, threading
print([name for name in dir() if name[0] != '_'], sys.path, sys.argv[0], sys.prefix, __name__)
print(os.getsid(0) == os.getpid() == os.getpgrp(), os.getcwd())
"""
    plain = await host.start(KernelRequest(owner=LAB), ears)
    assert (await run(forked, code)).stdout == (await run(plain, code)).stdout
    await host.end(plain)


@pytest.mark.parametrize(
    "code",
    [
        "while True: pass",
        "import time; time.sleep(60)",
        "while True: print('x')",
        "import subprocess; subprocess.run(['sleep', '60'])",
        "import asyncio; await asyncio.sleep(60)",
    ],
    ids=["loop", "sleep", "prints", "child", "await"],
)
async def test_a_forked_kernel_can_be_interrupted(forked: Kernel, code: str) -> None:
    running = asyncio.create_task(run(forked, code))
    await retry_until_async(lambda: forked.status is KernelStatus.BUSY)
    await forked.interrupt()
    result = await running
    assert result.outcome is Outcome.CANCELLED
    assert result.error is not None
    assert result.error.name == "KeyboardInterrupt"
    assert (await run(forked, "1")).ok


async def test_the_exit_of_a_forked_kernel_is_known(forked: Kernel) -> None:
    began = time.monotonic()
    result = await run(forked, "import os; os._exit(3)")
    assert time.monotonic() - began < 1.0
    assert (result.outcome, result.exit_code) == (Outcome.DIED, 3)
    assert forked.exit is not None
    assert forked.exit.reason == "exit code 3"


async def test_kernels_survive_the_process_that_forked_them(
    keen: KernelHost, forked: Kernel, ears: Ears
) -> None:
    os.kill(await parent(forked), signal.SIGKILL)
    assert (await run(forked, "6 * 7")).display[0].data == {"text/plain": "42"}
    taken = await keen.start(KernelRequest(owner=LAB), ears)
    cold = await keen.start(KernelRequest(owner=LAB), ears)
    assert (await run(cold, "1")).ok
    await keen.end(taken)
    await keen.end(cold)
    result = await run(forked, "import os; os._exit(3)")
    assert (result.outcome, result.exit_code) == (Outcome.DIED, None)
    await filled(keen)


async def test_a_forked_kernel_is_found_again(
    keen: KernelHost, ears: Ears, home: Path, state: Path
) -> None:
    request = KernelRequest(owner=LAB)
    kernels = [await keen.start(request, ears), await keen.start(request, ears)]
    await run(kernels[1], "x = 41")
    await keen.aclose()
    heir = KernelHost(home / "run", state)
    living, dead = await heir.adopt(lambda _: ears)
    assert (sorted(k.pid for k in living), dead) == (sorted(k.pid for k in kernels), [])
    [found] = [kernel for kernel in living if kernel.pid == kernels[1].pid]
    assert (await run(found, "x + 1")).display[0].data == {"text/plain": "42"}
    for kernel in living:
        await heir.end(kernel)
    await heir.aclose()


STOPS, AT_ONCE = 200, 4
"""The machine has two cores, and half of a start is waiting."""


async def test_stops_are_fast_and_leave_nothing(
    keen: KernelHost, ears: Ears, home: Path, state: Path
) -> None:
    """None takes over a second."""

    async def come_and_go() -> None:
        for _ in range(STOPS // AT_ONCE):
            kernel = await keen.start(KernelRequest(owner=LAB), ears)
            began = time.monotonic()
            await keen.end(kernel)
            assert time.monotonic() - began < 1.0
            assert not in_session(kernel.pid)

    await asyncio.gather(*(come_and_go() for _ in range(AT_ONCE)))
    await keen.flush_pool()
    assert len(names_in(home / "run")) <= 1  # the next that is to stand ready
