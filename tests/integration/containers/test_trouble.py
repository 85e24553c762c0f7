"""An engine that is not there, hangs, dies, lies, and comes back."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from sandbox_tui.backends.containers.backend import ContainerBackend
from sandbox_tui.model.errors import BackendUnavailableError, DeadlineError
from sandbox_tui.model.outputs import Outcome
from sandbox_tui.model.refs import Kind, Ref
from tests.integration.containers.conftest import Outside, on_docker
from tests.integration.containers.peers import Answer, Forwarder, Peer, chunks, reply, silence
from tests.support import require_program, retry_until_async

MakePeer = Callable[[dict[str, Answer]], Peer]

Make = Callable[..., ContainerBackend]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    """Return a maker of backends with little patience; all are closed, and quickly."""
    made: list[ContainerBackend] = []

    def start(endpoint: str = "", patience: int = 1) -> ContainerBackend:
        made.append(ContainerBackend(endpoint, patience=patience))
        return made[-1]

    yield start
    for backend in made:
        async with asyncio.timeout(3):
            await backend.aclose()


async def refusal(backend: ContainerBackend) -> BackendUnavailableError:
    with pytest.raises(BackendUnavailableError) as caught:
        await backend.poll()
    return caught.value


async def test_no_socket(make: Make, home: Path) -> None:
    backend = make(f"unix://{home}/none.sock")
    health = await backend.probe()

    assert not health.ok
    assert health.detail == f"cannot connect unix://{home}/none.sock (no such file)"
    assert "start" in health.hint
    assert (await refusal(backend)).reason == health.detail


async def test_nothing_anywhere_says_what_was_tried(
    make: Make, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    import sandbox_tui.backends.containers.engine.endpoint as endpoints

    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr(endpoints, "DOCKER_SOCKET", f"{home}/docker.sock")
    monkeypatch.setattr(endpoints, "PODMAN_SOCKET", f"{home}/podman.sock")

    assert (await make().probe()).detail == (
        f"cannot connect unix://{home}/docker.sock (no such file)"
        ' · tried DOCKER_HOST, context "default", podman'
    )


async def test_a_dead_one_refuses(make: Make, home: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(home / "dead.sock"))
    health = await make(f"unix://{home}/dead.sock").probe()

    assert "refused" in health.detail


async def test_a_dead_one_that_was_found_lets_another_be_found(
    make: Make, peer: MakePeer, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    import sandbox_tui.backends.containers.engine.endpoint as endpoints

    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(home / "dead.sock"))
    other = peer({})
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr(endpoints, "DOCKER_SOCKET", f"{home}/dead.sock")
    monkeypatch.setattr(endpoints, "PODMAN_SOCKET", str(other.path))
    assert (await make().probe()).detail == f"docker 99.1 · {other.url}"

    monkeypatch.setenv("DOCKER_HOST", f"unix://{home}/dead.sock")
    named = await make().probe()
    assert not named.ok
    assert "DOCKER_HOST" in named.detail


async def test_one_that_was_found_stays_the_one(
    make: Make, peer: MakePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sandbox_tui.backends.containers.engine.endpoint as endpoints

    first, second = peer({"/containers/json": reply(b"[]")}), peer({})
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr(endpoints, "DOCKER_SOCKET", str(first.path))
    monkeypatch.setattr(endpoints, "PODMAN_SOCKET", str(second.path))
    backend = make()
    await backend.poll()
    first.close()

    assert first.url in (await refusal(backend)).reason


@pytest.mark.skipif(os.geteuid() != 0, reason="root has to give itself up")
async def test_no_permission_says_how_to_get_it(make: Make, peer: MakePeer) -> None:
    engine = peer({})
    engine.path.chmod(0)
    engine.path.parent.chmod(0o755)
    backend = make(engine.url)

    os.seteuid(65534)
    try:
        health = await backend.probe()
    finally:
        os.seteuid(0)
    assert "permission denied" in health.detail
    assert "usermod -aG docker" in health.hint


async def test_one_that_never_answers_costs_its_patience_and_no_more(
    make: Make, peer: MakePeer
) -> None:
    engine = peer({"/version": silence})
    backend = make(engine.url)
    began = time.monotonic()
    told = await refusal(backend)

    assert "no answer in 1 s" in told.reason
    assert time.monotonic() - began < 3


async def test_many_questions_to_one_that_never_answers_need_few_threads(
    make: Make, peer: MakePeer
) -> None:
    backend = make(peer({"/containers/json": silence}).url)
    before, began = threading.active_count(), time.monotonic()
    polls = asyncio.gather(*(backend.poll() for _ in range(40)), return_exceptions=True)
    answers = await polls

    assert all(isinstance(answer, BackendUnavailableError) for answer in answers)
    assert time.monotonic() - began < 5
    # Ours, and the made-up engine's own for each connection.
    assert threading.active_count() - before < 20


@pytest.mark.parametrize(
    "answer",
    [
        reply(b'[{"Id":', length=1000),
        chunks(b'[{"Id":', complete=False),
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"",
        reply(b'[{"Id": "x"'),
        reply(b'[{"Id": 7}]'),
        reply(b"<html>hello</html>"),
        b"\x00\xff\x15\x03\x01\x00\x02\x02\x46",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab",
        reply(b'{"message": "on fire"}', status="500 Internal Server Error"),
    ],
    ids=lambda answer: repr(answer[-12:]),
)
async def test_half_an_answer_or_none_is_an_error_and_is_got_over(
    make: Make, peer: MakePeer, answer: bytes
) -> None:
    engine = peer({"/containers/json": answer})
    backend = make(engine.url)

    def cut(connection: socket.socket) -> None:
        connection.sendall(answer)

    engine.answers["/containers/json"] = cut
    await refusal(backend)
    engine.answers["/containers/json"] = reply(b"[]")
    assert await backend.poll() == []


@pytest.mark.parametrize(
    "answer",
    [reply(b"{}"), reply(b"hello"), reply(b"no", status="404 Not Found"), b"SSH-2.0-x\r\n"],
)
async def test_what_is_no_engine_is_said_to_be_none(
    make: Make, peer: MakePeer, answer: bytes
) -> None:
    health = await make(peer({"/version": answer}).url).probe()

    assert not health.ok
    assert health.detail


async def test_an_engine_that_returns_is_found_again(make: Make, forwarder: Forwarder) -> None:
    backend = make(forwarder.url, patience=3)
    await backend.poll()
    forwarder.close()
    assert "no such file" in (await refusal(backend)).reason

    forwarder.listen()
    await backend.poll()
    assert (await backend.probe()).ok


@on_docker
async def test_a_frozen_engine_delays_nothing_else_and_thaws(
    make: Make, forwarder: Forwarder, backend: ContainerBackend
) -> None:
    behind = make(forwarder.url, patience=3)
    await behind.poll()
    await backend.poll()
    forwarder.freeze()
    hung = asyncio.gather(*(behind.poll() for _ in range(8)), return_exceptions=True)
    began = time.monotonic()
    await backend.poll()
    assert time.monotonic() - began < 0.5
    assert all(isinstance(answer, BackendUnavailableError) for answer in await hung)

    forwarder.thaw()

    async def answers() -> bool:
        try:
            await behind.poll()
        except BackendUnavailableError:
            return False
        return True

    await retry_until_async(answers)


@on_docker
async def test_a_command_to_a_frozen_engine_has_its_deadline(
    make: Make, forwarder: Forwarder, outside: Outside
) -> None:
    ref = Ref.make(Kind.CONTAINER, outside.run("sleep", "1000"))
    backend = make(forwarder.url, patience=3)
    execution = await backend.execute(ref, "echo hi; sleep 1000", timeout=1)
    await retry_until_async(execution.peek)
    forwarder.freeze()

    result = await execution
    assert result.outcome is Outcome.TIMED_OUT
    assert result.stdout == "hi\n"
    assert "may still run" in result.detail
    with pytest.raises((BackendUnavailableError, DeadlineError)):
        await backend.stop(ref, grace=0)


@on_docker
async def test_a_run_ends_when_its_engine_dies(
    make: Make, forwarder: Forwarder, outside: Outside
) -> None:
    ref = Ref.make(Kind.CONTAINER, outside.run("sleep", "1000"))
    backend = make(forwarder.url, patience=3)
    execution = await backend.execute(ref, "echo hi; sleep 1000")
    await retry_until_async(execution.peek)
    forwarder.close()

    result = await execution
    assert result.outcome is Outcome.DIED
    assert result.stdout == "hi\n"
    assert "cannot connect" in result.detail


@on_docker
async def test_a_log_ends_with_an_error_when_its_engine_dies(
    make: Make, forwarder: Forwarder, outside: Outside
) -> None:
    ref = Ref.make(Kind.CONTAINER, outside.shell("echo hi; sleep 1000"))
    texts = make(forwarder.url, patience=3).follow(ref)
    assert (await anext(texts)).text == "hi\n"
    forwarder.close()

    with pytest.raises(BackendUnavailableError, match="cut off"):
        await anext(texts)


async def test_a_broken_docker_configuration_is_a_reason_not_a_crash(
    make: Make, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    (home / "config.json").write_text("{")
    monkeypatch.setenv("DOCKER_CONFIG", str(home))
    monkeypatch.delenv("DOCKER_HOST", raising=False)

    assert "config.json" in (await refusal(make())).reason


async def test_closing_does_not_wait_for_a_hung_engine(peer: MakePeer) -> None:
    engine = peer({"/version": silence})
    backend = ContainerBackend(engine.url, patience=30)
    backend.listen(lambda: None)
    hung = asyncio.ensure_future(backend.poll())
    await retry_until_async(lambda: engine.asked)
    began = time.monotonic()
    hung.cancel()
    await backend.aclose()

    assert time.monotonic() - began < 2


# --- through ssh -------------------------------------------------------------------------------


@pytest.fixture
def ssh(home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Return a maker of an `ssh` that is on the path: a shell script with what it was given."""

    def install(script: str) -> Path:
        program = home / "bin" / "ssh"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\necho "$@" >>{home}/called\n{script}\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
        return home / "called"

    return install


