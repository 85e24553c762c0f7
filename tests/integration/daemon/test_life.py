"""The daemon's life: started by whoever needs it, once; stopped without a trace."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox_tui.api import daemon, daemon_launch
from sandbox_tui.api.daemon_home import DaemonHome
from sandbox_tui.api.remote import RemoteApi
from sandbox_tui.model.actions import Start
from sandbox_tui.model.errors import (
    BackendUnavailableError,
    DaemonUnavailableError,
    DaemonVersionError,
)
from sandbox_tui.model.refs import Kind
from sandbox_tui.runtime import link
from tests.integration.daemon.conftest import processes
from tests.support import retry_until, retry_until_async

STARTER = """
import asyncio
from sandbox_tui.api.remote import RemoteApi

async def main():
    api = await RemoteApi.connect(start=True)
    await api.aclose()

asyncio.run(main())
"""


def daemons(home: Path) -> list[int]:
    return [pid for pid, command in processes(home).items() if "server.daemon" in command]


async def test_without_a_daemon(home: Path) -> None:
    status = await daemon.status()

    assert not status.running
    assert status.pid is None
    assert status.socket == str(home / "run" / "sandbox-tui" / "daemon.sock")
    assert not await daemon.stop()
    with pytest.raises(DaemonUnavailableError, match="no daemon listens"):
        await RemoteApi.connect()


async def test_start_status_stop(home: Path) -> None:
    started = await daemon.start()
    assert started.running
    assert started.version == link.sandbox_tui.__version__
    assert daemons(home) == [started.pid]
    assert (await daemon.start()).pid == started.pid

    assert await daemon.stop()
    await retry_until_async(lambda: not processes(home))
    assert not DaemonHome.at().socket.exists()
    assert not (await daemon.status()).running


async def test_status_counts_rooms_and_kernels(api: RemoteApi) -> None:
    for name in ("one", "two"):
        await api.perform(Start(name=name, kind=Kind.ROOM))

    status = await daemon.status()
    assert (status.rooms, status.kernels) == (2, 2)


async def test_stop_ends_its_kernels(home: Path) -> None:
    api = await RemoteApi.connect(start=True)
    await api.perform(Start(name="lab", kind=Kind.ROOM))
    assert len(processes(home)) >= 2

    await daemon.stop()
    await retry_until_async(lambda: not processes(home))
    assert api.lost is not None
    assert "the daemon stopped" in api.lost.message
    await api.aclose()


async def test_ten_starters_in_one_process_meet_one_daemon(home: Path) -> None:
    apis = await asyncio.gather(*(RemoteApi.connect(start=True) for _ in range(10)))

    for api in apis:
        assert api.lost is None
        await api.aclose()
    await daemon.stop()


@pytest.mark.parametrize("count", [2, 10])
def test_starters_in_many_processes_meet_one_daemon(home: Path, count: int) -> None:
    starters = [
        subprocess.Popen([sys.executable, "-c", STARTER], stderr=subprocess.PIPE, text=True)
        for _ in range(count)
    ]
    for starter in starters:
        _, errors = starter.communicate(timeout=50)
        assert starter.returncode == 0, errors

    assert asyncio.run(daemon.stop())
    retry_until(lambda: not processes(home))


async def test_a_daemon_that_is_just_ending_is_waited_for(home: Path) -> None:
    for _ in range(3):
        first = await daemon.start()
        assert first.pid is not None
        os.kill(first.pid, signal.SIGTERM)
        second = await daemon.start()
        if second.pid == first.pid:  # it answered before it heard the signal
            await retry_until_async(lambda: not daemons(home))
    await daemon.stop()


async def test_after_a_kill_the_stale_socket_is_no_hindrance(home: Path) -> None:
    first = await daemon.start()
    assert first.pid is not None
    os.kill(first.pid, signal.SIGKILL)

    async def gone() -> bool:
        return not (await daemon.status()).running

    await retry_until_async(gone)
    assert DaemonHome.at().socket.exists()

    second = await daemon.start()
    assert second.running
    assert second.pid != first.pid
    await daemon.stop()


async def test_a_daemon_outlives_the_program_that_started_it(home: Path) -> None:
    await asyncio.to_thread(subprocess.run, [sys.executable, "-c", STARTER], check=True, timeout=50)

    status = await daemon.status()
    assert status.running
    assert status.pid is not None
    assert os.getsid(status.pid) == status.pid
    await daemon.stop()


async def test_why_it_did_not_start_is_told(home: Path) -> None:
    (home / "run" / "sandbox-tui").mkdir(mode=0o755)

    with pytest.raises(DaemonUnavailableError, match="open to other users"):
        await RemoteApi.connect(start=True)
    assert not processes(home)


async def test_a_folder_that_cannot_be_made_is_told(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "file").touch()
    monkeypatch.setenv("SANDBOX_TUI_HOME", str(home / "file" / "state"))

    with pytest.raises(DaemonUnavailableError, match="Not a directory"):
        await RemoteApi.connect(start=True)
    beginning = await asyncio.create_subprocess_exec(*daemon_launch.COMMAND, stderr=subprocess.PIPE)
    _, told = await beginning.communicate()
    assert beginning.returncode == 1
    assert b"Not a directory" in told
    assert b"Traceback" not in told


async def test_a_daemon_that_crashes_at_its_start_is_told(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crash = (sys.executable, "-c", "raise SystemExit('no luck today')")
    monkeypatch.setattr(daemon_launch, "COMMAND", crash)

    with pytest.raises(DaemonUnavailableError, match="no luck today"):
        await daemon.start()


async def test_a_daemon_that_never_listens_is_given_up(
    monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setattr(daemon_launch, "COMMAND", ("sleep", "60"))
    monkeypatch.setattr(daemon_launch, "DEADLINE", 0.3)

    with pytest.raises(DaemonUnavailableError, match="did not start"):
        await daemon.start()
    await retry_until_async(lambda: not processes(home))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
async def test_another_users_folder_is_refused(home: Path) -> None:
    folder = home / "run" / "sandbox-tui"
    folder.mkdir(mode=0o700)
    os.chown(folder, 4321, 4321)

    with pytest.raises(BackendUnavailableError, match="belongs to user 4321"):
        await daemon.start()


def spoken_to(program: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
async def test_another_users_socket_is_refused(home: Path) -> None:
    path = home / "run" / "s"
    program = f"""
