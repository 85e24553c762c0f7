"""The sync face of the Api: the same calls, waiting for their results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sandbox_tui.api.base import Api
from sandbox_tui.model.actions import Action
from sandbox_tui.model.cells import Notebook
from sandbox_tui.model.outputs import Output, Result, Screen
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.world import World
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.runtime.portal import Blocking, blocking


class BlockingExecution(Blocking[Execution]):
    """An `Execution` to wait for, to iterate, or to keep."""

    @property
    def id(self) -> str:
        """Its id, the same on every surface."""
        return self.twin.id

    @property
    def status(self) -> str:
        """`queued`, `running` or `done`."""
        return self.twin.status

    def wait(self) -> Result:
        """Its result, when it has ended."""
        return self.portal.call(self.twin)

    def __iter__(self) -> Iterator[Output]:
        return self.portal.iterate(aiter(self.twin))

    def peek(self) -> tuple[Output, ...]:
        """All output so far, left in place."""
        return self.twin.peek()

    cancel = blocking(Execution.cancel)


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

    def execute(self, ref: Ref, code: str, *, timeout: float | None = None) -> BlockingExecution:
        """Run code and keep hold of it; `timeout` (seconds) ends the code inside."""
        execution = self.portal.call(self.twin.execute(ref, code, timeout=timeout))
        return BlockingExecution(execution, self.portal)

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
