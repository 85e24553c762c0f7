"""The HTTP API: a cell against jupyter_client alone, many kernels at once, the world very often.

The peer is a client of jupyter_client that waits for the reply and for the idle of its own request,
in this process, with a kernel of its own; ours goes through HTTP, the server and the room daemon.
JupyCell itself waited a fixed second for silence, so that second is told beside it.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from statistics import median

from benchmarks.clocks import alternate
from benchmarks.figures import Figure, compared, duration
from benchmarks.serving import Connection, serving
from benchmarks.sessions import Server, sessions
from sandbox_tui.api import daemon

ROUNDS = 40
KERNELS = 20
REQUESTS = 3000
CHANGES = 15
OFTEN, RARELY = 1000, 200

CODE = "print(1)"


def run() -> Iterator[Figure]:
    """The figures."""
    try:
        with serving("--backend", "room") as url:
            yield from _cells(url)
            yield _starts(url)
    finally:
        asyncio.run(daemon.stop())
    with serving("--backend", "tmux") as url:
        yield from _worlds(url)


def _cells(url: str) -> Iterator[Figure]:
    http = Connection(url)
    kernel = json.loads(http.post("/start", {}))["kernel_id"]
    body = {"kernel_id": kernel, "cell_number": 1, "code": CODE, "action": "add"}
    http.post("/cell", body)
    asked = {"kernel_id": kernel, "cell_number": 1, "action": "run"}

    def ours() -> None:
        if http.post("/cell", asked) != b'{"outputs":[{"name":"stdout","text":"1\\n"}]}':
            raise RuntimeError("the cell said something else")

    with _bare() as theirs:
        samples = alternate(ROUNDS, {"ours": lambda: _timed(ours), "peer": lambda: _timed(theirs)})
    http.close()
    what = "HTTP: run a cell with print(1) in a ready kernel, wall time"
    peer = "jupyter_client alone"
    yield compared(what, samples["ours"], samples["peer"], peer=peer, limit=3)
    second = [1.0] * len(samples["ours"])
    yield compared(what, samples["ours"], second, peer="JupyCell's fixed wait", limit=None)


@contextmanager
def _bare() -> Iterator[Callable[[], None]]:
    """The same code in a kernel of jupyter_client, waiting for nothing but its own end."""
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(startup_timeout=30)

    def once() -> None:
        request = client.execute(CODE)
        said = ""
        while True:
            message = client.get_iopub_msg(timeout=10)
            if message["parent_header"].get("msg_id") != request:
                continue
            said += message["content"].get("text", "")
            if message["content"].get("execution_state") == "idle":
                break
        client.get_shell_msg(timeout=10)
        if said != "1\n":
            raise RuntimeError(said)

    try:
        yield once
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _starts(url: str) -> Figure:
    def start(_: int) -> float:
        http = Connection(url)
        began = time.perf_counter()
        http.post("/start", {})
        http.close()
        return time.perf_counter() - began

    began = time.perf_counter()
    with ThreadPoolExecutor(KERNELS) as pool:
        each = list(pool.map(start, range(KERNELS)))
    whole = time.perf_counter() - began
    return Figure(
        what=f"HTTP: {KERNELS} kernels started at once, all ready, wall time",
        ours=f"first {duration(min(each))}, median {duration(median(each))}",
        value=whole,
        unit="s",
        samples={"seconds": each},
    )


def _worlds(url: str) -> Iterator[Figure]:
    http = Connection(url)
    began = time.perf_counter()
    for _ in range(REQUESTS):
        http.get("/v1/world")
    rate = REQUESTS / (time.perf_counter() - began)
    yield Figure(
        what="HTTP: /v1/world on one connection",
        ours=f"{REQUESTS} requests",
        value=rate,
        limit=1000,
        unit="/s",
        at_least=True,
    )
    with sessions(1) as server:
        seen = alternate(
            CHANGES,
            {
                "ours": lambda: _seen_after(http, server, OFTEN),
                "peer": lambda: _seen_after(http, server, RARELY),
            },
        )
    http.close()
    what = f"a renamed tmux session is in /v1/world, asked {OFTEN} times a second"
    peer = f"asked {RARELY} times a second"
    yield compared(what, seen["ours"], seen["peer"], peer=peer, limit=1.5)


def _seen_after(http: Connection, server: Server, rate: int) -> float:
    """Seconds from a change to the answer that has it, when it is asked for at that rate."""
    name = f"bench-{time.monotonic_ns()}"
    began = due = time.perf_counter()
    server.run("rename-session", "-t", server.run("list-sessions", "-F", "#{session_id}"), name)
    while f'"tmux:{name}"'.encode() not in http.get("/v1/world"):
        due += 1 / rate
        time.sleep(max(0.0, due - time.perf_counter()))
    return time.perf_counter() - began


def _timed(call: Callable[[], None]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
