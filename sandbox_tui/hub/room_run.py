"""One run in a room: written down as it goes, and bounded, so that it can be read by its id later.

Of what it says the beginning is kept, up to a number of bytes; then comes a mark. A failure is
always kept: who reads the end wants to know.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator

import msgspec

from sandbox_tui.documents.records import Ended, Entry, Head, RunRecord, Said
from sandbox_tui.model.outputs import Failure, Keep, Outcome, Output, Result, Text
from sandbox_tui.model.refs import Ref
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.runtime.kept import size

OUTPUT = 64 * 1024 * 1024
"""Bytes that are kept of what one run says, unless the configuration has another number."""

EVERYTHING = 1 << 62
"""A cap for who is bounded already."""

GONE = "the daemon ended while this ran: what it said after that is lost"


class RoomExecution(Execution):
    """See `Execution`. With `keep="head"` it keeps what is written down, at most `cap` of it."""

    def __init__(
        self,
        ref: Ref,
        code: str,
        write: Callable[[Execution, Entry], None],
        *,
        most: int = OUTPUT,
        cell_id: str | None = None,
        cap: int = EVERYTHING,
        keep: Keep = "head",
        on_cancel: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        bounded_here = keep == "head"
        super().__init__(
            ref, code, cap=EVERYTHING if bounded_here else cap, keep=keep, on_cancel=on_cancel
        )
        self.cell_id = cell_id
        self._write = write
        self._space = min(most, cap) if bounded_here else most
        self._keeps_all = not bounded_here
        self._begun = False
        self._cut = False

    @property
    def truncated(self) -> bool:
        """Whether output was dropped."""
        return super().truncated if self._keeps_all else self._cut

    def feed(self, output: Output) -> None:
        """The code said something."""
        self._open()
        for kept in self._within(output):
            self._write(self, Said(kept))
            if not self._keeps_all:
                super().feed(kept)
        if self._keeps_all:
            super().feed(output)

    def finish(self, outcome: Outcome, *, exit_code: int | None = None, detail: str = "") -> Result:
        """The code ended; the first call decides."""
        is_first = self.result is None
        result = super().finish(outcome, exit_code=exit_code, detail=detail)
        if is_first:
            self._open()
            told = msgspec.structs.replace(result, outputs=(), truncated=self._cut)
            self._write(self, Ended(told))
        return result

    def _open(self) -> None:
        if not self._begun:
            self._begun = True
            self._write(self, Head(self.code, self.cell_id))

    def _within(self, output: Output) -> Iterator[Output]:
        """As much of it as there is space for, then the mark, once."""
        if isinstance(output, Failure):
            yield output
            return
        if self._cut:
            return
        data = output.data if isinstance(output, Text) else b""
        weight = len(data) if isinstance(output, Text) else size(output)
        if weight <= self._space:
            self._space -= weight
            yield output
            return
        if isinstance(output, Text):
            beginning = data[: self._space]
            raw = None if output.raw is None else beginning
            yield Text(output.stream, beginning.decode(errors="ignore"), output.at, raw)
        self._cut = True
        yield Text("stderr", "\n… cut here: it said more than is kept\n")


def recalled(ref: Ref, execution_id: str, record: RunRecord) -> Execution:
    """A run that ended, read from its record."""
    head, outputs, result = record
    execution = Execution(ref, head.code, execution_id=execution_id, cap=EVERYTHING)
    for output in outputs:
        execution.feed(output)
    if result is None:
        execution.finish(Outcome.DIED, detail=GONE)
    else:
        execution.execution_count = result.execution_count
        execution.result = msgspec.structs.replace(result, outputs=execution.peek())
    return execution
