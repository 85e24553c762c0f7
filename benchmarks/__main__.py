"""Run the benchmarks and print their table."""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

import msgspec

from benchmarks.figures import Figure, table
from benchmarks.homes import home
from benchmarks.machine import machine

CASES = (
    "tmux_poll",
    "container_list",
    "ls_command",
    "ops",
    "first_paint",
    "idle",
    "freshness",
    "key_press",
    "list_widget",
    "log_view",
    "hub_tick",
    "commands",
    "copies",
    "throwaway",
    "http",
    "magics",
    "shared_rooms",
    "room_execute",
    "kernels",
    "isolated",
)


class Report(msgspec.Struct, kw_only=True):
    """What `--json` writes."""

    machine: dict[str, str]
    figures: dict[str, list[Figure]] = {}
    failures: dict[str, str] = {}


def main() -> int:
    """Answer with 1 when a benchmark could not be run; a missed target is told, not punished."""
    options = _options()
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM)
    )  # so that all is undone
    report = Report(machine=machine())
    for case in options.only or CASES:
        _run(case, report)
    print(f"\n{_written(report)}")
    if options.json:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    return 1 if report.failures else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=main.__doc__)
    parser.add_argument(
        "--only", action="append", choices=CASES, metavar="NAME", help=", ".join(CASES)
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every sample there")
    return parser.parse_args()


def _run(case: str, report: Report) -> None:
    began = time.monotonic()
    print(f"{case} … ", end="", file=sys.stderr, flush=True)
    try:
        with home():
            figures = importlib.import_module(f"benchmarks.cases.{case}").run()
            report.figures[case] = list(figures)
    except Exception as error:  # noqa: BLE001  # one that cannot run leaves the others alone
        traceback.print_exc()
        report.failures[case] = f"{type(error).__name__}: {error}".splitlines()[0]
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)


def _written(report: Report) -> str:
    about = "\n".join(f"- {key}: {value}" for key, value in report.machine.items())
    rows: list[Sequence[str]] = [
        figure.cells() for figures in report.figures.values() for figure in figures
    ]
    rows += [(case, "", "", "failed", "", "✗") for case in report.failures]
    return f"{about}\n\n{table(rows)}"


if __name__ == "__main__":
    sys.exit(main())
