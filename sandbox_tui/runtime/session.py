"""A shell that stays: commands go in one after another and keep their folder and variables."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from sandbox_tui.model.outputs import Text
from sandbox_tui.model.refs import Ref
from sandbox_tui.runtime.execution import OUTPUT_CAP, Execution
from sandbox_tui.runtime.heard import Heard


class Session(Protocol):
    """One persistent shell inside a sandbox. Commands run in the order in which they were given."""

    @property
    def ref(self) -> Ref:
        """The sandbox it is in."""
        ...

    @property
    def id(self) -> str:
        """Its own id."""
        ...

    @property
    def is_open(self) -> bool:
        """Whether it takes commands; `exit`, `close`, or the end of the container ends that."""
        ...

    @property
    def heard(self) -> Heard:
        """What it has printed, by position."""
        ...

    async def run(
        self, command: str, *, timeout: float | None = None, cap: int = OUTPUT_CAP
    ) -> Execution:
        """Queue one command; its stdout, stderr and exit code are its own and nothing else's.

        `timeout` (seconds) ends everything it started; the shell and its state go on. Raises
        `SessionClosedError`.
        """
        ...

    def outputs(self) -> AsyncIterator[Text]:
        """Everything it prints from now on, as it comes; a slow reader loses the oldest."""
        ...

    async def aclose(self) -> None:
        """End the shell and everything it started."""
        ...
