"""A kernel's console: type code, see what it says; what `attach` is for a room."""

from __future__ import annotations

import codeop
import contextlib
import itertools
import signal
from collections.abc import Generator
from types import FrameType

from sandbox_tui.api.blocking_api import BlockingApi, BlockingExecution
from sandbox_tui.cli.diagnostics import OK, warn
from sandbox_tui.cli.frame import Frame
from sandbox_tui.cli.names import SETTLING, kinds_of
from sandbox_tui.cli.outputs import say
from sandbox_tui.model.errors import SandboxError
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.world import RoomFacts

MORE = "...: "
"""Before the further lines of a block."""


class Left(BaseException):
    """The leave key was pressed."""


def converse(frame: Frame, ref: Ref) -> int:
    """Read, run, print until ctrl+d or the leave key. Ctrl-C ends what runs, never the console."""
    from sandbox_tui.api.client import blocking

    with blocking(kinds=kinds_of(frame, ref), demo=frame.demo) as api, _leave_key():
        api.settled(SETTLING)
        frame.tell(f"{ref}: ctrl+d or ctrl+\\ leaves, ctrl+c interrupts; the room goes on")
        console = Console(api, ref)
        with contextlib.suppress(Left, EOFError):
            while True:
                console.turn()
    frame.tell(f"\n{ref}: left")
    return OK


class Console:
    """A conversation with the kernel of one room."""

    def __init__(self, api: BlockingApi, ref: Ref) -> None:
        self._api = api
        self._ref = ref
        self._count = 0

    def turn(self) -> None:
        """One piece of code, typed and run. Raises `EOFError` at the end of what is typed."""
        try:
            code = self._typed()
            if code.strip():
                execution = self._api.execute(self._ref, code)
                _run(execution)
                self._count = execution.twin.execution_count or self._count
        except KeyboardInterrupt:
            warn("")
        except SandboxError as error:
            warn(f"error: {error.message}\nhint: {error.hint}")

    def _typed(self) -> str:
        """Lines until the code is complete; an empty line ends a block."""
        import readline  # noqa: F401  # pyright: ignore[reportUnusedImport] - it edits for `input`

        facts = self._facts()
        prompt = f"In [{max(self._count, facts.execution_count) + 1}]: "
        code = input(prompt)
        while facts.kernel.startswith("python") and wants_more(code):
            code += "\n" + input(MORE.rjust(len(prompt)))
        return code

    def _facts(self) -> RoomFacts:
        box = self._api.world.get(self._ref)
        return box.facts if box is not None and isinstance(box.facts, RoomFacts) else RoomFacts()


def wants_more(code: str) -> bool:
    """Whether Python would read on after these lines, as its own console does."""
    if code.startswith(("%", "!")):
        return False
    try:
        return codeop.compile_command(code, symbol="single") is None
    except (SyntaxError, ValueError, OverflowError):
        return False  # the kernel says what is wrong, and knows more Python than this


def _run(execution: BlockingExecution) -> None:
    """Print what it says to the end; Ctrl-C ends it and goes on listening."""
    shown = 0
    while True:
        try:
            for output in itertools.islice(execution, shown, None):
                say(output)
                shown += 1
        except KeyboardInterrupt:
            execution.cancel()
        else:
            return


@contextlib.contextmanager
def _leave_key() -> Generator[None]:
    r"""Let ctrl+\ raise `Left` instead of ending the program with a core dump."""

    def leave(signum: int, frame: FrameType | None) -> None:
        del signum, frame
        raise Left

    before = signal.signal(signal.SIGQUIT, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGQUIT, before)
