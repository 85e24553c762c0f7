"""The dashboard as a program of its own, for a page in a browser: `python -m sandbox_tui.tui`."""

from __future__ import annotations

import argparse
import sys

from sandbox_tui.model.refs import Kind
from sandbox_tui.tui.launch import run


def main() -> int:
    """Open it without asking for a terminal: the browser's is reached another way."""
    parser = argparse.ArgumentParser(prog="python -m sandbox_tui.tui", description=__doc__)
    parser.add_argument("--demo", action="store_true")
    parser.add_argument("--read-only", action="store_true")
    parser.add_argument("--backend", action="append", type=Kind)
    said = parser.parse_args()
    return run(demo=said.demo, read_only=said.read_only, kinds=said.backend, terminal=False)


if __name__ == "__main__":
    sys.exit(main())
