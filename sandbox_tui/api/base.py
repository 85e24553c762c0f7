"""What every surface is given. `LocalApi` and `RemoteApi` both are one, and nobody can tell."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from sandbox_tui.model.actions import Action
from sandbox_tui.model.cells import Notebook
from sandbox_tui.model.outputs import Output, Screen, Vitals
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.world import World
from sandbox_tui.runtime.execution import Execution


class Api(Protocol):
    """Read the world, perform actions, look at one sandbox. All errors are `SandboxError`s."""

    @property
    def world(self) -> World:
        """The newest picture of everything."""
        ...

    def worlds(self, since: int = -1) -> AsyncIterator[World]:
        """Each world newer than revision `since`; latest wins: a slow reader skips."""
        ...

    async def settled(self, timeout: float = 5.0) -> World:
        """The first world in which every backend has answered, failed, or run out of time."""
        ...

    async def perform(self, action: Action) -> object:
        """Do it. Answers with what the action's docstring says, else `None`."""
        ...

    async def execute(self, ref: Ref, code: str, *, timeout: float | None = None) -> Execution:
        """Run code and keep hold of it; `timeout` (seconds) ends the code inside."""
        ...

    def follow(
        self, ref: Ref, *, tail: int = 200, live: bool = True, since: float | None = None
    ) -> AsyncIterator[Output]:
        """The last `tail` lines of its log, then (`live`) everything new until it ends."""
        ...

    def screens(self, refs: Sequence[Ref]) -> AsyncIterator[Mapping[Ref, Screen]]:
        """What those show now, then whenever one changed; latest wins."""
        ...

    def notebooks(self, ref: Ref) -> AsyncIterator[Notebook]:
        """A room's cells and outputs now, then whenever they changed; latest wins."""
        ...

    async def vitals(self, refs: Sequence[Ref]) -> Mapping[Ref, Vitals]:
        """One measurement of each that can be measured."""
        ...

    async def inspect(self, ref: Ref) -> Mapping[str, object]:
        """Everything known about one sandbox, as plain values for a person to read."""
        ...

    async def aclose(self) -> None:
        """Let go; what runs goes on running."""
        ...
