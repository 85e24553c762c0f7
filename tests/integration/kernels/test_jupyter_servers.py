"""Kernels of a real Jupyter server, as if it ran elsewhere: listed, joined, run in, never ended."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from sandbox_tui.backends.kernels.foreign.address import ServerAddress, servers
from sandbox_tui.backends.kernels.foreign.backend import ForeignKernels
from sandbox_tui.backends.kernels.foreign.connection_files import ConnectionFiles
from sandbox_tui.backends.kernels.foreign.server import RECHECK, JupyterServer
from sandbox_tui.model.errors import BackendUnavailableError, UnsupportedError
from sandbox_tui.model.outputs import Outcome, Result, Text
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.world import RoomFacts, State
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.settings.paths import user_file
from tests.support import retry_until, retry_until_async

TOKEN = "opens-the-test"
OPTIONS = (
    "--ServerApp.ip=127.0.0.1",
    "--ServerApp.port=0",
    "--ServerApp.open_browser=False",
    "--ServerApp.allow_root=True",
    "--ServerApp.terminals_enabled=False",
    f"--IdentityProvider.token={TOKEN}",
)


class Server:
    """`jupyter server` in folders of its own, and what its owner does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        jupyter = ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")
        env = {f"JUPYTER_{name}": str(folder / name) for name in jupyter}
        env |= {"IPYTHONDIR": str(folder / "ipython"), "JUPYTER_PLATFORM_DIRS": "1"}
        for path in env.values():
            Path(path).mkdir(exist_ok=True)
        (folder / "notebooks").mkdir(exist_ok=True)
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(
            [sys.executable, "-m", "jupyter_server", *OPTIONS],
            cwd=folder / "notebooks",
            env=os.environ | env,
            stdin=quiet,
            stdout=quiet,
            stderr=quiet,
            start_new_session=True,
        )

    @property
    def runtime(self) -> Path:
        """Where it leaves its note, and its kernels their connection files."""
        return self.folder / "RUNTIME_DIR"

    def wait(self) -> None:
        """Until it has left its note, which says how it is reached."""
        [self.address] = retry_until(lambda: servers([], self.runtime), timeout=30)

    async def ask(self, method: str, path: str, said: object = None) -> httpx.Response:
        """As its owner, in a browser."""
        header = {"Authorization": f"token {TOKEN}"}
        async with httpx.AsyncClient(headers=header, timeout=30) as client:
            answer = await client.request(method, f"{self.address.url}api/{path}", json=said)
            return answer.raise_for_status()

    async def open(self, notebook: str) -> str:
        """Open a notebook; answers with the kernel's id."""
        kernel = {"name": "python3"}
        said = {"path": notebook, "name": notebook, "type": "notebook", "kernel": kernel}
        return str((await self.ask("POST", "sessions", said)).json()["kernel"]["id"])

    def end(self) -> None:
        """End it and its kernels."""
        with suppress(ProcessLookupError):
            os.kill(self.process.pid, signal.SIGCONT)
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One for all tests that leave it as it is."""
    with tempfile.TemporaryDirectory(prefix="st-js-", dir="/tmp") as folder:
        server = Server(Path(folder))
        try:
            server.wait()
            yield server
        finally:
            server.end()


@pytest.fixture
async def kernel(server: Server) -> AsyncIterator[str]:
    """A kernel of it, of a notebook that is open there."""
    kernel = await server.open("plots/été [1].ipynb")
    yield kernel
    with suppress(httpx.HTTPStatusError):
        await server.ask("DELETE", f"kernels/{kernel}")


@pytest.fixture
async def elsewhere(server: Server) -> AsyncIterator[ForeignKernels]:
    backend = ForeignKernels(JupyterServer(server.address))
    yield backend
    await backend.aclose()


def ref_of(server: Server, kernel: str) -> Ref:
    return Ref(f"room:kernel-{kernel}@{server.address.where}")


async def result_of(execution: Execution) -> Result:
    async with asyncio.timeout(30):
        return await execution


async def test_it_is_listed_with_its_notebook_and_no_token(
    elsewhere: ForeignKernels, server: Server, kernel: str
) -> None:
    [box] = await elsewhere.poll()
    assert (box.ref, box.title, box.managed) == (
        ref_of(server, kernel),
        "plots/été [1].ipynb",
        False,
    )
    assert isinstance(box.facts, RoomFacts)
    assert (box.facts.foreign, box.facts.kernel) == (True, "python3")
    assert box.facts.server == server.address.url
    health = await elsewhere.probe()
    assert health.ok
    assert TOKEN not in f"{box} {health} {server.address}"


async def test_it_is_run_in(elsewhere: ForeignKernels, server: Server, kernel: str) -> None:
    await elsewhere.poll()
    ref = ref_of(server, kernel)
    result = await result_of(await elsewhere.execute(ref, "print('é'); 6 * 7"))
    assert (result.stdout, result.display[0].data) == ("é\n", {"text/plain": "42"})
    failed = await result_of(await elsewhere.execute(ref, "1 / 0"))
    assert failed.error is not None
    assert failed.error.name == "ZeroDivisionError"
    asked = await result_of(await elsewhere.execute(ref, "input()"))
    assert asked.outcome is Outcome.ERROR
    [box] = await elsewhere.poll()
    assert box.state is State.IDLE


async def test_its_code_is_interrupted_and_runs_out_of_time(
    elsewhere: ForeignKernels, server: Server, kernel: str
) -> None:
    await elsewhere.poll()
    ref = ref_of(server, kernel)
    for code in ("while True: pass", "import asyncio; await asyncio.sleep(60)"):
        execution = await elsewhere.execute(ref, code)
        await retry_until_async(lambda execution=execution: execution.started_at is not None)
        await elsewhere.interrupt(ref)
        assert (await result_of(execution)).outcome is Outcome.CANCELLED
    slow = await elsewhere.execute(ref, "import time; time.sleep(60)", timeout=0.2)
    assert (await result_of(slow)).outcome is Outcome.TIMED_OUT


async def test_what_others_run_is_heard(
    elsewhere: ForeignKernels, server: Server, kernel: str
) -> None:
    await elsewhere.poll()
    other = ForeignKernels(JupyterServer(server.address))
    await other.poll()
    ref, said = ref_of(server, kernel), ""

    async def read() -> None:
        nonlocal said
        async for output in elsewhere.follow(ref):
            assert isinstance(output, Text)
            said += output.text

    async def heard() -> bool:
        await result_of(await other.execute(ref, "print('[red]é')"))
        return "print('[red]é')\n[red]é\n" in said

    reading = asyncio.create_task(read())
    await retry_until_async(heard)
    await elsewhere.aclose()
    async with asyncio.timeout(5):
        await reading
    await other.aclose()


async def test_its_owner_starts_it_anew_and_ends_it(
    elsewhere: ForeignKernels, server: Server, kernel: str
) -> None:
    await elsewhere.poll()
    ref = ref_of(server, kernel)
    slow = await elsewhere.execute(ref, "import time; time.sleep(60)")
    await retry_until_async(lambda: slow.started_at is not None)
    await server.ask("POST", f"kernels/{kernel}/restart")
    assert (await result_of(slow)).outcome in {Outcome.CANCELLED, Outcome.DIED}

    async def works() -> bool:
        return (await result_of(await elsewhere.execute(ref, "1"))).ok

    await retry_until_async(works, timeout=20)
    slow = await elsewhere.execute(ref, "import time; time.sleep(60)")
    await server.ask("DELETE", f"kernels/{kernel}")

    async def gone() -> bool:
        return await elsewhere.poll() == []

    await retry_until_async(gone, timeout=3 * RECHECK)
    assert (await result_of(slow)).outcome is Outcome.DIED


async def test_it_is_never_ended_here(
    elsewhere: ForeignKernels, server: Server, kernel: str
) -> None:
    await elsewhere.poll()
    ref = ref_of(server, kernel)
    with pytest.raises(UnsupportedError, match="started by another program"):
        await elsewhere.stop(ref)
    with pytest.raises(UnsupportedError):
        await elsewhere.remove(ref)
    await elsewhere.aclose()
    assert (await server.ask("GET", f"kernels/{kernel}")).json()["id"] == kernel


async def test_a_kernel_of_this_machine_is_listed_once(server: Server, kernel: str) -> None:
    there = ForeignKernels(JupyterServer(server.address, server.runtime))
    here = ForeignKernels(ConnectionFiles(server.runtime))

    async def up() -> bool:
        return len(await here.poll()) == 1

    await retry_until_async(up, timeout=15)
    assert await there.poll() == []
    assert (await there.probe()).ok
    await there.aclose()
    await here.aclose()


def test_it_is_named_in_the_configuration(server: Server, kernel: str, home: Path) -> None:
    """From the shell, beside a server that is not there and a token that is never shown."""
    address = f"{server.address.url}lab?token={TOKEN}"
    config = {"backends": {"room": {"servers": [address, "http://127.0.0.1:1/"]}}}
    user_file().parent.mkdir(parents=True, exist_ok=True)
    user_file().write_text(json.dumps(config))

    def program(*words: str) -> str:
        argv = [sys.executable, "-m", "sandbox_tui", *words]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=30)
        said = done.stdout + done.stderr
        assert TOKEN not in said
        return said

    ref = ref_of(server, kernel)
    assert ref in program("ls", "--backend", "room")
    assert "room@127.0.0.1:1" in program("doctor")
    assert program("run", ref, "print('there')") == "there\n"
    assert "started by another program" in program("stop", ref)
    assert f"{server.address.url}lab?token=…" in program("config", "show")
    assert "token=…" in program("config", "show", "--sources")


@pytest.mark.usefixtures("kernel")
async def test_to_look_is_no_activity(server: Server) -> None:
    async def leaves_no_trace() -> bool:
        before = (await server.ask("GET", "status")).json()
        looking = JupyterServer(server.address)
        assert await looking.living()
        await looking.aclose()
        return before == (await server.ask("GET", "status")).json()

    await retry_until_async(leaves_no_trace)  # its kernel has just begun, which is activity


@pytest.mark.parametrize("token", ["", "another"])
async def test_it_wants_its_token(server: Server, token: str) -> None:
    stranger = ForeignKernels(JupyterServer(server.address._replace(token=token)))
    with pytest.raises(BackendUnavailableError, match="it wants another token") as refused:
        await stranger.poll()
    assert "?token=" in refused.value.hint
    health = await stranger.probe()
    assert (health.ok, health.detail) == (False, "it wants another token")
    await stranger.aclose()


async def test_one_that_is_frozen_or_killed_is_told_of() -> None:
    with tempfile.TemporaryDirectory(prefix="st-js-", dir="/tmp") as folder:
        server = Server(Path(folder))
        try:
            await asyncio.to_thread(server.wait)
            kernel = await server.open("a.ipynb")
            backend = ForeignKernels(JupyterServer(server.address))
            await backend.poll()
            ref = ref_of(server, kernel)
            assert (await result_of(await backend.execute(ref, "1"))).ok
            slow = await backend.execute(ref, "import time; time.sleep(60)")
            await retry_until_async(lambda: slow.started_at is not None)

            os.kill(server.process.pid, signal.SIGSTOP)
            fresh = ForeignKernels(JupyterServer(server.address))
            assert (await fresh.probe()).detail == "no answer within 3 s"
            os.kill(server.process.pid, signal.SIGCONT)
            assert (await fresh.probe()).ok
            await fresh.aclose()

            server.process.kill()
            server.process.wait()
            result = await result_of(slow)
            assert (result.outcome, result.detail) == (Outcome.DIED, "its server hung up")

            async def down() -> bool:
                return not (await backend.probe()).ok

            await retry_until_async(down, timeout=3 * RECHECK)
            await backend.aclose()
        finally:
            server.end()


async def test_no_jupyter_server_is_there() -> None:
    """Something else answers, or leads elsewhere: it is told, and nothing is sent elsewhere."""
    asked: list[bytes] = []
    answers = [b"200 OK", b"302 Found\r\nLocation: /other"]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 " + answers[len(asked) - 1] + b"\r\nContent-Length: 2\r\n\r\nhi")
        await writer.drain()
        writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    backend = ForeignKernels(JupyterServer(ServerAddress(f"http://127.0.0.1:{port}/", TOKEN)))
    assert (await backend.probe()).detail == "no Jupyter server is at that address"
    assert (await backend.probe()).detail == "it wants another token"
    listener.close()
    assert (await backend.probe()).detail == "Connection refused"
    assert len(asked) == 2
    await backend.aclose()
