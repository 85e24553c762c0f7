"""Throw-away containers against pocketdock, on the same engine: made, ended, and looked at.

Wall time: most of it is the engine's. Refreshing is what a dashboard does once a second: state,
processor and memory of fifty containers.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from benchmarks.clocks import alternate
from benchmarks.containers import IMAGE
from benchmarks.figures import Figure, compared

SOCKET = "/var/run/docker.sock"
MANY = 50
ROUNDS = 5
PEER = "pocketdock"


def run() -> Iterator[Figure]:
    """The figures."""
    os.environ["POCKETDOCK_SOCKET"] = SOCKET
    import pocketdock

    from sandbox_tui.api import containers
    from sandbox_tui.api.containers import loop

    def ours(**wishes: object):
        return containers.create_new_container(image=IMAGE, socket_path=SOCKET, **wishes)  # type: ignore[arg-type]

    def theirs():
        return pocketdock.create_new_container(image=IMAGE)

    try:
        yield _first_result(ours, theirs)
        yield _shutdown(ours, theirs)
        yield _refresh(theirs, loop.portal())
    finally:
        loop.close()


def _first_result(ours: Callable[..., object], theirs: Callable[[], object]) -> Figure:
    def sample(make: Callable[[], object]) -> float:
        began = time.perf_counter()
        box = make()
        said = box.run("echo hi").stdout  # type: ignore[attr-defined]
        took = time.perf_counter() - began
        if said != "hi\n":
            raise RuntimeError(f"it said {said!r}")
        box.shutdown(force=True)  # type: ignore[attr-defined]
        return took

    samples = alternate(ROUNDS, {"ours": lambda: sample(ours), "peer": lambda: sample(theirs)})
    what = "create_new_container() and the first run()"
    return compared(what, samples["ours"], samples["peer"], peer=PEER, limit=0.9)


def _shutdown(ours: Callable[..., object], theirs: Callable[[], object]) -> Figure:
    def sample(make: Callable[[], object]) -> float:
        box = make()
        box.run("echo hi")  # type: ignore[attr-defined]
        began = time.perf_counter()
        box.shutdown()  # type: ignore[attr-defined]
        return time.perf_counter() - began

    competitors = {"ours": lambda: sample(ours), "peer": lambda: sample(theirs)}
    samples = alternate(1, competitors, warm=False)
    return compared("shutdown()", samples["ours"], samples["peer"], peer=PEER, limit=1 / 10)


def _refresh(theirs: Callable[[], object], portal: object) -> Figure:
    """Everything of fifty containers: one listing and one reading, against fifty `info()`."""
    from sandbox_tui.api.containers_async.machine import machine

    async def ours() -> float:
        there = await machine(SOCKET)
        began = time.perf_counter()
        boxes = await there.boxes()
        vitals = await there.api.vitals([box.ref for box in boxes])
        took = time.perf_counter() - began
        if len(vitals) < MANY:
            raise RuntimeError(f"only {len(vitals)} were measured")
        return took

    with ThreadPoolExecutor(MANY) as threads:
        made = list(ThreadPoolExecutor(4).map(lambda _: theirs(), range(MANY)))

        def peer() -> float:
            began = time.perf_counter()
            list(threads.map(lambda box: box.info(), made))  # type: ignore[attr-defined]
            return time.perf_counter() - began

        try:
            call = portal.call  # type: ignore[attr-defined]
            samples = alternate(ROUNDS, {"ours": lambda: call(ours()), "peer": peer})
        finally:
            list(threads.map(lambda box: box.shutdown(force=True), made))  # type: ignore[attr-defined]
    what = f"state, processor and memory of {MANY} containers"
    peer_words = f"{MANY} × {PEER} info() in threads"
    return compared(what, samples["ours"], samples["peer"], peer=peer_words, limit=1 / 10)
