"""One run of code on its way through a kernel.

A run has ended when *both* halves are in: the reply on the shell channel and the idle status on
iopub. Either may come first, and no amount of waiting after one of them is right for the other.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine

from sandbox_tui.backends.kernels.messages import Began, Cleared, Event, Updated, pieces
from sandbox_tui.model.outputs import Failure, Outcome, Output, Text
from sandbox_tui.runtime.execution import Execution

NO_MORE = "\x04"
"""The answer by which kernels know the end of all input."""

NO_STDIN = "StdinNotImplementedError"
"""What ipykernel raises for a question while nobody answers."""

UNANSWERED = "input() was called, and nobody is left who could answer"

COALESCE = 0.02
"""Seconds for which text is gathered into one output."""

Asked = Callable[[str, bool], Awaitable[str | None]]
"""Gets what running code asks, and whether the answer is a secret; `None`: nobody answers."""

Heard = Callable[[Execution, Event], None]


class Run:
    """Turns what a kernel says about one request into one Execution."""

    def __init__(
        self,
        order: int,
        execution: Execution,
        heard: Heard,
        on_input: Asked | None = None,
        *,
        tardy: bool = False,
    ) -> None:
        self.order = order
        self.execution = execution
        self.on_input = on_input
        self.outcome: Outcome | None = None
        """From the reply."""
        self.idle = False
        self.taken_up_at: float | None = None
        """When the kernel repeated the code: from about then on an interrupt meets the code."""
        self.verdict: Outcome | None = None
        """What ended it from outside."""
        self.gap = ""
        """What is known to be missing of what it said."""
        self.tardy = tardy
        """Its kernel may print after it said that it is idle: what it is asked then comes later."""
        self.begun = asyncio.Event()
        self.ended = asyncio.Event()
        self._heard = heard
        self._failed = False
        self._stream = ""
        self._gathered: list[str] = []
        self._timer: asyncio.TimerHandle | None = None
        self._asking: asyncio.Task[None] | None = None
        self._unanswered = False

    @property
    def is_whole(self) -> bool:
        """Whether both halves of its end are in."""
        return self.idle and self.outcome is not None

    def begin(self) -> None:
        """The kernel has turned to it."""
        if not self.begun.is_set():
            self.begun.set()
            self.execution.begin()

    def hear(self, event: Event) -> None:
        """Pass on what the code said, text gathered into fewer and larger outputs."""
        if isinstance(event, Text):
            self._gather(event)
            return
        self.flush()
        if isinstance(event, Began):
            self.taken_up_at = time.monotonic()
            self.execution.execution_count = event.execution_count
        elif isinstance(event, Updated):
            self.execution.feed(event.display)
        elif not isinstance(event, Cleared):
            event = self._named(event)
            self._failed |= isinstance(event, Failure)
            self.execution.feed(event)
        self._heard(self.execution, event)

    def reply(self, outcome: Outcome, count: int | None, failure: Failure | None) -> None:
        """The first half of the end; a failure that iopub did not tell is told here."""
        self.outcome = outcome
        if count is not None:
            self.execution.execution_count = count
        if failure is not None and not self._failed:
            self.hear(failure)
        self.settle()

    def settle(self) -> None:
        """Finish if both halves are in, and nothing can come after them."""
        if self.idle and self.outcome is not None and not self.tardy:
            self.finish(_judge(self.outcome, self.verdict), detail=self.gap)

    def finish(self, outcome: Outcome, *, exit_code: int | None = None, detail: str = "") -> None:
        """It is over, whoever says so; the first to say it decides."""
        self.flush()
        if self._asking is not None:
            self._asking.cancel()
        self.execution.finish(outcome, exit_code=exit_code, detail=detail)
        self.begun.set()
        self.ended.set()

    def own(self, asking: Coroutine[object, object, None]) -> None:
        """Wait for an answer to a question of the code, for as long as the code does."""
        self._asking = asyncio.create_task(asking)

    def answered(self, line: str | None) -> str:
        """What to tell the code that asked: one line, or that there is none."""
        self._unanswered = line is None
        return NO_MORE if line is None else line

    def flush(self) -> None:
        """Hand over the gathered text."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        text = "".join(self._gathered)
        self._gathered.clear()
        for piece in pieces(self._stream, text):
            self.execution.feed(piece)
            self._heard(self.execution, piece)

    def _named(self, output: Output) -> Output:
        """As a person should know it, who did not do what the kernel was told to end it.

        A top-level `await` is ended by cancelling it; code that asks what nobody answers, by the
        end of its input.
        """
        match output:
            case Failure("CancelledError", message, traceback) if self.verdict:
                return Failure("KeyboardInterrupt", message, traceback)
            case Failure("EOFError", "", traceback) if self._unanswered:
                last = f"{NO_STDIN}: {UNANSWERED}"
                return Failure(NO_STDIN, UNANSWERED, (*traceback[:-1], last))
            case _:
                return output

    def _gather(self, text: Text) -> None:
        if text.stream != self._stream:
            self.flush()
            self._stream = text.stream
        self._gathered.append(text.text)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(COALESCE, self.flush)


def _judge(reply: Outcome, verdict: Outcome | None) -> Outcome:
    """Code that was to be cancelled and ended well all the same has ended well."""
    if verdict is None or (verdict is Outcome.CANCELLED and reply is Outcome.OK):
        return reply
    return verdict
