"""A shell that stays: every command has its own output and end, whatever it does to the shell."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from sandbox_tui.backends.containers.backend import ContainerBackend
from sandbox_tui.model.errors import NotRunningError, SessionClosedError, UnsupportedError
from sandbox_tui.model.outputs import Outcome, Result
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.runtime.session import Session
from tests.integration.containers.conftest import IMAGE, Outside, on_docker
from tests.integration.containers.gates import Gate
from tests.integration.containers.peers import Forwarder
from tests.support import retry_until_async

PYTHON = "sandbox-tui-test/python"


@pytest.fixture
def ref(outside: Outside) -> Ref:
    """A container that only waits, and has no shell but busybox's."""
    return Ref.make(Kind.CONTAINER, outside.run("sleep", "1000"))


@pytest.fixture
async def session(backend: ContainerBackend, ref: Ref) -> AsyncIterator[Session]:
    session = await backend.session(ref)
    yield session
    await session.aclose()


async def told(session: Session, command: str, timeout: float | None = 20) -> Result:
    return await (await session.run(command, timeout=timeout))


@dataclass(frozen=True)
class Said:
    """A command and what comes of it."""

    command: str
    stdout: str = ""
    stderr: str = ""
    code: int = 0


MIXED = (
    Said("echo hi", "hi\n"),
    Said("printf 'no newline'", "no newline"),
    Said("printf out; printf err >&2; (exit 3)", "out", "err", 3),
    Said('read line; echo "got:$line:$?"', "got::1\n"),
    Said("cat; wc -c | tr -d ' '", "0\n"),
    Said("cat <<'X'\na  $b 'c'\nX", "a  $b 'c'\n"),
    Said("n=$((n + 1)); false", code=1),
    Said('test "$n" -gt 0 && echo counted', "counted\n"),
    Said("cd /tmp; pwd; cd /", "/tmp\n"),
    Said("say() { echo \"<$*>\"; }; say a 'b  c'", "<a b  c>\n"),
    Said("say again", "<again>\n"),
    Said("alias greet='echo hello'", ""),
    Said("greet you", "hello you\n"),
    Said("set -- x y; echo $#", "2\n"),
    Said("echo $# $2", "2 y\n"),
    Said("return 7; echo never", code=7),
    Said("echo a; echo b >&2; echo c", "a\nc\n", "b\n"),
    Said("printf 'out\\001'; printf 'err\\001' >&2", "out\x01", "err\x01"),
    Said("echo clean; echo clean >&2", "clean\n", "clean\n"),
    Said("for i in 1 2 3; do echo $i; done | tail -n 1", "3\n"),
    Said("sleep 0.01 & wait $!; echo waited", "waited\n"),
    Said("printf '\\001%s end 0\\n' 0123456789abcdef", "\x010123456789abcdef end 0\n"),
    Said("set -x; true; set +x 2>/dev/null", "", "+ true\n+ set +x\n"),
    Said("echo 'one\ntwo'", "one\ntwo\n"),
    Said("# nothing"),
    Said(""),
    Said("no_such_program", code=127),
    Said("exec 3>&1"),
    Said("echo kept >&3; exec 3>&-", "kept\n"),
    Said("unalias -a; shopt -u expand_aliases 2>/dev/null; true"),
    Said("echo on", "on\n"),
    Said("X\nXX", code=127),
    Said("echo X", "X\n"),
    Said("set -x"),
    Said("echo traced", "traced\n", "+ echo traced\n"),
    Said("set +x", "", "+ set +x\n"),
    Said("IFS=7; set -f", ""),
    Said("echo 'a  7' \"b c\"; unset IFS; set +f", "a  7 b c\n"),
)


async def check(session: Session, said: Said) -> None:
    result = await told(session, said.command)
    stderr = result.stderr.replace("++", "+")  # bash tells how deep it is
    if said.code == 127:
        stderr = said.stderr  # each shell has words of its own
    assert (result.stdout, stderr, result.exit_code) == (said.stdout, said.stderr, said.code), (
        said.command
    )


async def test_two_hundred_of_two_hundred_are_their_own(session: Session) -> None:
    for number in range(200):
        await check(session, MIXED[number % len(MIXED)])

    assert session.is_open


