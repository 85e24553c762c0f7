"""Commands that a shell runs which is there already: as an exec would, only sooner."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sandbox_tui.backends.containers.backend import ContainerBackend
from sandbox_tui.backends.containers.commands.scripts import is_own
from sandbox_tui.backends.containers.commands.worker import LONGEST
from sandbox_tui.backends.containers.create import container_config
from sandbox_tui.backends.containers.labels import MANAGED_LABEL
from sandbox_tui.model.errors import ConflictError, NotRunningError, SandboxError
from sandbox_tui.model.outputs import Outcome, Result, Text
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.model.specs import IDLING, WAITING, Command, ContainerSpec, Inside
from sandbox_tui.runtime.execution import Execution
from tests.integration.containers.conftest import IMAGE, Outside, on_docker
from tests.integration.containers.gates import Gate
from tests.integration.containers.peers import Forwarder
from tests.integration.containers.test_execute import TREE, left, run
from tests.support import Engine, lapse, retry_until_async

MANAGED = {MANAGED_LABEL: "1"}
IDLING_LINE = " ".join(IDLING)
BY_EXEC = Inside(user="root")


class Holding(ContainerBackend):
    """Whose commands may all end as soon as nobody hears them."""

    async def execute(
        self, ref: Ref, code: Command, *, inside: Inside | None = None, **options: Any
    ) -> Execution:
        held = msgspec.structs.replace(inside or Inside(), held=True)
        return await super().execute(ref, code, inside=held, **options)


MAIN = "of the main process"
WAYS = {"by the engine": ContainerBackend, "by pipes": Holding, MAIN: Holding}
"""How commands come to their shell."""


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    """Each of them."""
    return request.param


@pytest.fixture
async def backend(way: str, engine: Engine) -> AsyncIterator[ContainerBackend]:
    backend = WAYS[way](engine.url)
    yield backend
    await backend.aclose()


@pytest.fixture
def ref(way: str, outside: Outside) -> Ref:
    """A container of this program's own."""
    made = waiting(outside) if way == MAIN else outside.run("sleep", "1000", Labels=MANAGED)
    return Ref.make(Kind.CONTAINER, made)


def waiting(outside: Outside) -> str:
    """One whose main process is a shell that waits."""
    spec = ContainerSpec(name=outside.name(), image=IMAGE, entrypoint=WAITING, tty=False, init=True)
    outside.client.create_container_from_config(container_config(spec, Path.cwd()), spec.name)
    outside.client.start(spec.name)
    return spec.name


@pytest.fixture
async def warm(backend: ContainerBackend, ref: Ref) -> Ref:
    """The same, with a shell that waits inside, and has come near if it may."""
    for _ in range(2):
        await run(backend, ref, "true")
    return ref


def shells(outside: Outside, ref: Ref) -> list[str]:
    """Our own processes inside, as the engine sees them, but for the main process."""
    top = outside.client.top(ref.name, "-eo pid,args")
    lines = [row[-1] for row in top["Processes"] or ()]
    waits = " ".join(WAITING) == outside.main(ref) and IDLING_LINE not in lines
    return [line for line in lines if is_own(line) and "init -- " not in line][waits:]


async def test_one_shell_carries_command_after_command(
    backend: ContainerBackend, outside: Outside, warm: Ref
) -> None:
    for number in range(20):
        result = await run(backend, warm, f"echo {number}; echo bad >&2; exit {number}")
        expected = (number, f"{number}\n", "bad\n")
        assert (result.exit_code, result.stdout, result.stderr) == expected

    assert len(shells(outside, warm)) == 1
    assert (await run(backend, warm, "printf 'no newline'")).stdout == "no newline"


ABOUT = """
id; pwd; umask; ulimit -a; env | grep -v SANDBOX_TUI_EXEC | sort; cat /proc/self/cgroup
grep -E 'Cap|NoNew|Seccomp|SigBlk|SigIgn|SigCgt|Groups' /proc/self/status
ls /proc/self/fd | wc -l; readlink /proc/self/fd/0; cat
read -r stat </proc/$$/stat; set -- $stat; echo $(( $1 == $5 )) $(( $1 == $6 ))
"""


