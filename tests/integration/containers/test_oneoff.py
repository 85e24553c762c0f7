"""One command in a container of its own, on both engines: nothing is missed, nothing is left."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys

import pytest

from sandbox_tui.backends.containers.backend import ContainerBackend
from sandbox_tui.model.errors import ImageNotFoundError, StartFailedError
from sandbox_tui.model.outputs import Outcome, Result, Text
from sandbox_tui.model.specs import Command, ContainerSpec
from tests.integration.containers.conftest import IMAGE, Outside, on_docker
from tests.support import Engine, retry_until, retry_until_async


def spec(outside: Outside, command: Command, **fields: object) -> ContainerSpec:
    said: dict[str, object] = {"image": IMAGE, "tty": False, **fields}
    return ContainerSpec(name=outside.name(), command=command, **said)  # pyright: ignore[reportArgumentType]  # the tests say what fits


def is_there(outside: Outside, name: str) -> bool:
    return bool(state_of(outside, name))


def state_of(outside: Outside, name: str) -> str:
    """The engine's word for it; empty when there is none of that name."""
    listed = outside.client.containers(all=True)
    return next((box["State"] for box in listed if f"/{name}" in box["Names"]), "")


async def run(backend: ContainerBackend, made: ContainerSpec) -> Result:
    return await (await backend.run_once(made, timeout=30))


async def test_output_exit_code_and_nothing_left(
    backend: ContainerBackend, outside: Outside
) -> None:
    made = spec(outside, "echo out; echo err >&2; exit 3", env={"A": "b"})
    execution = await backend.run_once(made)
    result = await execution

    assert (result.outcome, result.exit_code) == (Outcome.ERROR, 3)
    assert (result.stdout, result.stderr) == ("out\n", "err\n")
    await retry_until_async(lambda: _gone(outside, made.name))


async def _gone(outside: Outside, name: str) -> bool:
    return not await asyncio.to_thread(is_there, outside, name)


async def test_the_shortest_command_loses_no_word(
    backend: ContainerBackend, outside: Outside
) -> None:
    results = await asyncio.gather(
        *(run(backend, spec(outside, ("echo", str(number)))) for number in range(4))
    )

    assert [result.stdout for result in results] == [f"{number}\n" for number in range(4)]
    assert all(result.ok and result.exit_code == 0 for result in results)


async def test_its_input_is_closed(backend: ContainerBackend, outside: Outside) -> None:
    result = await run(backend, spec(outside, "cat; echo end"))

    assert result.stdout == "end\n"


async def test_a_terminal_has_one_stream(backend: ContainerBackend, outside: Outside) -> None:
    result = await run(backend, spec(outside, "echo out; echo err >&2", tty=True))

    said = "".join(each.text for each in result.outputs if isinstance(each, Text))
    assert said == "out\r\nerr\r\n"
    assert {each.stream for each in result.outputs if isinstance(each, Text)} == {"pty"}


async def test_a_timeout_ends_and_removes_it(backend: ContainerBackend, outside: Outside) -> None:
    made = spec(outside, "echo begun; sleep 1000")
    result = await (await backend.run_once(made, timeout=1))

    assert result.outcome is Outcome.TIMED_OUT
    assert (result.stdout, result.exit_code) == ("begun\n", None)
    await retry_until_async(lambda: _gone(outside, made.name))


async def test_to_cancel_ends_and_removes_it(backend: ContainerBackend, outside: Outside) -> None:
    made = spec(outside, "echo begun; trap '' TERM; sleep 1000")
    execution = await backend.run_once(made)
    await retry_until_async(execution.peek)
    await execution.cancel()

    assert execution.result is not None
    assert execution.result.outcome is Outcome.CANCELLED
    await retry_until_async(lambda: _gone(outside, made.name))


async def test_it_goes_with_the_backend(engine: Engine, outside: Outside) -> None:
    backend = ContainerBackend(engine.url)
    made = spec(outside, "sleep 1000")
    execution = await backend.run_once(made)
    await backend.aclose()

    assert execution.result is not None
    assert execution.result.outcome is Outcome.CANCELLED
    assert await _gone(outside, made.name)


async def test_what_cannot_start_leaves_nothing(
    backend: ContainerBackend, outside: Outside
) -> None:
    wrong = spec(outside, ("/nothing/here",), init=False)
    with pytest.raises(StartFailedError, match="no such file"):
        await backend.run_once(wrong)
    assert await _gone(outside, wrong.name)

    with pytest.raises(ImageNotFoundError, match="st-none"):
        await backend.run_once(spec(outside, "true", image="localhost:1/st-none"))


PROGRAM = """
import asyncio, sys
from sandbox_tui.backends.containers.backend import ContainerBackend
from sandbox_tui.model.specs import ContainerSpec

async def main() -> None:
    spec = ContainerSpec(name=sys.argv[2], image=sys.argv[3], command=sys.argv[4], tty=False)
    print(await (await ContainerBackend(sys.argv[1]).run_once(spec)), flush=True)

asyncio.run(main())
"""


@on_docker
def test_the_engine_removes_it_when_its_caller_was_killed(outside: Outside) -> None:
    name = outside.name()
    words = (outside.engine.url, name, IMAGE, "sleep 2")
    with subprocess.Popen([sys.executable, "-c", PROGRAM, *words]) as caller:
        retry_until(lambda: state_of(outside, name) == "running")
        caller.send_signal(signal.SIGKILL)
    retry_until(lambda: not is_there(outside, name))