@on_docker
@pytest.mark.parametrize("shell", ["bash", "dash"])
async def test_other_shells_are_no_different(
    backend: ContainerBackend, outside: Outside, shell: str
) -> None:
    hidden = {"Binds": ["/dev/null:/bin/bash"]} if shell == "dash" else None
    name = outside.run("sleep", "1000", host=hidden, Image=PYTHON)
    session = await backend.session(Ref.make(Kind.CONTAINER, name))
    for said in MIXED:
        await check(session, said)

    assert bool((await told(session, "echo ${BASH_VERSION-}")).stdout.strip()) == (shell == "bash")
    await check_timeouts(session)
    await session.aclose()


@pytest.mark.parametrize("text", ['echo "oops', "echo 'oops", "(", "if true", "echo $(", "}"])
async def test_what_is_no_command_is_an_error_and_no_more(session: Session, text: str) -> None:
    result = await told(session, text)

    assert result.outcome is Outcome.ERROR
    assert result.stderr
    assert (await told(session, "echo on")).stdout == "on\n"


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("echo last; exit 3", 3),
        ("echo last; set -e; false; echo never", 1),
        ("exec sh -c 'echo last; exit 4'", 4),
        ("trap 'echo last' EXIT; exit 5", 5),
    ],
)
async def test_a_shell_that_ends_says_how(session: Session, command: str, code: int) -> None:
    result = await told(session, command)

    assert (result.outcome, result.exit_code, result.stdout) == (Outcome.ERROR, code, "last\n")
    await retry_until_async(lambda: not session.is_open)
    with pytest.raises(SessionClosedError):
        await session.run("echo more")


async def test_what_waits_behind_an_exit_is_not_run(session: Session) -> None:
    last, behind = await session.run("exit 0"), await session.run("echo behind")

    assert (await last).outcome is Outcome.OK
    result = await behind
    assert (result.outcome, result.stdout) == (Outcome.DIED, "")
    assert "not run" in result.detail


async def check_timeouts(session: Session) -> None:
    """A command is ended, the shell and what ran before go on."""
    await told(session, "x=kept; cd /tmp; sleep 120 >/dev/null 2>&1 &")
    for slow in (
        "echo begun; sleep 60; echo never",
        "while :; do sleep 1; done",
        "while :; do :; done",
    ):
        began = time.monotonic()
        result = await told(session, slow, timeout=0.3)
        assert result.outcome is Outcome.TIMED_OUT
        assert result.stdout == ("begun\n" if "begun" in slow else "")
        assert time.monotonic() - began < 5
        assert (await told(session, "echo $x $PWD")).stdout == "kept /tmp\n"
    result = await told(session, "sleep 61 | (setsid sleep 62; sleep 63) & sleep 64", timeout=0.3)
    assert result.outcome is Outcome.TIMED_OUT
    look = "for file in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <$file; echo; done | grep '^sleep'"
    result = await told(session, look)
    assert sorted(result.stdout.splitlines()) == ["sleep 1000 ", "sleep 120 "]


async def test_a_timeout_ends_the_command_and_keeps_the_shell(session: Session) -> None:
    await check_timeouts(session)


@on_docker
async def test_a_command_that_cannot_be_left_ends_the_session(session: Session) -> None:
    code = "trap '' URG; while :; do :; done"
    async with asyncio.timeout(20):
        assert (await told(session, code, timeout=0.3)).outcome is Outcome.TIMED_OUT
        await retry_until_async(lambda: not session.is_open, timeout=15)


@on_docker
async def test_a_cancelled_command_ends_and_one_that_waits_never_begins(session: Session) -> None:
    running, waiting = (
        await session.run("echo begun; sleep 60"),
        await session.run("touch /tmp/ran"),
    )
    await retry_until_async(running.peek)
    cancelling = asyncio.ensure_future(waiting.cancel())
    await running.cancel()
    await cancelling

    assert (await running).outcome is Outcome.CANCELLED
    assert (await waiting).outcome is Outcome.CANCELLED
    assert (await told(session, "ls /tmp")).stdout == ""


@on_docker
async def test_a_signal_reaches_the_command_and_not_the_shell(session: Session) -> None:
    execution = await session.run(
        "sh -c 'trap \"echo caught; exit 5\" TERM; echo begun; sleep 60 & wait'"
    )
    await retry_until_async(execution.peek)
    await execution.signal(15)

    result = await execution
    assert (result.exit_code, result.stdout) == (5, "begun\ncaught\n")
    assert (await told(session, "echo on")).stdout == "on\n"


async def test_ten_megabytes_come_whole(session: Session) -> None:
    result = await told(session, "head -c 10000000 /dev/zero | tr '\\0' x; echo end >&2")

    assert (len(result.stdout), result.stderr) == (10_000_000, "end\n")


