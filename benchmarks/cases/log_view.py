"""A log of a million lines, against Textual's two.

The peers keep every line, so they are given fewer; what they take is proportional to the count.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import msgspec

from benchmarks.clocks import alternate
from benchmarks.figures import Figure
from benchmarks.subjects import program
from benchmarks.terminal import terminal

ROUNDS = 3
LINES = {"ours": 1_000_000, "Log": 50_000, "RichLog": 10_000}
LEAST = 500_000
RING = 8 * 2**20
"""Bytes of lines that the view keeps by default."""


class Cost(msgspec.Struct):
    """What a run took: seconds of processor time, bytes."""

    cpu: float
    memory: int


def run() -> Iterator[Figure]:
    """The figures."""
    memory: dict[str, list[int]] = {name: [] for name in LINES}
    runs = {name: lambda name=name: _speed(name, memory) for name in LINES}
    samples = alternate(ROUNDS, runs, warm=False)
    speeds = {name: median(values) for name, values in samples.items()}
    for peer in ("Log", "RichLog"):
        yield Figure(
            what="log of 1 000 000 lines, lines per second of CPU",
            ours=f"{speeds['ours'] / speeds[peer]:.1f}× the peer",
            peer=f"{peer}: {speeds[peer]:,.0f} lines/s".replace(",", " "),
            value=speeds["ours"],
            limit=LEAST,
            unit="lines/s",
            at_least=True,
            samples={"ours": samples["ours"], "peer": samples[peer]},
        )
    yield Figure(
        what="memory of that log; its ring holds 8 MiB of lines",
        ours="bounded by its ring",
        peer=f"Log: {median(memory['Log']) / 2**20:.0f} MiB for a twentieth of the lines",
        value=median(memory["ours"]) / 2**20,
        limit=3 * RING / 2**20,
        unit="MiB",
        samples={"ours": [float(value) for value in memory["ours"]]},
    )


def _speed(name: str, memory: dict[str, list[int]]) -> float:
    file = Path(os.environ["XDG_CACHE_HOME"]) / "cost.json"
    lines = LINES[name]
    with terminal(*program("log_app", name, str(lines), str(file))) as app:
        app.process.wait(60)
    cost = msgspec.json.decode(file.read_bytes(), type=Cost)
    memory[name].append(cost.memory)
    return lines / cost.cpu
