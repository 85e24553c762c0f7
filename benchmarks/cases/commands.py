"""Commands in a container: one run, one command of a session, and 100 MB of output.

Against pocketdock, which starts an exec for each run as the docker library does, and against that.
Every competitor has a container of the same image; ours has run a command before.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Iterator

import psutil

from benchmarks.clocks import alternate
from benchmarks.figures import Figure, compared
from sandbox_tui.backends.containers.backend import ContainerBackend
from sandbox_tui.model.outputs import Result, Text
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.specs import ContainerSpec
from sandbox_tui.runtime.session import Session

IMAGE = "sandbox-tui-test/python"
ROUNDS = 20
STREAMS = 3
SIZE = 100 * 1000 * 1000
FLOOD = f"head -c {SIZE} /dev/zero"
HI = "echo hi"


def run() -> Iterator[Figure]:
    """The figures."""
    import docker
    import pocketdock

    peer, library = pocketdock.create_new_container(image=IMAGE), docker.from_env()
    session = peer.session()
    try:
        with asyncio.Runner() as runner:
            ours = Ours(runner)
            try:
                container = library.containers.get(peer.container_id)
                yield from _runs(ours, lambda: peer.run(HI).stdout, _exec_run(container))
                yield _sessions(ours, lambda: session.send_and_wait(HI).stdout)
                yield from _streams(ours, _stream_of(library, peer.container_id))
            finally:
                ours.close()
    finally:
        session.close()
        peer.shutdown(force=True)
        library.close()


class Ours:
    """A container of our own, on one event loop."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner
        self._backend = ContainerBackend()
        self.peak = 0
        runner.run(self._open())

    def run(self) -> str:
        """One command."""
        return self._runner.run(self._run()).stdout

    def told(self) -> str:
        """One command of a session."""
        return self._runner.run(self._told()).stdout

    def stream(self) -> int:
        """All of a long output: how many characters."""
        return self._runner.run(self._stream())

    def close(self) -> None:
        """Take the container away."""
        self._runner.run(self._close())

    async def _open(self) -> None:
        name = f"bench-{secrets.token_hex(4)}"
        spec = ContainerSpec(name=name, image=IMAGE, command="sleep 100000")
        self.ref: Ref = await self._backend.start(spec)
        self._session: Session = await self._backend.session(self.ref)

    async def _run(self) -> Result:
        return await (await self._backend.execute(self.ref, HI))

    async def _told(self) -> Result:
        return await (await self._session.run(HI))

    async def _stream(self) -> int:
        execution = await self._backend.execute(self.ref, FLOOD, cap=1_000_000)
        heard, process = 0, psutil.Process()
        before = process.memory_info().rss
        async for output in execution.stream():
            heard += len(output.text) if isinstance(output, Text) else 0
            self.peak = max(self.peak, process.memory_info().rss - before)
        return heard

    async def _close(self) -> None:
        await self._session.aclose()
        await self._backend.stop(self.ref, grace=0)
        await self._backend.remove(self.ref)
        await self._backend.aclose()


def _runs(
    ours: Ours, pocketdock: Callable[[], str], library: Callable[[], str]
) -> Iterator[Figure]:
    samples = alternate(
        ROUNDS,
        {
            "ours": _timed(ours.run, "hi\n"),
            "pocketdock": _timed(pocketdock, "hi\n"),
            "docker": _timed(library, "hi\n"),
        },
    )
    for peer, name in (("pocketdock", "pocketdock run()"), ("docker", "docker exec_run()")):
        yield compared(
            "run('echo hi') in a warm container, wall time",
            samples["ours"],
            samples[peer],
            peer=name,
            limit=1 / 10,
        )


def _sessions(ours: Ours, pocketdock: Callable[[], str]) -> Figure:
    competitors = {"ours": _timed(ours.told, "hi\n"), "peer": _timed(pocketdock, "hi")}
    samples = alternate(ROUNDS, competitors)
    return compared(
        "one command of a session, wall time",
        samples["ours"],
        samples["peer"],
        peer="pocketdock send_and_wait()",
        limit=1.0,
    )


def _streams(ours: Ours, library: Callable[[], int]) -> Iterator[Figure]:
    samples = alternate(STREAMS, {"ours": _timed(ours.stream, SIZE), "peer": _timed(library, SIZE)})
    yield compared(
        "100 MB of output through a stream, wall time",
        samples["ours"],
        samples["peer"],
        peer="docker exec_run(stream=True)",
        limit=1.0,
    )
    yield Figure(
        what="memory meanwhile, above what it was before",
        ours="bounded by its cap",
        value=ours.peak / 2**20,
        limit=20.0,
        unit="MiB",
    )


def _timed(call: Callable[[], object], expected: object) -> Callable[[], float]:
    def sample() -> float:
        began = time.perf_counter()
        said = call()
        seconds = time.perf_counter() - began
        if isinstance(expected, str):
            said, wanted = str(said).strip(), expected.strip()
        else:
            wanted = expected
        if said != wanted:
            raise RuntimeError(f"it said {said!r}")
        return seconds

    return sample


def _exec_run(container) -> Callable[[], str]:
    return lambda: container.exec_run(["sh", "-c", HI], demux=True).output[0].decode()  # noqa: PLW0108  # it is run


def _stream_of(library, container_id: str) -> Callable[[], int]:
    """As text, piece by piece, with its streams apart: what ours gives."""

    def stream() -> int:
        made = library.api.exec_create(container_id, ["sh", "-c", FLOOD])
        heard = 0
        for out, _ in library.api.exec_start(made["Id"], stream=True, demux=True):
            heard += len(out.decode("utf-8", "replace")) if out else 0
        return heard

    return stream