import os, socket
listening = socket.socket(socket.AF_UNIX)
listening.bind({str(path)!r})
os.setuid(4321)
listening.listen()
print("ready", flush=True)
input()
"""
    stranger = await asyncio.to_thread(spoken_to, program)
    assert stranger.stdout is not None
    assert await asyncio.to_thread(stranger.stdout.readline) == "ready\n"
    try:
        with pytest.raises(DaemonUnavailableError, match="belongs to user 4321"):
            await RemoteApi.connect(path)
        with pytest.raises(DaemonUnavailableError, match="belongs to user 4321"):
            await daemon.stop(path)
    finally:
        await asyncio.to_thread(stranger.communicate, "\n", timeout=10)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
async def test_another_user_is_not_let_in(home: Path, api: RemoteApi) -> None:
    for folder in (home, home / "run", home / "run" / "sandbox-tui"):
        folder.chmod(0o711)
    DaemonHome.at().socket.chmod(0o666)
    program = f"""
import os, socket
os.setuid(4321)
client = socket.socket(socket.AF_UNIX)
client.connect({str(DaemonHome.at().socket)!r})
print(client.recv(100))
"""
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.stdout in {"b''\n", ""}, done
    assert not done.stdout or "Error" not in done.stderr
    assert (await api.settled()).revision >= 0


async def test_a_daemon_of_another_version_is_told_and_can_be_stopped(
    monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    await daemon.start()
    monkeypatch.setattr(link, "PROTOCOL", 99)

    with pytest.raises(DaemonVersionError, match="protocol 99") as raised:
        await RemoteApi.connect(start=True)
    assert raised.value.hint == "Run: sandbox-tui daemon stop"
    status = await daemon.status()
    assert status.running
    assert "version" in status.detail

    assert await daemon.stop()
    await retry_until_async(lambda: not processes(home))


def test_in_the_foreground_ctrl_c_stops_it(home: Path) -> None:
    program = "from sandbox_tui.api import daemon; daemon.run()"
    running = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True)
    assert running.stderr is not None
    assert "listens on" in running.stderr.readline()
    assert asyncio.run(daemon.status()).pid == running.pid

    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=20)
    assert running.returncode == 0
    assert "stopped" in errors


async def test_a_daemon_that_nobody_can_reach_ends(home: Path) -> None:
    api = await RemoteApi.connect(start=True)
    await api.perform(Start(name="lab", kind=Kind.ROOM))
    await asyncio.to_thread(DaemonHome.at().socket.unlink)

    await retry_until_async(lambda: not processes(home), timeout=15)
    assert api.lost is not None
    await api.aclose()
    log = await asyncio.to_thread(DaemonHome.at().log.read_text)
    assert "nobody can reach this daemon" in log


async def test_the_socket_that_the_environment_names(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANDBOX_TUI_SOCKET", str(home / "run" / "mine.sock"))

    status = await daemon.start()
    assert status.socket == str(home / "run" / "mine.sock")
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(status.socket)
    await daemon.stop()
