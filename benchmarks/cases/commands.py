"""Commands in a container: one run, one command of a session, and 100 MB of output.

Against pocketdock, which starts an exec for each run as the docker library does, and against that.
Every competitor has a container of the same image; ours has run a command before.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import psutil

from benchmarks.clocks import alternate
from benchmarks.figures import Figure, compared
from sandbox_tui.api import containers

IMAGE = "sandbox-tui-test/python"
ROUNDS = 20
COMMANDS = 200
STREAMS = 3
SIZE = 100 * 1000 * 1000
FLOOD = f"head -c {SIZE} /dev/zero"
HI = "echo hi"


def run() -> Iterator[Figure]:
    """The figures."""
    import docker
    import pocketdock

    peer, library = pocketdock.create_new_container(image=IMAGE), docker.from_env()
    try:
        ours = Ours()
        try:
            container = library.containers.get(peer.container_id)
            yield from _runs(ours, lambda: peer.run(HI).stdout, _exec_run(container))
            yield _sessions(peer)
            yield asyncio.run(_async_sessions())
            yield from _streams(ours, _stream_of(library, peer.container_id))
        finally:
            ours.close()
            containers.loop.close()
    finally:
        peer.shutdown(force=True)
        library.close()


class Ours:
    """A container of our own."""

    def __init__(self) -> None:
        self._box = containers.create_new_container(image=IMAGE)
        self.peak = 0

    def run(self) -> str:
        """One command."""
        return self._box.run(HI).stdout

    def stream(self) -> int:
        """All of a long output: how many characters."""
        heard, process = 0, psutil.Process()
        before = process.memory_info().rss
        for chunk in self._box.run(FLOOD, stream=True, max_output=1_000_000):
            heard += len(chunk.data)
            self.peak = max(self.peak, process.memory_info().rss - before)
        return heard

    def close(self) -> None:
        """Take the container away."""
        self._box.shutdown(force=True)


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


def _sessions(peer) -> Figure:
    """Of the faces that wait."""
    theirs, box = peer.session(), containers.create_new_container(image=IMAGE)
    try:
        ours = box.session()
        competitors = {
            "ours": _timed(lambda: ours.send_and_wait(HI).stdout, "hi"),
            "peer": _timed(lambda: theirs.send_and_wait(HI).stdout, "hi"),
        }
        samples = alternate(COMMANDS, competitors)
    finally:
        theirs.close()
        box.shutdown(force=True)
    return _told("sync", samples)


async def _async_sessions() -> Figure:
    """Of the async faces, on one loop."""
    from pocketdock import async_ as pocketdock

    from sandbox_tui.api import containers_async
    from sandbox_tui.api.containers_async.machine import close_machines

    samples: dict[str, list[float]] = {"ours": [], "peer": []}
    box = await containers_async.create_new_container(image=IMAGE)
    other = await pocketdock.create_new_container(image=IMAGE)
    sessions = {"ours": await box.session(), "peer": await other.session()}
    try:
        for _ in range(COMMANDS):
            for name, session in sessions.items():
                began = time.perf_counter()
                said = await session.send_and_wait(HI)
                samples[name].append(time.perf_counter() - began)
                if said.stdout.strip() != "hi":
                    raise RuntimeError(f"it said {said!r}")
    finally:
        for session in sessions.values():
            await session.close()
        await box.shutdown(force=True)
        await other.shutdown(force=True)
        await close_machines()
    return _told("async", samples)


def _told(face: str, samples: Mapping[str, Sequence[float]]) -> Figure:
    return compared(
        f"one command of a session, {face}, wall time",
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
