"""The screens; only the dashboard is imported at the start, the others when they are opened.

Each has a stylesheet of its own beside it, which is read as its module is imported: nothing is
read from disk while the program runs.
"""

from __future__ import annotations

from importlib.machinery import SourceFileLoader
from pathlib import Path


def stylesheet(name: str) -> str:
    """The text of `NAME.tcss` in this folder."""
    path = str(Path(__file__).with_name(f"{name}.tcss"))
    return SourceFileLoader(name, path).get_data(path).decode()