async def test_a_command_is_what_an_exec_would_be(backend: ContainerBackend, warm: Ref) -> None:
    as_exec = await (await backend.execute(warm, ABOUT, inside=BY_EXEC))
    as_told = await run(backend, warm, ABOUT)

    assert as_exec.stdout.endswith("1 1\n")
    assert as_told.stdout == as_exec.stdout
    env = await (await backend.execute(warm, ("env",), inside=BY_EXEC))
    assert sorted(without_tag(await run(backend, warm, ("env",)))) == sorted(without_tag(env))


def without_tag(result: Result) -> list[str]:
    return [line for line in result.stdout.splitlines() if "SANDBOX_TUI_EXEC" not in line]


async def test_nothing_is_left_to_the_next_one(backend: ContainerBackend, warm: Ref) -> None:
    before = await run(backend, warm, ABOUT)
    spoil = "cd /tmp; export A=1; umask 077; exec 5>/tmp/f 2>&5; trap '' TERM; ulimit -c 5; A=2"
    await run(backend, warm, spoil)

    assert (await run(backend, warm, ABOUT)).stdout == before.stdout


async def test_what_goes_on_in_the_background_is_not_heard_in_the_next_one(
    backend: ContainerBackend, warm: Ref
) -> None:
    noise = "trap '' PIPE; (while :; do echo noise; sleep 0.01; done) & echo begun"
    first = await run(backend, warm, noise)

    assert first.stdout.startswith("begun\n") or first.stdout.startswith("noise\n")
    for number in range(10):
        result = await run(backend, warm, f"echo {number}; echo {number} >&2")
        assert (result.stdout, result.stderr) == (f"{number}\n", f"{number}\n")


async def test_what_goes_on_quietly_leaves_the_shell_in_use(
    backend: ContainerBackend, outside: Outside, warm: Ref
) -> None:
    result = await run(backend, warm, "sleep 113 >/dev/null 2>&1 & echo begun")

    assert result.stdout == "begun\n"
    assert await left(backend, warm) == "sleep 113\n"
    assert len(shells(outside, warm)) == 1


@on_docker
@pytest.mark.parametrize(
    "code", [("printf", "%s|", "a b", "$(id)", "'", "\n", "é"), "cat <<'X'\na 'b' \"c\" $d\nX\n"]
)
async def test_words_arrive_as_they_are(
    backend: ContainerBackend, warm: Ref, code: Command
) -> None:
    expected = "a b|$(id)|'|\n|é|" if isinstance(code, tuple) else "a 'b' \"c\" $d\n"
    assert (await (await backend.execute(warm, code))).stdout == expected


async def test_variables_and_a_folder_of_its_own_are_for_it_only(
    backend: ContainerBackend, outside: Outside, warm: Ref
) -> None:
    env = {"A": "it's $(x)\n*", "PATH": "/nowhere:/bin:/usr/bin", "SHLVL": "7", "a.b-c": ""}
    told, by_exec = [
        sorted(without_tag(await (await backend.execute(warm, ("env",), inside=inside))))
        for inside in (Inside(env=env), Inside(env=env, user="root"))
    ]
    assert told == by_exec
    there = Inside(env=env, working_dir="/tmp")
    assert (await (await backend.execute(warm, 'pwd; echo "$A"', inside=there))).stdout == (
        f"/tmp\n{env['A']}\n"
    )

    assert len(shells(outside, warm)) == 1
    assert (await run(backend, warm, "pwd; echo $A")).stdout == "/\n\n"


