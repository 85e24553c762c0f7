"""Code and text as they come from a command line: words, or standard input."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence

from sandbox_tui.model.errors import UsageError
from sandbox_tui.model.refs import Kind

STDIN = "-"


def read(words: Sequence[str], what: str) -> tuple[str, ...]:
    """These words; `-`, or no words in a pipe, is all of standard input."""
    if tuple(words) == (STDIN,) or (not words and not sys.stdin.isatty()):
        words = [text] if (text := sys.stdin.read()) else []
    if not words:
        raise UsageError(f"{what} is missing", hint="Write it, or pipe it into standard input.")
    return tuple(words)


def code(words: Sequence[str], kind: Kind) -> str:
    """One word is code as it is; several are a command's arguments, or a line of a cell."""
    return shlex.join(words) if kind is Kind.CONTAINER and len(words) > 1 else " ".join(words)
