"""What a run says, on this terminal: its text as it comes, its values and errors in words."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence

from sandbox_tui.cli.diagnostics import FAILED, INTERRUPTED, OK, TIMED_OUT
from sandbox_tui.cli.frame import Frame
from sandbox_tui.model.codec import to_builtins
from sandbox_tui.model.outputs import Display, Failure, Outcome, Output, Result, Text
from sandbox_tui.model.refs import Ref
from sandbox_tui.runtime.execution import Execution

_WHY = {Outcome.TIMED_OUT: "not done in time, and so ended"}
"""What a run that says nothing itself has come to."""


async def stream(frame: Frame, execution: Execution) -> int:
    """Print what a run says while it says it; answer with the exit code it stands for.

    Ctrl-C ends the run inside the sandbox, too.
    """
    result = await _heard(frame, execution)
    if frame.json:
        frame.show_json(result_entry(execution, result))
    return exit_code(result)


async def stream_all(frame: Frame, ref: Ref, executions: Sequence[Execution]) -> int:
    """The same for runs that wait for each other; the first that fails decides the exit code."""
    try:
        results = [await _heard(frame, execution) for execution in executions]
    except asyncio.CancelledError:
        for execution in executions:
            await execution.cancel()
        raise
    if frame.json:
        entries = [
            result_entry(execution, result)
            for execution, result in zip(executions, results, strict=True)
        ]
        frame.show_json({"ref": ref, "results": entries})
    return next((code for result in results if (code := exit_code(result))), OK)


async def _heard(frame: Frame, execution: Execution) -> Result:
    """The result of a run whose outputs have been printed, unless JSON is wanted."""
    try:
        async for output in execution:
            if not frame.json:
                say(output)
        result = await execution
    except asyncio.CancelledError:
        await execution.cancel()
        raise
    if not result.ok and (why := result.detail or _WHY.get(result.outcome)):
        frame.tell(why)
    return result


def say(output: Output) -> None:
    """Print one output: errors and stderr on stderr."""
    match output:
        case Text():
            write(output.text, err=output.stream == "stderr")
        case Display():
            write(f"{in_words(output.data)}\n")
        case Failure():
            lines = output.traceback or (f"{output.name}: {output.message}",)
            write("".join(f"{line}\n" for line in lines), err=True)


def write(text: str, *, err: bool = False) -> None:
    """Print text as it is, at once."""
    file = sys.stderr if err else sys.stdout
    file.write(text)
    file.flush()


def in_words(data: Mapping[str, object]) -> str:
    """A rich value as text; what has none is named by its type."""
    plain = data.get("text/plain")
    return str(plain) if plain is not None else f"<{', '.join(data) or 'nothing'}>"


def exit_code(result: Result) -> int:
    """The exit code that a finished run stands for."""
    match result.outcome:
        case Outcome.TIMED_OUT:
            return TIMED_OUT
        case Outcome.CANCELLED:
            return INTERRUPTED
        case Outcome.OK:
            return result.exit_code or OK
        case _:
            return result.exit_code or FAILED


def result_entry(execution: Execution, result: Result) -> dict[str, object]:
    """A finished run as JSON."""
    plain: dict[str, object] = to_builtins(result)
    said = {"stdout": result.stdout, "stderr": result.stderr}
    return {"ref": execution.ref, "id": execution.id, "ok": result.ok, **plain, **said}