async def test_a_folder_that_is_not_there_is_what_the_engine_says(
    backend: ContainerBackend, warm: Ref
) -> None:
    said: list[object] = []
    for user in ("", "root"):
        try:
            nowhere = Inside(working_dir="/nowhere", user=user)
            said.append((await (await backend.execute(warm, "true", inside=nowhere))).exit_code)
        except SandboxError as error:
            said.append(type(error))
    assert said[0] == said[1] != 0
    assert (await run(backend, warm, "echo on")).stdout == "on\n"


@on_docker
async def test_a_program_that_is_not_there_is_an_exit_code(
    backend: ContainerBackend, warm: Ref
) -> None:
    result = await (await backend.execute(warm, ("no-such-program",)))

    assert (result.outcome, result.exit_code) == (Outcome.ERROR, 127)
    assert "no-such-program" in result.stderr


@on_docker
async def test_a_long_script_goes_its_own_way(backend: ContainerBackend, warm: Ref) -> None:
    assert (await run(backend, warm, f": {'x' * LONGEST}; echo hi")).stdout == "hi\n"


async def test_bytes_are_there_whole(backend: ContainerBackend, warm: Ref) -> None:
    code = r"printf 'h\303'; sleep 0.05; printf '\251\000\377\001'; printf '\376' >&2"
    result = await run(backend, warm, code)

    assert result.stdout_bytes == b"h\xc3\xa9\0\xff\x01"
    assert result.stderr_bytes == b"\xfe"
    assert result.stdout == "hé\0\ufffd\x01"


@on_docker
@pytest.mark.parametrize("keep", ["tail", "head"])
async def test_a_flood_is_cut_to_the_cap(backend: ContainerBackend, warm: Ref, keep: str) -> None:
    code = "echo begin; head -c 20000000 /dev/zero | tr '\\0' x; echo; echo end"
    execution = await backend.execute(warm, code, cap=100, keep=keep)  # type: ignore[arg-type]
    result = await execution

    assert (result.outcome, result.truncated, len(result.stdout)) == (Outcome.OK, True, 100)
    assert result.stdout.endswith("\nend\n") if keep == "tail" else True
    assert result.stdout.startswith("begin\n") if keep == "head" else True


@on_docker
async def test_a_slow_reader_of_the_stream_misses_nothing(
    backend: ContainerBackend, warm: Ref
) -> None:
    execution = await backend.execute(warm, "head -c 8000000 /dev/zero", cap=1000)
    heard = 0
    async for output in execution.stream():
        assert isinstance(output, Text)
        heard += len(output.text)
        await asyncio.sleep(0)

    assert heard == 8_000_000
    assert (await execution).truncated


@on_docker
async def test_a_flood_that_nobody_reads_is_no_matter_to_others(
    backend: ContainerBackend, warm: Ref
) -> None:
    flood = await backend.execute(warm, "yes")
    stream = flood.stream()
    await anext(stream)
    began = time.monotonic()
    results = await asyncio.gather(*(run(backend, warm, f"echo {n}") for n in range(20)))

    assert [result.stdout for result in results] == [f"{n}\n" for n in range(20)]
    assert time.monotonic() - began < 10
    await flood.cancel()
    assert (await flood).outcome is Outcome.CANCELLED
    await stream.aclose()


async def test_a_timeout_ends_the_whole_tree(backend: ContainerBackend, warm: Ref) -> None:
    result: Result = await (await backend.execute(warm, TREE, timeout=0.5))

    assert (result.outcome, result.stdout) == (Outcome.TIMED_OUT, "begun\n")
    assert await left(backend, warm) == ""


@on_docker
async def test_a_cancel_ends_the_whole_tree_and_not_another(
    backend: ContainerBackend, warm: Ref
) -> None:
    kept = await backend.execute(warm, "sleep 107")
    execution = await backend.execute(warm, TREE)
    await retry_until_async(execution.peek)
    await execution.cancel()

    assert (await execution).outcome is Outcome.CANCELLED
    assert await left(backend, warm) == "sleep 107\n"
    await kept.cancel()


