"""What every surface is given. `LocalApi` and `RemoteApi` both are one, and nobody can tell."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from sandbox_tui.documents.line import Line
from sandbox_tui.model.actions import Action
from sandbox_tui.model.cells import Notebook
from sandbox_tui.model.outputs import OUTPUT_CAP, Keep, Output, Screen, Vitals
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.specs import Command
from sandbox_tui.model.world import World
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.runtime.session import Session

if TYPE_CHECKING:
    from sandbox_tui.api.room import Room


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

    async def execute(
        self,
        ref: Ref,
        code: Command,
        *,
        timeout: float | None = None,
        cap: int = OUTPUT_CAP,
        keep: Keep = "tail",
        env: Mapping[str, str] | None = None,
        working_dir: str | None = None,
        user: str | None = None,
    ) -> Execution:
        """Run code and keep hold of it; `timeout` (seconds) ends the code inside.

        A text runs through a shell (in a room: in the kernel), a tuple is a program with its
        arguments. Of its output `cap` characters are kept, from its end or its beginning. `env`,
        `working_dir` and `user` are for containers only.
        """
        ...

    async def room(self, ref: Ref) -> Room:
        """Open a room: a replica of its document and everything that happens there.

        Raises `NotFoundError`. Close it with `aclose`.
        """
        ...

    async def line(self, ref: Ref) -> Line:
        """The bare way into a room, for a `Room` or for who serves one."""
        ...

    async def session(self, ref: Ref) -> Session:
        """A shell of its own inside, which keeps its folder and variables between commands."""
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