@on_docker
async def test_bytes_come_whole(session: Session) -> None:
    result = await told(session, r"printf 'h\303'; sleep 0.05; printf '\251\000\377\001'")

    assert result.stdout_bytes == b"h\xc3\xa9\0\xff\x01"


@on_docker
async def test_a_long_command_is_taken_whole(session: Session) -> None:
    text = "é" * 100_000

    assert (await told(session, f"x='{text}'; echo ${{#x}}")).exit_code == 0
    assert (await told(session, 'printf %s "$x"')).stdout == text


@on_docker
async def test_everything_is_heard_by_who_listens(session: Session) -> None:
    heard = ""

    async def listen() -> None:
        nonlocal heard
        async for text in session.outputs():
            heard += text.text

    listening = asyncio.create_task(listen())
    await asyncio.sleep(0)
    await told(session, "echo own; (sleep 0.2; echo later) &")
    await retry_until_async(lambda: heard == "own\nlater\n")
    assert (await told(session, "echo next")).stdout == "next\n"
    await session.aclose()
    await asyncio.wait_for(listening, 5)


async def test_closing_ends_all_that_it_started(
    backend: ContainerBackend, session: Session, ref: Ref
) -> None:
    await told(session, "sleep 121 & setsid sleep 122 >/dev/null 2>&1 &")
    running = await session.run("sleep 123")
    await retry_until_async(lambda: running.status == "running")
    await session.aclose()

    assert (await running).outcome in (Outcome.DIED, Outcome.ERROR)
    look = await (await backend.execute(ref, "ps -o args | grep '[s]leep 12'"))
    assert look.stdout == ""


async def test_a_container_that_ends_meanwhile_is_said_to_have(
    backend: ContainerBackend, session: Session, outside: Outside, ref: Ref
) -> None:
    execution = await session.run("echo begun; sleep 60")
    await retry_until_async(execution.peek)
    await asyncio.to_thread(outside.client.kill, ref.name)

    async with asyncio.timeout(5):
        assert (await execution).outcome is Outcome.DIED
        await retry_until_async(lambda: not session.is_open)
    with pytest.raises(NotRunningError):
        await backend.session(ref)


@on_docker
async def test_a_container_without_a_shell_has_no_sessions(
    backend: ContainerBackend, outside: Outside, tmp_path_factory: pytest.TempPathFactory
) -> None:
    ref = Ref.make(Kind.CONTAINER, outside.without_shell(tmp_path_factory.mktemp("x")))

    with pytest.raises(UnsupportedError):
        await backend.session(ref)


@on_docker
async def test_a_read_only_container_has_sessions_too(
    backend: ContainerBackend, outside: Outside
) -> None:
    name = outside.run("sleep", "1000", host={"ReadonlyRootfs": True}, Image=IMAGE)
    session = await backend.session(Ref.make(Kind.CONTAINER, name))

    for said in MIXED:
        await check(session, said)
    await session.aclose()


@on_docker
@pytest.mark.parametrize("certified", [False, True])
async def test_an_engine_far_away_has_them_too(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, ref: Ref, certified: bool
) -> None:
    if certified:
        monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
        monkeypatch.setenv("DOCKER_CERT_PATH", str(request.getfixturevalue("certificates")))
    gate: Gate = request.getfixturevalue("tls_gate" if certified else "gate")
    backend = ContainerBackend(f"tcp://{gate.address}")
    session = await backend.session(ref)
    for said in MIXED:
        await check(session, said)

    result = await told(
        session, f"x='{'é' * 100_000}'; head -c 1000000 /dev/zero; echo ${{#x}} >&2"
    )
    assert (len(result.stdout_bytes), len(result.stderr)) == (1_000_000, 7)
    await check_timeouts(session)
    assert (await told(session, "exit 3")).exit_code == 3
    await session.aclose()
    await backend.aclose()


@on_docker
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may open its pipes")
async def test_one_on_this_machine_does_without_the_engine(forwarder: Forwarder, ref: Ref) -> None:
    backend = ContainerBackend(forwarder.url)
    session = await backend.session(ref)
    forwarder.freeze()
    for said in MIXED:
        await check(session, said)

    forwarder.thaw()
    await session.aclose()
    await backend.aclose()


async def test_what_runs_on_does_not_hold_it(session: Session) -> None:
    began = time.monotonic()
    result = await told(session, "sleep 125 & echo last; exit 3")

    assert (result.exit_code, result.stdout) == (3, "last\n")
    await retry_until_async(lambda: not session.is_open)
    assert time.monotonic() - began < 5
