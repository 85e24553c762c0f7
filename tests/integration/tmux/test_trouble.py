"""Control mode that fails, clients that die, servers that hang: slower perhaps, never wrong."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox_tui.backends.tmux.backend import TmuxBackend
from sandbox_tui.model.errors import BackendUnavailableError
from sandbox_tui.model.outputs import Text
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.specs import TmuxSpec
from tests.integration.tmux.conftest import Watch, somebody_at
from tests.support import TmuxServer, lapse, require_program, retry_until_async

WEB = Ref("tmux:web")

BROKEN = {
    "refused": "exit 1",
    "hanging": "exec sleep 1000",
    "garbled": "echo hello; exec sleep 1000",
    "dumb": "printf '%%begin 1 1 0\\n%%end 1 1 0\\n'; exec sleep 1000",
}


@pytest.fixture(params=BROKEN)
async def crippled(
    request: pytest.FixtureRequest, tmux_server: TmuxServer, home: Path
) -> AsyncIterator[TmuxBackend]:
    """A backend whose tmux has no working control mode, and that notes each of its processes."""
    binary = home / "tmux-without-control"
    tmux = require_program("tmux")
    body = f'case " $* " in *" -C "*) {BROKEN[request.param]};; esac; echo >> {home}/processes'
    binary.write_text(f'#!/bin/sh\n{body}\nexec {tmux} "$@"\n')
    binary.chmod(0o755)
    tmux_server.new_session("web", "echo ready; exec cat")
    backend = TmuxBackend(binary=str(binary))
    yield backend
    await backend.aclose()


def processes(home: Path) -> int:
    return (home / "processes").read_text().count("\n")


async def test_without_control_mode_everything_works(crippled: TmuxBackend, home: Path) -> None:
    (box,) = await crippled.poll()
    assert box.ref == WEB
    detail = (await crippled.probe()).detail
    assert " · one process per poll (control mode: " in detail
    await Watch(crippled, WEB).shows("ready")
    await crippled.type(WEB, "hello")
    await Watch(crippled, WEB).shows("hello")

    logged = [output async for output in crippled.follow(WEB, tail=3, live=False)]
    assert [output.text for output in logged if isinstance(output, Text)] == [
        "ready\n",
        "hello\n",
        "hello\n",
    ]
    assert set(await crippled.vitals([WEB])) == {WEB}
    ref = await crippled.start(TmuxSpec(name="more", command="exit 3"))
    assert (await Watch(crippled, ref).until("exited")).exit_code == 3
    await crippled.stop(ref)
    assert [box.ref for box in await crippled.poll()] == [WEB]


async def test_without_control_mode_a_poll_is_one_process(
    crippled: TmuxBackend, home: Path
) -> None:
    await crippled.poll()
    before = processes(home)
    for _ in range(5):
        await crippled.poll()
        await crippled.probe()
    assert processes(home) == before + 5

    await crippled.capture([WEB])
    before = processes(home)
    for _ in range(20):
        await crippled.capture([WEB])
    assert processes(home) <= before + 2


def client_of(server: TmuxServer) -> int:
    return int(server.run("list-clients", "-F", "#{client_pid}"))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
async def test_a_client_that_dies_is_replaced(
    backend: TmuxBackend, tmux_server: TmuxServer, number: signal.Signals
) -> None:
    woken = asyncio.Event()
    backend.listen(woken.set)
    tmux_server.new_session("web", "sleep", "1000")
    await backend.poll()
    woken.clear()
    client = client_of(tmux_server)
    os.kill(client, number)
    async with asyncio.timeout(5):
        await woken.wait()

    assert [box.ref for box in await backend.poll()] == [WEB]
    assert client_of(tmux_server) != client
    assert (await backend.probe()).detail.endswith(" · control mode")


async def test_a_client_that_dies_again_and_again_is_given_up(
    backend: TmuxBackend, tmux_server: TmuxServer
) -> None:
    tmux_server.run("set-hook", "-g", "client-attached", "detach-client -a")
    tmux_server.new_session("web", "sleep", "1000")
    for _ in range(8):
        await backend.poll()
        if clients := tmux_server.run("list-clients", "-F", "#{client_pid}"):
            os.kill(int(clients), signal.SIGKILL)
        await retry_until_async(lambda: not tmux_server.run("list-clients"))

    assert [box.ref for box in await backend.poll()] == [WEB]
    assert "one process per poll" in (await backend.probe()).detail


async def test_questions_on_their_way_are_answered_though_the_client_dies(
    backend: TmuxBackend, tmux_server: TmuxServer
) -> None:
    tmux_server.new_session("web", "sleep", "1000")
    await backend.poll()
    polls = [asyncio.create_task(backend.poll()) for _ in range(8)]
    await asyncio.sleep(0)
    os.kill(client_of(tmux_server), signal.SIGKILL)

    for boxes in await asyncio.gather(*polls):
        assert [box.ref for box in boxes] == [WEB]


@pytest.mark.parametrize("is_known", [True, False])
async def test_a_server_that_hangs_is_told_and_comes_back(
    backend: TmuxBackend, tmux_server: TmuxServer, is_known: bool
) -> None:
    tmux_server.new_session("web", "sleep", "1000")
    pid = tmux_server.pid
    if is_known:
        await backend.poll()
    os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        with pytest.raises(BackendUnavailableError, match="no answer"):
            await backend.poll()
        assert time.monotonic() - began < 5
        assert not (await backend.probe()).ok
    finally:
        os.kill(pid, signal.SIGCONT)

    assert [box.ref for box in await backend.poll()] == [WEB]
    assert tmux_server.pid == pid


async def test_a_poll_that_is_cancelled_leaves_the_next_one_whole(
    backend: TmuxBackend, tmux_server: TmuxServer
) -> None:
    tmux_server.new_session("web", "sleep", "1000")
    for pause in (0.0, 0.001, 0.003, 0.01, 0.03):
        poll = asyncio.create_task(backend.poll())
        await lapse(pause)
        poll.cancel()
        await asyncio.wait([poll])

    assert [box.ref for box in await backend.poll()] == [WEB]


async def test_sessions_that_end_unattached_are_not_kept_alive(
    backend: TmuxBackend, tmux_server: TmuxServer
) -> None:
    """A control client would count as somebody who is still there."""
    tmux_server.new_session("web", "sleep", "1000")
    with somebody_at(tmux_server, "web"):
        tmux_server.run("set-option", "-g", "destroy-unattached", "on")
        assert len(await backend.poll()) == 1
        assert "destroy-unattached" in (await backend.probe()).detail
        assert len(tmux_server.run("list-clients").splitlines()) == 1

    assert await retry_until_async(lambda: not tmux_server.run("list-sessions"))


async def test_closing_leaves_nothing_behind(
    backend: TmuxBackend, tmux_server: TmuxServer, home: Path
) -> None:
    tmux_server.new_session("web", "sleep", "1000")
    await backend.poll()
    client = client_of(tmux_server)
    await backend.aclose()

    with pytest.raises(ProcessLookupError):
        os.kill(client, 0)
    assert await retry_until_async(lambda: not tmux_server.run("list-clients"))
    assert tmux_server.run("list-sessions", "-F", "#{session_name}") == "web"


async def test_several_programs_share_a_server(tmux_server: TmuxServer) -> None:
    tmux_server.new_session("web", "sleep", "1000")
    backends = [TmuxBackend() for _ in range(4)]
    for backend in backends:
        (box,) = await backend.poll()
        assert box.ref == WEB
    for backend in backends:
        await backend.stop(WEB, grace=0) if backend is backends[0] else None
        assert await backend.poll() == []
        await backend.aclose()
