"""The two ways to a shell inside: through the engine, or by the shell's own pipes.

Through the engine each word passes two more processes, and each answer too: that takes longer than
the shell. So a shell that runs on this very machine is talked to by its pipes, where the kernel
lets us. The engine's connection then only tells when it is lost, or the shell has ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from sandbox_tui.backends.containers.commands.pipes import Pipe, Pipes
from sandbox_tui.backends.containers.engine.frames import STDERR, STDOUT, Frame, Frames
from sandbox_tui.backends.containers.engine.intake import Intake
from sandbox_tui.backends.containers.engine.link import Link
from sandbox_tui.backends.containers.engine.pump import Pump
from sandbox_tui.backends.containers.engine.replies import Box
from sandbox_tui.backends.containers.engine.stream import Stream
from sandbox_tui.model.errors import SandboxError
from sandbox_tui.runtime.pulse import Pulse

SEND_SECONDS = 10.0


class Line(Protocol):
    """Text goes in, frames of two streams come out. Written and read by one task at a time."""

    talking: Callable[[], AbstractContextManager[None]]
    """Translates errors."""

    @property
    def pulse(self) -> Pulse:
        """Fired whenever there may be something to take, and at the end."""
        ...

    @property
    def is_over(self) -> bool:
        """Whether the other side has ended it."""
        ...

    @property
    def is_drained(self) -> bool:
        """Whether it is over, and all that came was taken."""
        ...

    def offer(self, data: bytes) -> bytes:
        """Send it as far as it is taken at once; the rest. Raises `BackendUnavailableError`."""
        ...

    async def send(self, data: bytes) -> None:
        """Send all of it. Raises `BackendUnavailableError`, `TimeoutError`."""
        ...

    def take(self) -> Sequence[Frame] | None:
        """Frames that have come; `None` when there are none. Raises `BackendUnavailableError`."""
        ...

    async def aclose(self) -> None:
        """Hang up."""
        ...


class EngineLine:
    """The connection on which the engine started the shell."""

    def __init__(self, link: Link, box: Box, stream: Stream) -> None:
        self._link = link
        self._stream = stream
        self._what = f"write to {box.ref}"
        self.talking = stream.talking
        frames = Frames()
        self._wire, first = stream.bare() or (None, b"")
        self._intake: Pump[Frame] | Intake[Frame] = (
            Pump(f"shell in {box.ref}", _EngineSource(stream, frames))
            if self._wire is None
            else Intake(self._wire, first, frames.feed, stream.talking, stream.close)
        )
        self.pulse = self._intake.pulse
        self.take = self._intake.take

    @property
    def is_over(self) -> bool:
        """See `Line.is_over`."""
        return self._intake.is_over

    @property
    def is_drained(self) -> bool:
        """See `Line.is_drained`."""
        return self._intake.is_drained

    def offer(self, data: bytes) -> bytes:
        """See `Line.offer`. An encrypted connection takes nothing at once."""
        if self._wire is None:
            return data
        with self.talking():
            try:
                return data[self._wire.send(data) :]
            except BlockingIOError:
                return data

    async def send(self, data: bytes) -> None:
        """See `Line.send`."""
        if self._wire is None:
            await self._link.order(self._what, SEND_SECONDS, lambda _: self._stream.send(data))
            return
        with self.talking():
            async with asyncio.timeout(SEND_SECONDS):
                await asyncio.get_running_loop().sock_sendall(self._wire, data)

    async def aclose(self) -> None:
        """See `Line.aclose`."""
        await self._intake.aclose()


class PipeLine:
    """The shell's own pipes. It ends with them, or with the engine's connection behind it.

    What was written to stderr before something was written to stdout is taken before that.
    """

    def __init__(self, pipes: Pipes, behind: Line) -> None:
        self._stdin = pipes.stdin
        self._behind = behind
        self.talking = behind.talking
        self.pulse = Pulse()
        self._error: SandboxError | None = None
        stderr = self._intake(STDERR, pipes.stderr)
        stdout = self._intake(STDOUT, pipes.stdout, first=stderr.look)
        self._intakes = (stderr, stdout)
        for intake in self._intakes:
            intake.pulse.besides(self._hear)
        behind.pulse.besides(self._look_behind)
        self._look_behind()

    @property
    def is_over(self) -> bool:
        """See `Line.is_over`."""
        return all(intake.is_over for intake in self._intakes)

    @property
    def is_drained(self) -> bool:
        """See `Line.is_drained`."""
        return all(intake.is_drained for intake in self._intakes)

    def offer(self, data: bytes) -> bytes:
        """See `Line.offer`."""
        with self.talking():
            return data[self._stdin.send(data) :]

    async def send(self, data: bytes) -> None:
        """See `Line.send`."""
        with self.talking():
            async with asyncio.timeout(SEND_SECONDS):
                while data := self.offer(data):
                    await self._stdin.room()

    def take(self) -> Sequence[Frame] | None:
        """See `Line.take`."""
        for intake in self._intakes:
            if (frames := intake.take()) is not None:
                return frames
        if self._error is not None:
            raise self._error
        return None

    async def aclose(self) -> None:
        """See `Line.aclose`."""
        for intake in self._intakes:
            await intake.aclose()
        await self._behind.aclose()

    def _intake(
        self, stream: int, pipe: Pipe, first: Callable[[], None] = lambda: None
    ) -> Intake[Frame]:
        """What one stream says, as frames; `first` is done before anything of it is handed on."""

        def frames(data: bytes) -> list[Frame]:
            first()
            return [(stream, data)] if data else []

        return Intake(pipe, b"", frames, self.talking, pipe.close)

    def _hear(self) -> None:
        if self.is_over:
            self._stdin.close()
        self.pulse.fire()

    def _look_behind(self) -> None:
        """Whether the engine's connection has ended; nobody says anything there any more."""
        try:
            while self._behind.take() is not None:
                pass
        except SandboxError as error:
            self._error = error
        if self._behind.is_over:
            for intake in self._intakes:
                intake.finish()


class _EngineSource:
    """What comes on an engine's connection, as frames, for a thread."""

    def __init__(self, stream: Stream, frames: Frames) -> None:
        self._stream = stream
        self._frames = frames
        self.stop = stream.stop
        self.close = stream.close

    def read(self) -> tuple[Sequence[Frame], int] | None:
        data = self._stream.read()
        if not data:
            return None
        with self._stream.talking():
            return self._frames.feed(data), len(data)
