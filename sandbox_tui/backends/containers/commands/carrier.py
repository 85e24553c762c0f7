"""What carries one command inside a container, from its beginning to how it ended.

There are two: an exec of the engine's own (`execs.py`), and a shell that is inside already
(`worker.py`). Nobody who reads the command's output or its end can tell which it was.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import NamedTuple, Protocol

from sandbox_tui.model.outputs import Outcome, Text


class Verdict(NamedTuple):
    """How a command ended."""

    outcome: Outcome
    exit_code: int | None = None
    detail: str = ""


class Carrier(Protocol):
    """One command that has begun."""

    def texts(self) -> AsyncGenerator[Sequence[Text]]:
        """What it prints, until there is no more. Raises `BackendUnavailableError`."""
        ...

    async def verdict(self) -> Verdict:
        """How it ended, once it has. Raises `SandboxError`."""
        ...

    async def aclose(self) -> None:
        """Stop reading it."""
        ...


def verdict_of(exit_code: int | None) -> Verdict:
    """That of a program that ended by itself."""
    return Verdict(Outcome.ERROR if exit_code else Outcome.OK, exit_code)
