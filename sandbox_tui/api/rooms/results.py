"""What a cell is and what its run said, in the words of notebooks (nbformat's `output_type`s).

They are views: of an `Execution`'s result and of a document's cell, made when they are asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import cast

import msgspec

from sandbox_tui.model import outputs as model
from sandbox_tui.model.cells import NotebookCell
from sandbox_tui.model.outputs import Display, Failure, Outcome, Result, Text


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """One output. What its type does not have is `None`."""

    output_type: str
    """`stream`, `display_data`, `execute_result` or `error`."""
    name: str | None = None
    """Of a stream: `stdout` or `stderr`."""
    text: str | None = None
    data: Mapping[str, str] | None = None
    """Of a value: each of its forms by MIME type; JSON forms as JSON text."""
    metadata: Mapping[str, object] | None = None
    execution_count: int | None = None
    ename: str | None = None
    """Of an error: the exception's class."""
    evalue: str | None = None
    traceback: Sequence[str] | None = None


class ExecutionResult(msgspec.Struct, frozen=True, kw_only=True):
    """One finished run of a cell."""

    cell_id: str
    success: bool
    execution_count: int | None = None
    outputs: Sequence[Output] = ()
    execution_id: str = ""
    duration: float = 0.0
    """Seconds that it ran."""
    truncated: bool = False
    """Whether it said more than is kept."""

    @property
    def stdout(self) -> str:
        """Everything said on stdout."""
        return self._stream("stdout")

    @property
    def stderr(self) -> str:
        """Everything said on stderr."""
        return self._stream("stderr")

    @property
    def display_data(self) -> list[Output]:
        """The rich values, in order."""
        return [o for o in self.outputs if o.output_type in ("display_data", "execute_result")]

    @property
    def error(self) -> Output | None:
        """The first error, if any."""
        return next((o for o in self.outputs if o.output_type == "error"), None)

    def _stream(self, name: str) -> str:
        return "".join(o.text or "" for o in self.outputs if o.name == name)


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One cell of the document, with what its latest run said."""

    id: str
    cell_type: str
    """`code`, `markdown` or `raw`."""
    source: str
    execution_count: int | None = None
    outputs: Sequence[Output] = ()


def cell_of(entry: NotebookCell, ran: ExecutionResult | None = None) -> Cell:
    """A cell as it stands in the document; `ran` is a newer run than the one known there."""
    cell, run = entry.cell, entry.run
    if ran is not None:
        count, outputs = ran.execution_count, tuple(ran.outputs)
    else:
        count, outputs = (run.execution_count, outputs_of(run.outputs)) if run else (None, ())
    return Cell(
        id=cell.id,
        cell_type=cell.kind.value,
        source=cell.source,
        execution_count=count,
        outputs=outputs,
    )


def result_of(cell_id: str, execution_id: str, result: Result) -> ExecutionResult:
    """How a run ended; one that never ran, or was ended, has an error that says why."""
    outputs = outputs_of(result.outputs)
    if not result.ok and not any(o.output_type == "error" for o in outputs):
        outputs = (*outputs, _why(result))
    return ExecutionResult(
        cell_id=cell_id,
        success=result.ok,
        execution_count=result.execution_count,
        outputs=outputs,
        execution_id=execution_id,
        duration=result.duration,
        truncated=result.truncated,
    )


def outputs_of(outputs: Iterable[model.Output]) -> tuple[Output, ...]:
    """The same outputs; pieces of one stream that follow each other are one."""
    groups = groupby(outputs, key=lambda o: _stream_of(o) if isinstance(o, Text) else o)
    return tuple(
        _stream(key, group) if isinstance(key, str) else output_of(key) for key, group in groups
    )


def output_of(output: model.Output) -> Output:
    """One output in the words of notebooks."""
    match output:
        case Text():
            return Output(output_type="stream", name=_stream_of(output), text=output.text)
        case Failure():
            return Output(
                output_type="error",
                ename=output.name,
                evalue=output.message,
                traceback=list(output.traceback),
            )
        case Display():
            return Output(
                output_type="display_data" if output.execution_count is None else "execute_result",
                data={mime: _as_text(value) for mime, value in output.data.items()},
                metadata=output.metadata,
                execution_count=output.execution_count,
            )


_WHY = {
    Outcome.CANCELLED: "Cancelled",
    Outcome.TIMED_OUT: "TimedOut",
    Outcome.DIED: "KernelDied",
    Outcome.ERROR: "Error",
}


def _why(result: Result) -> Output:
    name = _WHY.get(result.outcome, "Error")
    return Output(output_type="error", ename=name, evalue=result.detail, traceback=[])


def _stream(name: str, pieces: Iterable[model.Output]) -> Output:
    text = "".join(piece.text for piece in pieces if isinstance(piece, Text))
    return Output(output_type="stream", name=name, text=text)


def _stream_of(text: Text) -> str:
    return "stderr" if text.stream == "stderr" else "stdout"


def _as_text(value: object) -> str:
    """Notebook files may keep a text as a list of lines; what is no text is JSON."""
    if isinstance(value, list):
        lines = cast("list[object]", value)
        if all(isinstance(line, str) for line in lines):
            return "".join(map(str, lines))
    return value if isinstance(value, str) else json.dumps(value)
