"""`%%docker` with `echo` against `docker run --rm` of the command line: wall time of one cell."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator

from benchmarks.clocks import alternate
from benchmarks.containers import IMAGE
from benchmarks.figures import Figure, compared

ROUNDS = 15


def run() -> Iterator[Figure]:
    """The figure."""
    from sandbox_tui.hub.throwaway import described
    from sandbox_tui.magics.engines import LocalEngine

    docker = shutil.which("docker") or "docker"
    command = [docker, "run", "--rm", IMAGE, "sh", "-c", "echo hi"]
    engine, spec = LocalEngine(), described([IMAGE], ())

    def ours() -> float:
        began, said = time.perf_counter(), []
        assert engine.run(spec, "echo hi", lambda output: said.append(output.text)) == 0
        assert said == ["hi\n"]
        return time.perf_counter() - began

    def theirs() -> float:
        began = time.perf_counter()
        assert subprocess.run(command, capture_output=True, check=True).stdout == b"hi\n"
        return time.perf_counter() - began

    try:
        ours()
        samples = alternate(ROUNDS, {"ours": ours, "peer": theirs})
    finally:
        engine.close()
    yield compared(
        "%%docker echo, a cell, wall", samples["ours"], samples["peer"],
        peer="docker run --rm", limit=1.1,
    )  # fmt: skip
