"""One suite, every backend: the duty, and the capabilities of those that have them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox_tui.backends.base import (
    Backend,
    Follows,
    Interrupts,
    Pauses,
    Restarts,
    Runs,
    Sessions,
    Wakes,
)
from sandbox_tui.model.errors import (
    AlreadyExistsError,
    ConflictError,
    NotFoundError,
    NotRunningError,
    SessionClosedError,
    UnsupportedError,
)
from sandbox_tui.model.outputs import Outcome, Text
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.model.specs import Inside
from sandbox_tui.model.world import Sandbox, State
from tests.contract.backends import CASES, MINE, Case
from tests.support import retry_until_async

pytestmark = pytest.mark.timeout(90)

PYTHON = {"room", "mounted-room"}
"""Cases that run Python; the others run a shell's language."""


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> Case:
    case: Case = request.param
    case.needs()
    return case


@pytest.fixture
async def backend(case: Case, home: Path) -> AsyncIterator[Backend]:
    backend = await case.make(home)
    before = {box.ref for box in await backend.poll()}
    yield backend
    for box in await backend.poll():
        if box.ref not in before and box.ref.name.startswith(MINE):
            await take_away(backend, box.ref)
    await backend.aclose()


@pytest.fixture
def name(case: Case) -> str:
    return case.unique()


async def take_away(backend: Backend, ref: Ref) -> None:
    for step in (lambda: backend.stop(ref, grace=0), lambda: backend.remove(ref)):
        try:
            await step()
        except (NotFoundError, NotRunningError):
            continue


async def find(backend: Backend, ref: Ref) -> Sandbox | None:
    return next((box for box in await backend.poll() if box.ref == ref), None)


async def until_state(backend: Backend, ref: Ref, *wanted: State) -> Sandbox:
    async def look() -> Sandbox | None:
        box = await find(backend, ref)
        return box if box is not None and box.state in wanted else None

    box = await retry_until_async(look, timeout=20, what=f"{ref} is {wanted}")
    assert box is not None
    return box


async def until_live(backend: Backend, ref: Ref) -> Sandbox:
    return await until_state(backend, ref, State.RUNNING, State.IDLE, State.BUSY)


async def test_it_answers(backend: Backend, case: Case) -> None:
    health = await backend.probe()

    assert health.ok
    assert health.place == str(backend.place)


async def test_what_is_started_is_there_with_its_facts(
    backend: Backend, case: Case, name: str
) -> None:
    began = time.time()
    ref = await backend.start(case.spec(name))
    box = await until_live(backend, ref)

    assert ref == Ref.make(backend.place.kind, name, backend.place.where)
    assert box.managed
    assert box.created_at is not None and began - 2 <= box.created_at <= time.time() + 2
    assert box.pid is None or box.pid > 1


async def test_a_name_that_is_taken_is_refused(backend: Backend, case: Case, name: str) -> None:
    ref = await backend.start(case.spec(name))
    await until_live(backend, ref)

    with pytest.raises(AlreadyExistsError):
        await backend.start(case.spec(name))
    assert await find(backend, ref) is not None


async def test_of_two_racing_starters_one_wins(backend: Backend, case: Case, name: str) -> None:
    starts = (backend.start(case.spec(name)) for _ in range(2))
    answers = await asyncio.gather(*starts, return_exceptions=True)

    assert sorted(type(answer).__name__ for answer in answers) == ["AlreadyExistsError", "Ref"]


async def test_names_are_exact(backend: Backend, case: Case, name: str) -> None:
    longer = await backend.start(case.spec(f"{name}-backup"))
    await until_live(backend, longer)
    shorter = Ref.make(backend.place.kind, name, backend.place.where)

    for refused in (backend.stop(shorter), backend.remove(shorter)):
        with pytest.raises(NotFoundError):
            await refused
    box = await find(backend, longer)
    assert box is not None and box.state.is_live


async def test_a_stopped_one_runs_no_more(backend: Backend, case: Case, name: str) -> None:
    ref = await backend.start(case.spec(name))
    await until_live(backend, ref)
    await backend.stop(ref, grace=2)

    box = await find(backend, ref)
    assert box is None or not box.state.is_live


