"""What running code asks its people: `input()`, answered by whichever client is first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from sandbox_tui.documents.seats import Seats
from sandbox_tui.model.errors import ConflictError
from sandbox_tui.model.room import InputAsked

Ask = Callable[[str, bool], Awaitable[str | None]]
"""Gets the prompt, and whether the answer is a secret; one line, `None` when nobody is left."""


class Questions:
    """The open questions of one room."""

    def __init__(self, seats: Seats, changed: Callable[[], None]) -> None:
        self._seats = seats
        self._changed = changed
        self._open: dict[str, asyncio.Future[str | None]] = {}

    @property
    def is_open(self) -> bool:
        """Whether code waits for an answer."""
        return bool(self._open)

    def asker(self, execution_id: str) -> Ask | None:
        """How that run may ask; `None` while nobody answers: its questions then fail at once."""
        if not self._seats.answers_input:
            return None

        async def ask(prompt: str, secret: bool) -> str | None:
            if not self._seats.answers_input:
                return None
            self._open[execution_id] = asyncio.get_running_loop().create_future()
            self._seats.tell(InputAsked(execution_id=execution_id, prompt=prompt, secret=secret))
            self._changed()
            try:
                return await self._open[execution_id]
            finally:
                del self._open[execution_id]
                self._changed()

        return ask

    def look(self) -> None:
        """Clients came or went: without anybody who answers, what is open stays unanswered."""
        if not self._seats.answers_input:
            for question in self._open.values():
                if not question.done():
                    question.set_result(None)

    def answer(self, execution_id: str, text: str) -> None:
        """Give it one line. Raises `ConflictError` when it asks nothing (any more)."""
        question = self._open.get(execution_id)
        if question is None or question.done():
            raise ConflictError(f"the run {execution_id} asks nothing now")
        question.set_result(text)
