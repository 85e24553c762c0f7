"""The little language that memory sandboxes run, one command a line.

echo TEXT     say it on stdout         sleep SECONDS   take time
err TEXT      say it on stderr         exit CODE       end with that code
show TEXT     a rich value             raise TEXT      end with a failure
flood N       N lines on stdout        die             end what runs it
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sandbox_tui.model.outputs import Display, Failure, Outcome, Text
from sandbox_tui.runtime.execution import Execution


class Ended(Exception):  # noqa: N818  # an end is no error
    """The script ended before its last line."""

    def __init__(self, outcome: Outcome, exit_code: int | None = None) -> None:
        super().__init__(outcome)
        self.outcome = outcome
        self.exit_code = exit_code


async def run(execution: Execution, timeout: float | None) -> None:
    """Run the code of `execution` to its end; cancelling the task ends it as cancelled."""
    execution.begin()
    try:
        async with asyncio.timeout(timeout):
            for line in execution.code.splitlines():
                await _step(execution, line.strip())
    except Ended as end:
        execution.finish(end.outcome, exit_code=end.exit_code)
    except TimeoutError:
        execution.finish(Outcome.TIMED_OUT, detail=f"ended after {timeout:g} s")
    except asyncio.CancelledError:
        execution.finish(Outcome.CANCELLED)
        raise
    else:
        execution.finish(Outcome.OK, exit_code=0)


async def _step(execution: Execution, line: str) -> None:
    command, _, rest = line.partition(" ")
    if command == "sleep":
        await asyncio.sleep(float(rest))
    elif command in _STEPS:
        _STEPS[command](execution, rest)
    elif command:
        execution.feed(Text("stderr", f"{command}: command not found\n"))
        raise Ended(Outcome.ERROR, 127)


def _echo(execution: Execution, rest: str) -> None:
    execution.feed(Text("stdout", rest + "\n"))


def _err(execution: Execution, rest: str) -> None:
    execution.feed(Text("stderr", rest + "\n"))


def _show(execution: Execution, rest: str) -> None:
    execution.feed(Display({"text/plain": rest}, execution_count=execution.execution_count))


def _flood(execution: Execution, rest: str) -> None:
    for number in range(int(rest)):
        execution.feed(Text("stdout", f"line {number}\n"))


def _raise(execution: Execution, rest: str) -> None:
    execution.feed(Failure("RuntimeError", rest, (f"RuntimeError: {rest}",)))
    raise Ended(Outcome.ERROR, 1)


def _exit(execution: Execution, rest: str) -> None:
    del execution
    code = int(rest or 0)
    raise Ended(Outcome.OK if code == 0 else Outcome.ERROR, code)


def _die(execution: Execution, rest: str) -> None:
    del execution, rest
    raise Ended(Outcome.DIED)


_STEPS: dict[str, Callable[[Execution, str], None]] = {
    "echo": _echo,
    "err": _err,
    "show": _show,
    "flood": _flood,
    "raise": _raise,
    "exit": _exit,
    "die": _die,
}
