"""An `Api` to look at: whatever could change a sandbox is refused here, not in a surface."""

from __future__ import annotations

from collections.abc import AsyncIterator

from sandbox_tui.api.passing import PassingApi
from sandbox_tui.documents.line import Announce, AnswersInput, Known, Line, RoomNews, Word
from sandbox_tui.model.actions import Action, ListFiles, PoolStatus, ReadFile, Run, RunCell
from sandbox_tui.model.errors import ReadOnlyError
from sandbox_tui.model.refs import Ref
from sandbox_tui.runtime.execution import Execution

LOOKS = frozenset[type[Action]]({ListFiles, PoolStatus, ReadFile})
"""The actions that change nothing. A new one is refused until it stands here."""


class ReadOnlyApi(PassingApi):
    """See `Api`. Raises `ReadOnlyError` for every action that is not among `LOOKS`."""

    def check(self, action: Action) -> None:
        """Let only those through."""
        check(action)

    async def line(self, ref: Ref) -> Line:
        """See `Api.line`."""
        return ReadOnlyLine(await self._api.line(ref))


class ReadOnlyLine:
    """See `documents.line.Line`: a seat in a room from which one can only watch."""

    def __init__(self, line: Line) -> None:
        self._line = line

    @property
    def ref(self) -> Ref:
        """See `Line.ref`."""
        return self._line.ref

    def news(self, known: Known) -> AsyncIterator[RoomNews]:
        """See `Line.news`."""
        return self._line.news(known)

    def say(self, word: Word) -> None:
        """Say who is here; nothing else. Raises `ReadOnlyError`."""
        if isinstance(word, Announce):
            self._line.say(word)
        elif not isinstance(word, AnswersInput) or word.answers:
            raise ReadOnlyError(type(word).__name__)

    async def reply(self, execution_id: str, text: str) -> None:
        """Raises `ReadOnlyError`."""
        del execution_id, text
        raise ReadOnlyError("Reply")

    async def leave(self, *, stop_kernel_if_last: bool = False) -> None:
        """Give the seat up; the kernel stays."""
        del stop_kernel_if_last
        await self._line.leave()

    async def begin(self, action: Run | RunCell) -> Execution:
        """Raises `ReadOnlyError`."""
        raise ReadOnlyError(type(action).__name__)

    async def recall(self, execution_id: str) -> Execution:
        """See `Line.recall`."""
        return await self._line.recall(execution_id)

    async def perform(self, action: Action) -> object:
        """See `ReadOnlyApi.perform`."""
        check(action)
        return await self._line.perform(action)


def check(action: Action) -> None:
    """Raise `ReadOnlyError` for what is more than a look."""
    if type(action) not in LOOKS:
        raise ReadOnlyError(type(action).__name__)