@on_docker
@pytest.mark.parametrize("seconds", [0.0, 0.001, 0.01])
async def test_somebody_who_goes_while_it_begins_leaves_nothing(
    backend: ContainerBackend, warm: Ref, seconds: float
) -> None:
    asking = asyncio.ensure_future(backend.execute(warm, "sleep 114"))
    await lapse(seconds)
    asking.cancel()
    (answer,) = await asyncio.gather(asking, return_exceptions=True)
    if isinstance(answer, Execution):
        await answer.cancel()

    async def nothing_left() -> bool:
        return not await left(backend, warm)

    await retry_until_async(nothing_left)


async def test_a_signal_reaches_the_command(backend: ContainerBackend, warm: Ref) -> None:
    code = "trap 'echo caught; exit 5' TERM; echo begun; while :; do sleep 0.05; done"
    execution = await backend.execute(warm, code)
    await retry_until_async(execution.peek)
    await execution.signal(15)

    result: Result = await execution
    assert (result.exit_code, result.stdout.split()) == (5, ["begun", "caught"])


@on_docker
async def test_a_command_that_kills_everything_harms_itself_only(
    backend: ContainerBackend, outside: Outside
) -> None:
    name = outside.run("sleep", "1000", host={"Init": False}, Labels=MANAGED)
    ref = Ref.make(Kind.CONTAINER, name)
    await run(backend, ref, "true")
    async with asyncio.timeout(10):
        result = await run(backend, ref, "kill -9 -1; echo survived")
        assert result.outcome is Outcome.DIED
        assert (await run(backend, ref, "echo on")).stdout == "on\n"


@on_docker
async def test_a_frozen_container_is_said_to_be_and_runs_nothing_later(
    backend: ContainerBackend, outside: Outside, warm: Ref
) -> None:
    await asyncio.to_thread(outside.client.pause, warm.name)
    with pytest.raises(ConflictError, match="paused"):
        await backend.execute(warm, "touch /tmp/late")
    await asyncio.to_thread(outside.client.unpause, warm.name)

    assert (await run(backend, warm, "ls /tmp")).stdout == ""


@on_docker
async def test_a_restarted_container_is_another(
    backend: ContainerBackend, outside: Outside, warm: Ref
) -> None:
    await run(backend, warm, "echo x >/dev/shm/x; echo y >/kept")
    await asyncio.to_thread(outside.client.restart, warm.name, timeout=0)
    assert (await run(backend, warm, "ls /dev/shm; cat /kept")).stdout == "y\n"

    await asyncio.to_thread(outside.client.kill, warm.name)
    with pytest.raises(NotRunningError):
        await backend.execute(warm, "true")


async def test_a_stop_does_not_wait_for_the_shells(backend: ContainerBackend, warm: Ref) -> None:
    await asyncio.gather(*(run(backend, warm, "sleep 0.1") for _ in range(4)))
    began = time.monotonic()
    await backend.stop(warm)

    assert time.monotonic() - began < 2


async def test_others_containers_get_no_shell_of_ours(
    backend: ContainerBackend, outside: Outside
) -> None:
    foreign = Ref.make(Kind.CONTAINER, outside.run("sleep", "1000"))
    await run(backend, foreign, "true")

    assert shells(outside, foreign) == []


async def test_closing_leaves_no_shell(
    backend: ContainerBackend, outside: Outside, warm: Ref
) -> None:
    await asyncio.gather(*(run(backend, warm, "sleep 0.1") for _ in range(3)))
    assert shells(outside, warm)
    await backend.aclose()

    await retry_until_async(lambda: not shells(outside, warm))


HELD = """
import asyncio, sys
from sandbox_tui.backends.containers.backend import ContainerBackend
from sandbox_tui.model.refs import Ref
async def main():
    backend, ref = ContainerBackend(sys.argv[1]), Ref(sys.argv[2])
    await (await backend.execute(ref, "true"))
    session = await backend.session(ref)
    await (await session.run("true"))
    print("ready", flush=True)
    await asyncio.sleep(1000)
asyncio.run(main())
"""