@on_docker
async def test_everything_works_through_ssh(
    make: Make, ssh: Callable[[str], Path], outside: Outside
) -> None:
    require_program("docker")
    called = ssh(f"exec env DOCKER_HOST={outside.engine.url} docker system dial-stdio")
    ref = Ref.make(Kind.CONTAINER, outside.shell("echo hi; sleep 1000"))
    backend = make("ssh://me@gpu1:2222", patience=5)
    rung: list[bool] = []
    backend.listen(lambda: rung.append(True))

    assert "ssh://me@gpu1:2222" in (await backend.probe()).detail
    assert ref in [box.ref for box in await backend.poll()]
    async with aclosing(backend.follow(ref)) as texts:
        assert (await anext(texts)).text == "hi\n"
    ended = await (await backend.execute(ref, "echo inside; sleep 1000", timeout=1))
    assert (ended.outcome, ended.stdout) == (Outcome.TIMED_OUT, "inside\n")
    await retry_until_async(lambda: rung)
    options, _, rest = called.read_text().splitlines()[0].partition(" -- ")
    assert "-l me -p 2222" in options and "BatchMode=yes" in options
    assert rest == "gpu1 docker system dial-stdio"


async def test_what_ssh_complains_of_is_passed_on(make: Make, ssh: Callable[[str], Path]) -> None:
    ssh("echo 'me@gpu1: Permission denied (publickey).' >&2; exit 255")
    health = await make("ssh://me@gpu1").probe()

    assert not health.ok
    assert "Permission denied (publickey)" in health.detail
    assert "ssh HOST docker version" in health.hint


async def test_ssh_is_needed_for_ssh(
    make: Make, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(home))

    assert "apt install openssh-client" in (await make("ssh://gpu1").probe()).hint
