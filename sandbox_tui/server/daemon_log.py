"""The daemon's log: one file, bounded, that also takes what is written on stderr."""

from __future__ import annotations

import logging
import os
import sys
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

LONGEST = 1024 * 1024
"""Bytes of one file."""

OLDER = 2
"""How many older files are kept."""

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def begin(path: Path, *, foreground: bool) -> None:
    """Log to `path`; in the foreground also to the terminal, which then keeps its stderr."""
    file = RotatingFileHandler if foreground else _Adopting
    handlers: list[logging.Handler] = [
        file(path, maxBytes=LONGEST, backupCount=OLDER, encoding="utf-8")
    ]
    if foreground:
        handlers.append(logging.StreamHandler(sys.stderr))
    logging.basicConfig(level=logging.INFO, format=_FORMAT, handlers=handlers, force=True)
    logging.captureWarnings(capture=True)


class _Adopting(RotatingFileHandler):
    """Whatever else writes on stdout and stderr writes into the newest file, too."""

    def _open(self) -> TextIOWrapper:
        stream = super()._open()
        for descriptor in (1, 2):
            os.dup2(stream.fileno(), descriptor)
        return stream