async def ready(code: str, outside: Outside, ref: Ref) -> asyncio.subprocess.Process:
    """Another program, once it says that it is ready."""
    argv = (sys.executable, "-c", code, outside.engine.url, ref)
    program = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
    assert program.stdout is not None
    assert await program.stdout.readline() == b"ready\n"
    return program


async def test_a_program_that_is_killed_leaves_no_shell(outside: Outside, ref: Ref) -> None:
    program = await ready(HELD, outside, ref)
    assert len(shells(outside, ref)) >= 2
    program.kill()
    await program.communicate()

    await retry_until_async(lambda: not shells(outside, ref))


HEARD = """
import asyncio, sys
from sandbox_tui.backends.containers.backend import ContainerBackend
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.specs import Inside
LOOP = "i=0; while :; do i=$((i + 1)); echo $i; echo $i >/tmp/%s; sleep 0.02; done"
async def main():
    backend, ref = ContainerBackend(sys.argv[1]), Ref(sys.argv[2])
    for name in ("held", "loose"):
        inside = Inside(held=name == "held")
        for code in ("true", "true", LOOP % name):
            execution = await backend.execute(ref, code, inside=inside)
            async for output in execution.stream():
                break
    print("ready", flush=True)
    await asyncio.sleep(1000)
asyncio.run(main())
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may open its pipes")
async def test_what_nobody_hears_ends_if_it_is_held_and_else_goes_on(
    outside: Outside, ref: Ref
) -> None:
    program = await ready(HEARD, outside, ref)
    program.kill()
    await program.communicate()
    backend = ContainerBackend(outside.engine.url)

    async def only_one() -> bool:
        look = "cat /tmp/held /tmp/loose; sleep 0.2; cat /tmp/held /tmp/loose"
        held, loose, held_later, loose_later = (await run(backend, ref, look)).stdout.split()
        return held == held_later and int(loose) < int(loose_later)

    await retry_until_async(only_one)
    await backend.aclose()


@on_docker
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may open its pipes")
async def test_by_pipes_nothing_of_the_engine_is_needed(forwarder: Forwarder, ref: Ref) -> None:
    backend = Holding(forwarder.url)
    for _ in range(2):
        await run(backend, ref, "true")
    forwarder.freeze()

    result = await run(backend, ref, "echo out; echo err >&2; exit 3")
    assert (result.exit_code, result.stdout, result.stderr) == (3, "out\n", "err\n")
    forwarder.thaw()
    await backend.aclose()


@on_docker
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may open its pipes")
async def test_a_main_process_that_waits_begins_the_first_shell_and_idles_then(
    engine: Engine, outside: Outside
) -> None:
    name = waiting(outside)
    ref = Ref.make(Kind.CONTAINER, name)
    backend = Holding(engine.url)
    parent = "read -r x </proc/$$/stat; set -- $x; tr '\\0' ' ' </proc/$4/cmdline"
    for _ in range(2):
        assert (await run(backend, ref, parent)).stdout.strip() == " ".join(WAITING)
        assert len(shells(outside, ref)) == 1
    await backend.aclose()

    def idles() -> bool:
        top = outside.client.top(name, "-eo pid,args")["Processes"]
        return any(row[-1].endswith(IDLING_LINE) for row in top)

    await retry_until_async(idles)
    assert shells(outside, ref) == []
    assert outside.client.logs(name) == b""


@on_docker
async def test_who_may_not_hold_its_first_shell_does_without(
    engine: Engine, outside: Outside
) -> None:
    name = waiting(outside)
    ref = Ref.make(Kind.CONTAINER, name)
    gate = Gate(engine.socket)
    for backend in (Holding(f"tcp://{gate.address}"), ContainerBackend(engine.url)):
        assert (await run(backend, ref, "echo on")).stdout == "on\n"
        assert len(shells(outside, ref)) == 1
        await backend.aclose()
        await retry_until_async(lambda: shells(outside, ref) == [])
    gate.close()
