"""Commands of our own in a container, for what archives do not show.

They are programs with arguments, never lines for a shell, so a name is only a name. They run as the
container's own user.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from sandbox_tui.backends.containers.engine.frames import Frames
from sandbox_tui.backends.containers.engine.replies import Made
from sandbox_tui.backends.containers.engine.stream import Stream
from sandbox_tui.backends.containers.files.insides import Inside
from sandbox_tui.model.errors import (
    BackendUnavailableError,
    OperationFailedError,
    UnsupportedError,
)

if TYPE_CHECKING:
    from sandbox_tui.backends.containers.engine.engine import Engine

_STDOUT = 1
_KEPT = 4096
"""Bytes of a complaint that are kept."""

_NOT_RUN = (126, 127)
_NO_PROGRAM = ("executable file not found", "no such file or directory")
_UPGRADE = {"Connection": "Upgrade", "Upgrade": "tcp"}

Held = Callable[[Callable[[], None]], None]


def unheld(end: Callable[[], None]) -> None:
    """Nobody will want to end it."""
    del end


class Ending(NamedTuple):
    """How a command ended."""

    code: int
    complaint: str
    """The last that it said on stderr."""


class Inner:
    """One command. Feed it, read it, then ask how it ended; close it in any case."""

    def __init__(
        self, engine: Engine, inside: Inside, argv: Sequence[str], held: Held = unheld
    ) -> None:
        if not inside.is_up:
            hint = f"Run: sandbox-tui start {inside.box.ref}"
            raise UnsupportedError(inside.box.ref, "do that while it does not run", hint=hint)
        self._engine = engine
        self._box = inside.box
        self._program = argv[0]
        self._id = self._make(argv)
        self._stream = self._start(held)
        self._head = b""
        self._complaint = b""

    def feed(self, pieces: Iterable[bytes]) -> None:
        """Write to its stdin, to the end; it may have ended before, and says why then."""
        with contextlib.suppress(BackendUnavailableError):
            for piece in pieces:
                self._stream.send(piece)
            self._stream.end_input()

    def output(self) -> Iterator[bytes]:
        """What it prints, until it ends."""
        frames = Frames()
        while data := self._stream.read():
            with self._stream.talking():
                found = frames.feed(data)
            for voice, piece in found:
                if voice == _STDOUT:
                    self._head = self._head or piece[:_KEPT]
                    yield piece
                else:
                    self._complaint = (self._complaint + piece)[-_KEPT:]

    def ending(self) -> Ending:
        """How it ended. Raises `UnsupportedError` when there is no such program inside."""
        for _ in self.output():
            continue
        code = self._exit_code()
        # Engines tell a missing program in the output, as if the program had said it.
        said = (self._complaint or self._head).decode("utf-8", "replace").strip()
        if code in _NOT_RUN and "exec" in said and any(words in said for words in _NO_PROGRAM):
            hint = "Use a folder that is on its disk, or an image that has it."
            raise UnsupportedError(self._box.ref, f"do that without {self._program}", hint=hint)
        return Ending(code, said)

    def close(self) -> None:
        """Let go of it."""
        self._stream.close()

    def _make(self, argv: Sequence[str]) -> str:
        wanted = {"AttachStdin": True, "AttachStdout": True, "AttachStderr": True}
        raw = self._engine.order(
            "POST",
            f"/containers/{self._box.id}/exec",
            body={**wanted, "Cmd": list(argv)},
            ref=self._box.ref,
            verb="run in",
        )
        with self._engine.talking():
            return msgspec.json.decode(raw, type=Made).id

    def _start(self, held: Held) -> Stream:
        return self._engine.haul(
            held,
            "POST",
            f"/exec/{self._id}/start",
            body={"Detach": False, "Tty": False},
            headers=_UPGRADE,
            ref=self._box.ref,
            verb="run in",
        )

    def _exit_code(self) -> int:
        """The engine may close the stream a moment before it knows the code."""
        for _ in range(100):
            state = self._engine.exec_state(self._box, self._id)
            if not state.running and state.exit_code is not None:
                return state.exit_code
            time.sleep(0.02)
        raise OperationFailedError(self._box.ref, "run in", f"{self._program} does not end")


def complaint_of(engine: Engine, inside: Inside, *argv: str) -> str:
    """Run a program without input; what it complains of, which is empty when it succeeded."""
    command = Inner(engine, inside, argv)
    with contextlib.closing(command):
        command.feed(())
        ending = command.ending()
    return (ending.complaint or f"{argv[0]} failed") if ending.code else ""
