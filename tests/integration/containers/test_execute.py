"""Commands inside a container: their output, their end, and that the end is real."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from sandbox_tui.backends.containers.backend import ContainerBackend
from sandbox_tui.model.errors import ConflictError, NotFoundError, NotRunningError
from sandbox_tui.model.outputs import Outcome, Result
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.model.specs import Command
from sandbox_tui.runtime.execution import Execution
from tests.integration.containers.conftest import Outside, on_docker
from tests.support import lapse, retry_until_async, stays


@pytest.fixture
def ref(outside: Outside) -> Ref:
    """A container that only waits."""
    return Ref.make(Kind.CONTAINER, outside.run("sleep", "1000"))


async def run(backend: ContainerBackend, ref: Ref, code: Command) -> Result:
    return await (await backend.execute(ref, code))


async def left(backend: ContainerBackend, ref: Ref) -> str:
    """What still runs inside, beside the main process."""
    main = "-e 1000 -e 2147483647"
    return (await run(backend, ref, f"ps -o args | grep sleep | grep -v -e grep {main}")).stdout


async def test_output_and_exit_code(backend: ContainerBackend, ref: Ref) -> None:
    result = await run(backend, ref, "echo 'a  b'; echo bad >&2; exit 7")

    assert result.outcome is Outcome.ERROR
    assert (result.exit_code, result.stdout, result.stderr) == (7, "a  b\n", "bad\n")
    assert (await run(backend, ref, "true")).outcome is Outcome.OK


@on_docker
async def test_output_arrives_while_it_runs(backend: ContainerBackend, ref: Ref) -> None:
    execution = await backend.execute(ref, "echo first; sleep 30; echo last")
    outputs = aiter(execution)

    assert (await asyncio.wait_for(anext(outputs), 5)).text == "first\n"  # type: ignore[union-attr]
    assert execution.result is None
    await execution.cancel()


@on_docker
async def test_what_is_no_text_is_shown_safely(backend: ContainerBackend, ref: Ref) -> None:
    result = await run(
        backend, ref, r"printf 'h\303'; sleep 0.1; printf '\251 \377 [/red]\033[31m'"
    )

    assert result.stdout == "hé \ufffd [/red]\x1b[31m"


@on_docker
async def test_ten_megabytes_come_whole_and_wake_the_loop_seldom(
    backend: ContainerBackend, outside: Outside
) -> None:
    ref = Ref.make(Kind.CONTAINER, outside.run("sleep", "1000"))
    execution = await backend.execute(ref, "head -c 10000000 /dev/zero | tr '\\0' x")
    result = await execution

    assert len(result.stdout) == 10_000_000
    assert len(result.outputs) < 1500


@on_docker
async def test_many_small_pieces_are_gathered(backend: ContainerBackend, ref: Ref) -> None:
    code = "i=0; while [ $i -lt 5000 ]; do echo $i; i=$((i+1)); done"
    result = await run(backend, ref, code)

    assert result.stdout == "".join(f"{i}\n" for i in range(5000))
    assert len(result.outputs) < 1000


TREE = """
sleep 101 & (sleep 102 &) ; setsid sleep 103 & env -i sleep 104 &
sh -c 'trap "" TERM INT HUP; sleep 105' & echo begun; sleep 106
"""


async def test_a_timeout_ends_the_whole_tree(backend: ContainerBackend, ref: Ref) -> None:
    execution = await backend.execute(ref, TREE, timeout=0.5)
    result: Result = await execution

    assert result.outcome is Outcome.TIMED_OUT
    assert result.stdout == "begun\n"
    assert await left(backend, ref) == ""


@on_docker
async def test_a_cancel_ends_the_whole_tree(backend: ContainerBackend, ref: Ref) -> None:
    execution = await backend.execute(ref, TREE)
    await retry_until_async(execution.peek)
    await execution.cancel()

    assert execution.result is not None
    assert execution.result.outcome is Outcome.CANCELLED
    assert await left(backend, ref) == ""


@on_docker
async def test_another_run_is_not_touched(backend: ContainerBackend, ref: Ref) -> None:
    kept = await backend.execute(ref, "sleep 107")
    ended = await backend.execute(ref, "sleep 108", timeout=0.3)
    await ended

    assert kept.result is None
    assert await left(backend, ref) == "sleep 107\n"
    await kept.cancel()


@on_docker
async def test_a_cancel_at_once_ends_what_has_hardly_begun(
    backend: ContainerBackend, ref: Ref
) -> None:
    execution = await backend.execute(ref, "sleep 109")
    await execution.cancel()

    assert execution.result is not None
    assert execution.result.outcome is Outcome.CANCELLED
    assert await left(backend, ref) == ""


@on_docker
@pytest.mark.parametrize("seconds", [0.0, 0.003, 0.03])
async def test_somebody_who_goes_while_it_begins_leaves_nothing(
    backend: ContainerBackend, outside: Outside, seconds: float
) -> None:
    ref = Ref.make(Kind.CONTAINER, outside.run("sleep", "1000"))
    asking = asyncio.ensure_future(backend.execute(ref, "sleep 110"))
    await lapse(seconds)
    asking.cancel()
    (answer,) = await asyncio.gather(asking, return_exceptions=True)
    if isinstance(answer, Execution):
        await answer.cancel()

    async def nothing_left() -> bool:
        return not await left(backend, ref)

    async def nothing_comes() -> bool:
        return await stays(nothing_left, 0.2)

    await retry_until_async(nothing_comes)


@on_docker
async def test_another_user_can_be_ended_too(backend: ContainerBackend, outside: Outside) -> None:
    ref = Ref.make(Kind.CONTAINER, outside.run("sleep", "1000", User="1000:1000"))
    execution = await backend.execute(ref, "id -u; sleep 111", timeout=0.5)

    result: Result = await execution
    assert (result.outcome, result.stdout) == (Outcome.TIMED_OUT, "1000\n")
    assert await left(backend, ref) == ""


async def test_a_container_that_ends_meanwhile_is_said_to_have(
    backend: ContainerBackend, outside: Outside, ref: Ref
) -> None:
    execution = await backend.execute(ref, "echo begun; sleep 1000")
    await retry_until_async(execution.peek)
    began = time.monotonic()
    await asyncio.to_thread(outside.client.kill, ref.name)

    result: Result = await execution
    assert (result.outcome, result.stdout) == (Outcome.DIED, "begun\n")
    assert time.monotonic() - began < 5


@on_docker
async def test_closing_leaves_it_running_and_says_so(
    backend: ContainerBackend, ref: Ref, outside: Outside
) -> None:
    execution: Execution = await backend.execute(ref, "echo begun; sleep 112")
    await retry_until_async(execution.peek)
    await backend.aclose()

    assert execution.result is not None
    assert execution.result.outcome is Outcome.CANCELLED
    other = ContainerBackend(outside.engine.url)
    assert "112" in await left(other, ref)
    await other.aclose()


async def test_only_what_runs_can_be_run_in(backend: ContainerBackend, outside: Outside) -> None:
    created = Ref.make(Kind.CONTAINER, outside.make("true"))
    paused = Ref.make(Kind.CONTAINER, outside.run("sleep", "1000"))
    await backend.pause(paused)

    with pytest.raises(NotRunningError):
        await backend.execute(created, "true")
    with pytest.raises(ConflictError, match="paused"):
        await backend.execute(paused, "true")
    with pytest.raises(NotFoundError):
        await backend.execute(Ref("container:st-test-nobody"), "true")


async def test_a_container_without_a_shell_says_so(
    backend: ContainerBackend, outside: Outside, home: Path
) -> None:
    ref = Ref.make(Kind.CONTAINER, outside.without_shell(home))
    result: Result = await (await backend.execute(ref, "true"))

    assert result.outcome is Outcome.ERROR
    assert "no sh" in result.detail