async def test_only_an_ended_one_is_removed(backend: Backend, case: Case, name: str) -> None:
    ref = await backend.start(case.spec(name))
    await until_live(backend, ref)
    with pytest.raises(ConflictError):
        await backend.remove(ref)
    await take_away(backend, ref)

    assert await find(backend, ref) is None
    with pytest.raises(NotFoundError):
        await backend.stop(ref)


async def test_nothing_volatile_is_in_a_listing(backend: Backend, case: Case, name: str) -> None:
    await until_live(backend, await backend.start(case.spec(name)))

    async def settled() -> bool:
        before, after = await backend.poll(), await backend.poll()
        return list(before) == list(after)

    assert await retry_until_async(settled, timeout=10)


async def test_a_start_and_a_stop_wake_the_poll(backend: Backend, case: Case, name: str) -> None:
    if not isinstance(backend, Wakes):
        pytest.fail("every backend hears from its engine")
    woken = asyncio.Event()
    backend.listen(woken.set)
    await backend.poll()
    ref = await backend.start(case.spec(name))
    async with asyncio.timeout(10):
        await woken.wait()
    await until_live(backend, ref)

    woken.clear()
    await backend.stop(ref, grace=0)
    async with asyncio.timeout(10):
        await woken.wait()


async def test_its_log_is_followed_in_true_order(backend: Backend, case: Case, name: str) -> None:
    if not isinstance(backend, Follows) or case.name.startswith("memory"):
        pytest.skip("says nothing by itself")
    if backend.place.kind is Kind.ROOM:
        pytest.skip("a room's log begins with its first cell")
    ref = await backend.start(case.spec(name))
    await until_live(backend, ref)

    async def logged() -> list[str]:
        outputs = [output async for output in backend.follow(ref, tail=5, live=False)]
        return [output.text.rstrip() for output in outputs if isinstance(output, Text)]

    assert await retry_until_async(logged, timeout=10) == ["ready"]


async def test_code_is_run_with_its_output_and_its_end(
    backend: Backend, case: Case, name: str
) -> None:
    if not isinstance(backend, Runs):
        pytest.skip("runs no code")
    ref = await backend.start(case.spec(name))
    await until_live(backend, ref)
    script = backend.place.kind is Kind.CONTAINER or case.name == "memory-room"
    good, bad = ("echo hi", "exit 3") if script else ("print('hi')", "1/0")

    result = await (await backend.execute(ref, good))
    assert (result.outcome, result.stdout, result.truncated) == (Outcome.OK, "hi\n", False)
    result = await (await backend.execute(ref, bad))
    assert result.outcome is Outcome.ERROR
    assert result.exit_code == (3 if script else None)


async def test_a_run_ends_at_its_timeout_and_the_next_one_works(
    backend: Backend, case: Case, name: str
) -> None:
    if not isinstance(backend, Runs):
        pytest.skip("runs no code")
    ref = await backend.start(case.spec(name))
    await until_live(backend, ref)
    python = case.name in PYTHON
    slow = "import time; time.sleep(60)" if python else "sleep 60"
    quick = "print('hi')" if python else "echo hi"

    async with asyncio.timeout(15):
        result = await (await backend.execute(ref, slow, timeout=0.5))
        assert result.outcome is Outcome.TIMED_OUT
        assert (await (await backend.execute(ref, quick))).stdout == "hi\n"


async def test_a_cancelled_run_ends(backend: Backend, case: Case, name: str) -> None:
    if not isinstance(backend, Runs):
        pytest.skip("runs no code")
    ref = await backend.start(case.spec(name))
    await until_live(backend, ref)
    slow = "import time; time.sleep(60)" if case.name in PYTHON else "sleep 60"
    execution = await backend.execute(ref, slow)
    await retry_until_async(lambda: execution.status == "running", timeout=10)
    async with asyncio.timeout(15):
        await execution.cancel()
        result = await execution

    assert not result.ok


