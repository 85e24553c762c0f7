"""The sync face of the Api: the same calls, waiting for their results."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from sandbox_tui.api.base import Api
from sandbox_tui.api.blocking_execution import BlockingExecution
from sandbox_tui.model.actions import Action
from sandbox_tui.model.cells import Notebook
from sandbox_tui.model.errors import SandboxError
from sandbox_tui.model.outputs import OUTPUT_CAP, Keep, Output, Screen, Text
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.specs import Command
from sandbox_tui.model.world import World
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.runtime.portal import Blocking, blocking
from sandbox_tui.runtime.session import Session

if TYPE_CHECKING:
    from sandbox_tui.api.blocking_room import BlockingRoom
    from sandbox_tui.api.room import Room


class BlockingSession(Blocking[Session]):
    """A `Session`, waiting."""

    @property
    def ref(self) -> Ref:
        """The sandbox it is in."""
        return self.twin.ref

    @property
    def id(self) -> str:
        """Its own id."""
        return self.twin.id

    @property
    def is_open(self) -> bool:
        """Whether it takes commands."""
        return self.twin.is_open

    def run(
        self, command: str, *, timeout: float | None = None, cap: int = OUTPUT_CAP
    ) -> BlockingExecution:
        """Queue one command; see `Session.run`."""
        execution = self.portal.call(self.twin.run(command, timeout=timeout, cap=cap))
        return BlockingExecution(execution, self.portal)

    def outputs(self) -> Iterator[Text]:
        """Everything it prints from now on, as it comes."""
        return self.portal.iterate(self.twin.outputs())

    def close(self) -> None:
        """End the shell and everything it started."""
        self.portal.call(self.twin.aclose())


class BlockingApi(Blocking[Api]):
    """See `Api`; iterators are plain ones and `perform` gives blocking executions."""

    settled = blocking(Api.settled)
    vitals = blocking(Api.vitals)
    inspect = blocking(Api.inspect)

    @property
    def world(self) -> World:
        """The newest picture of everything."""
        return self.twin.world

    def worlds(self, since: int = -1) -> Iterator[World]:
        """Each world newer than revision `since`; latest wins."""
        return self.portal.iterate(self.twin.worlds(since))

    def perform(self, action: Action) -> object:
        """Do it, and answer with what the action's docstring says, else `None`."""
        answer = self.portal.call(self.twin.perform(action))
        return BlockingExecution(answer, self.portal) if isinstance(answer, Execution) else answer

    def execute(
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
    ) -> BlockingExecution:
        """Run code and keep hold of it; see `Api.execute`."""
        execution = self.portal.call(
            self.twin.execute(
                ref,
                code,
                timeout=timeout,
                cap=cap,
                keep=keep,
                env=env,
                working_dir=working_dir,
                user=user,
            ),
            undo=_ended,
        )
        return BlockingExecution(execution, self.portal)

    def session(self, ref: Ref) -> BlockingSession:
        """A shell of its own inside, which keeps its folder and variables between commands."""
        return BlockingSession(self.portal.call(self.twin.session(ref), undo=_left), self.portal)

    def room(self, ref: Ref) -> BlockingRoom:
        """Open a room; close it when it is not needed any more. Raises `NotFoundError`."""
        from sandbox_tui.api.blocking_room import BlockingRoom

        return BlockingRoom(self.portal.call(self.twin.room(ref), undo=_left), self.portal)

    def follow(
        self, ref: Ref, *, tail: int = 200, live: bool = True, since: float | None = None
    ) -> Iterator[Output]:
        """The last `tail` lines of its log, then (`live`) everything new until it ends."""
        return self.portal.iterate(self.twin.follow(ref, tail=tail, live=live, since=since))

    def screens(self, refs: Sequence[Ref]) -> Iterator[Mapping[Ref, Screen]]:
        """What those show now, then whenever one changed."""
        return self.portal.iterate(self.twin.screens(refs))

    def notebooks(self, ref: Ref) -> Iterator[Notebook]:
        """A room's cells and outputs now, then whenever they changed."""
        return self.portal.iterate(self.twin.notebooks(ref))


async def _ended(execution: Execution) -> None:
    """Nobody has got it: it is to end."""
    with contextlib.suppress(SandboxError):
        await execution.cancel()


async def _left(opened: Session | Room) -> None:
    """Nobody has got it: it is to be closed."""
    with contextlib.suppress(SandboxError):
        await opened.aclose()
