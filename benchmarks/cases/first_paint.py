"""From the start of the process to the first whole frame, against a bare Textual program.

The peer shows one word and imports nothing but Textual. Both start in a terminal of 120x40 with
compiled files in place; the dashboard has a tmux server with 20 sessions to find.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.clocks import alternate, cpu_of
from benchmarks.figures import Figure, compared
from benchmarks.sessions import sessions
from benchmarks.subjects import DASHBOARD, FOOTER, program
from benchmarks.terminal import terminal

ROUNDS = 9
PEER = "bare Textual app"


def run() -> Iterator[Figure]:
    """The figures."""
    cpu: dict[str, list[float]] = {"ours": [], "peer": []}
    with sessions(20):
        samples = alternate(
            ROUNDS,
            {
                "ours": lambda: _paint(DASHBOARD, ("sandbox-tui", FOOTER), cpu["ours"]),
                "peer": lambda: _paint(program("bare_app"), ("painted",), cpu["peer"]),
            },
        )
    what = "first paint of the dashboard"
    yield compared(f"{what}, wall time", samples["ours"], samples["peer"], peer=PEER, limit=1.4)
    yield compared(f"{what}, CPU", cpu["ours"][1:], cpu["peer"][1:], peer=PEER, limit=None)


def _paint(command: tuple[str, ...], words: tuple[str, ...], cpu: list[float]) -> float:
    with terminal(*command) as app:
        painted_at, _ = app.wait_for(*words)
        cpu.append(cpu_of(app.pid))
        return painted_at - app.started_at