async def test_of_a_long_output_the_wanted_end_is_kept(
    backend: Backend, case: Case, name: str
) -> None:
    if not isinstance(backend, Runs):
        pytest.skip("runs no code")
    ref = await backend.start(case.spec(name))
    await until_live(backend, ref)
    python = case.name in PYTHON
    code = "print('begin')\nprint('end')" if python else "echo begin\necho end"

    tail = await (await backend.execute(ref, code, cap=4))
    head = await (await backend.execute(ref, code, cap=5, keep="head"))
    assert (tail.stdout, tail.truncated) == ("end\n", True)
    assert (head.stdout, head.truncated) == ("begin", True)


async def test_a_command_line_runs_where_programs_do(
    backend: Backend, case: Case, name: str
) -> None:
    if not isinstance(backend, Runs):
        pytest.skip("runs no code")
    ref = await backend.start(case.spec(name))
    await until_live(backend, ref)
    if backend.place.kind is Kind.ROOM:
        with pytest.raises(UnsupportedError):
            await backend.execute(ref, ("echo", "hi"))
        with pytest.raises(UnsupportedError):
            await backend.execute(ref, "1", inside=Inside(user="root"))
    else:
        assert (await (await backend.execute(ref, ("echo", "hi")))).stdout == "hi\n"


async def test_a_session_runs_command_after_command(
    backend: Backend, case: Case, name: str
) -> None:
    if not isinstance(backend, Sessions):
        pytest.skip("keeps no shell")
    ref = await backend.start(case.spec(name))
    await until_live(backend, ref)
    session = await backend.session(ref)
    async with asyncio.timeout(20):
        commands = [await session.run(f"echo {number}") for number in range(10)]
        told = [(await command).stdout for command in commands]
        assert told == [f"{number}\n" for number in range(10)]
        late = await (await session.run("sleep 60", timeout=0.3))
        assert late.outcome is Outcome.TIMED_OUT
        assert (await (await session.run("echo on"))).stdout == "on\n"
        last = await (await session.run("exit 3"))
        assert (last.outcome, last.exit_code) == (Outcome.ERROR, 3)
        await retry_until_async(lambda: not session.is_open)

    assert (session.ref, bool(session.id)) == (ref, True)
    with pytest.raises(SessionClosedError):
        await session.run("echo more")
    await session.aclose()


async def test_a_closed_session_is_closed(backend: Backend, case: Case, name: str) -> None:
    if not isinstance(backend, Sessions):
        pytest.skip("keeps no shell")
    ref = await backend.start(case.spec(name))
    await until_live(backend, ref)
    session = await backend.session(ref)
    running = await session.run("sleep 60")
    await retry_until_async(lambda: running.status == "running")
    async with asyncio.timeout(10):
        await session.aclose()
        assert not (await running).ok

    assert not session.is_open
    with pytest.raises(SessionClosedError):
        await session.run("echo more")


async def test_a_restarted_one_lives_on_anew(backend: Backend, case: Case, name: str) -> None:
    if not isinstance(backend, Restarts):
        pytest.skip("cannot be restarted")
    ref = await backend.start(case.spec(name))
    before = await until_live(backend, ref)
    await backend.restart(ref, grace=1)
    after = await until_live(backend, ref)

    assert before.pid is None or before.pid != after.pid


async def test_a_paused_one_is_paused_until_it_is_resumed(
    backend: Backend, case: Case, name: str
) -> None:
    if not isinstance(backend, Pauses):
        pytest.skip("cannot be paused")
    ref = await backend.start(case.spec(name))
    await until_live(backend, ref)
    await backend.pause(ref)
    await until_state(backend, ref, State.PAUSED)
    await backend.resume(ref)
    await until_live(backend, ref)


async def test_capabilities_refuse_what_is_not_there(
    backend: Backend, case: Case, name: str
) -> None:
    nobody = Ref.make(backend.place.kind, name, backend.place.where)
    for ability, call in (
        (Runs, lambda: backend.execute(nobody, "1")),  # type: ignore[attr-defined]
        (Sessions, lambda: backend.session(nobody)),  # type: ignore[attr-defined]
        (Interrupts, lambda: backend.interrupt(nobody)),  # type: ignore[attr-defined]
        (Restarts, lambda: backend.restart(nobody)),  # type: ignore[attr-defined]
        (Pauses, lambda: backend.pause(nobody)),  # type: ignore[attr-defined]
    ):
        if isinstance(backend, ability):
            with pytest.raises(NotFoundError):
                await call()
