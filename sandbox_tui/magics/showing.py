"""What a sandbox said, in a cell's own output."""

from __future__ import annotations

import sys
from typing import Any, cast

from IPython import display

from sandbox_tui.model.outputs import Display, Failure, Output, Text

_RED, _PLAIN = "\x1b[31m", "\x1b[0m"


def show(output: Output) -> None:
    """As it comes: stderr in red, rich values as rich values."""
    match output:
        case Text("stderr", text):
            say_red(text)
        case Text(_, text):
            sys.stdout.write(text)
            sys.stdout.flush()
        case Display():
            cast("Any", display).publish_display_data(dict(output.data), dict(output.metadata))
        case Failure():
            say_red("\n".join(output.traceback) or f"{output.name}: {output.message}")


def say_red(text: str) -> None:
    """On stderr, in red, line by line, so that no colour runs into what follows."""
    for line in text.splitlines(keepends=True):
        body = line.rstrip("\r\n")
        sys.stderr.write(f"{_RED}{body}{_PLAIN}{line[len(body) :]}" if body else line)
    sys.stderr.flush()
