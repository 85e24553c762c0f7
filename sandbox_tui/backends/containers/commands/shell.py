"""A shell inside a container, on one connection: text goes in, frames of its two streams come out.

It ends with its connection, and so with this program: its input is over then. What it runs at that
moment goes on, as a command of the engine's own would.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from sandbox_tui.backends.containers.commands.marks import Mark, Marks
from sandbox_tui.backends.containers.engine.frames import Frame, Frames, joined
from sandbox_tui.backends.containers.engine.intake import Intake
from sandbox_tui.backends.containers.engine.link import Link
from sandbox_tui.backends.containers.engine.pump import Pump
from sandbox_tui.backends.containers.engine.replies import Box
from sandbox_tui.backends.containers.engine.stream import Stream
from sandbox_tui.model.errors import BackendUnavailableError

SEND_SECONDS = 10.0


class Shell:
    """One shell. Written and read by one task at a time."""

    def __init__(self, link: Link, box: Box, exec_id: str, stream: Stream) -> None:
        self.box = box
        self._link = link
        self._exec_id = exec_id
        self._stream = stream
        self._frames = Frames()
        self._wire, first = stream.bare() or (None, b"")
        self._intake: Pump[Frame] | Intake[Frame] = (
            Pump(f"shell in {box.ref}", _ShellSource(stream, self._frames))
            if self._wire is None
            else Intake(self._wire, first, self._frames.feed, stream.talking, stream.close)
        )

    @classmethod
    async def open(cls, link: Link, box: Box, argv: Sequence[str], env: Mapping[str, str]) -> Shell:
        """Start it. Raises `SandboxError`."""
        exec_id = await link.ask(lambda engine: engine.make_exec(box, argv, env, listens=True))
        stream = await link.open(lambda engine: engine.start_exec(box, exec_id, listens=True))
        return cls(link, box, exec_id, stream)

    @property
    def is_silent(self) -> bool:
        """Whether it has ended, and all that it printed was taken."""
        return self._intake.is_drained

    @property
    def is_alive(self) -> bool:
        """Whether its connection still stands, as far as is known."""
        return not self._intake.is_over

    async def send(self, text: str) -> None:
        """Say something to it. Raises `BackendUnavailableError`."""
        if rest := self.offer(text):
            await self.send_bytes(rest)

    def offer(self, text: str) -> bytes:
        """The same, as far as it is taken at once; what is left is to be sent."""
        data = text.encode("utf-8", "surrogateescape")
        if not self.is_alive:
            raise BackendUnavailableError(str(self.box.ref.place), "the shell has ended")
        if self._wire is None:
            return data
        try:
            return data[self._wire.send(data) :]
        except BlockingIOError:
            return data
        except OSError:
            with self._stream.talking():
                raise

    async def send_bytes(self, data: bytes) -> None:
        """What was left. Raises `BackendUnavailableError`."""
        if self._wire is None:
            what = f"write to {self.box.ref}"
            await self._link.order(what, SEND_SECONDS, lambda _: self._stream.send(data))
            return
        with self._stream.talking():
            async with asyncio.timeout(SEND_SECONDS):
                await asyncio.get_running_loop().sock_sendall(self._wire, data)

    def listen(self, hear: Callable[[], None]) -> None:
        """Call `hear` now, and whenever there may be something to `take`."""
        self._intake.pulse.besides(hear)
        hear()

    def take(self) -> list[tuple[str, bytes]] | None:
        """What it has printed, as runs of one stream; `None` when that is nothing yet."""
        frames = self._intake.take()
        return None if frames is None else joined(frames)

    async def read(self) -> list[tuple[str, bytes]] | None:
        """What it prints next, as runs of one stream; `None` when it has ended."""
        frames = await self._intake.next()
        return None if frames is None else joined(frames)

    async def answer(self, nonce: str, seconds: float) -> Mark | None:
        """Its next mark on stdout; `None` when it ends, fails, or says nothing for so long."""
        marks = Marks(nonce)
        try:
            async with asyncio.timeout(seconds):
                while (runs := await self.read()) is not None:
                    said = [
                        each for name, data in runs if name == "stdout" for each in marks.feed(data)
                    ]
                    if found := [each for each in said if isinstance(each, Mark)]:
                        return found[0]
        except (TimeoutError, BackendUnavailableError):
            return None
        return None

    async def exit_code(self) -> int | None:
        """Its own; the engine may close the stream a moment before it knows it."""
        return await exit_code(self._link, self.box, self._exec_id)

    async def aclose(self) -> None:
        """Hang up."""
        await self._intake.aclose()


async def exit_code(link: Link, box: Box, exec_id: str) -> int | None:
    """The exit code of an exec whose output has ended; `None` when nobody knows it."""
    for _ in range(50):
        state = await link.ask(lambda engine: engine.exec_state(box, exec_id))
        if not state.running:
            return state.exit_code
        await asyncio.sleep(0.02)
    return None


async def container_ended(link: Link, box: Box) -> bool:
    """Commands of a container that ends are told to have ended a moment before it is."""
    for _ in range(10):
        if not (await link.ask(lambda engine: engine.inspect(box))).state.running:
            return True
        await asyncio.sleep(0.03)
    return False


class _ShellSource:
    """The output of a shell, as frames, for a thread."""

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
