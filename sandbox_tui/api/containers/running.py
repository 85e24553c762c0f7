"""Commands that still run and shells that stay, for callers that wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sandbox_tui.api.containers.loop import Caller, on_loop
from sandbox_tui.api.containers_async.running import AsyncExecStream, AsyncProcess
from sandbox_tui.api.containers_async.session import AsyncSession
from sandbox_tui.api.containers_async.values import BufferSnapshot, ExecResult, StreamChunk
from sandbox_tui.runtime.portal import Blocking, Portal, blocking


class ExecStream(Blocking[AsyncExecStream]):
    """The output of a command, piece by piece; `result` is there after the last one.

    Leaving the loop early ends the command.
    """

    def __init__(self, twin: AsyncExecStream, portal: Portal) -> None:
        super().__init__(twin, portal)
        self._pieces = portal.iterate(aiter(twin))

    @property
    def result(self) -> ExecResult:
        """How it ended. Raises `RuntimeError` before that."""
        return self.twin.result

    def __iter__(self) -> Iterator[StreamChunk]:
        return self

    def __next__(self) -> StreamChunk:
        return next(self._pieces)

    close = blocking(AsyncExecStream.close)


class Process(Blocking[AsyncProcess]):
    """A command in the background."""

    is_running = blocking(AsyncProcess.is_running)
    kill = blocking(AsyncProcess.kill)
    wait = blocking(AsyncProcess.wait)

    @property
    def id(self) -> str:
        """Its own id."""
        return self.twin.id

    @property
    def buffer_size(self) -> int:
        """Bytes that wait to be read."""
        return self.portal.call(on_loop(lambda: self.twin.buffer_size))

    @property
    def buffer_overflow(self) -> bool:
        """Whether output was dropped because nobody read it."""
        return self.twin.buffer_overflow

    def read(self) -> BufferSnapshot:
        """What it said that was not read yet."""
        return self.portal.call(on_loop(self.twin.read))

    def peek(self) -> BufferSnapshot:
        """The same, left to be read."""
        return self.portal.call(on_loop(self.twin.peek))


class Session(Blocking[AsyncSession]):
    """One shell in one container. Commands run in the order in which they were given."""

    def __init__(self, twin: AsyncSession, portal: Portal) -> None:
        super().__init__(twin, portal)
        self._caller = Caller()

    send = blocking(AsyncSession.send)
    send_and_wait = blocking(AsyncSession.send_and_wait)

    @property
    def id(self) -> str:
        """Its own id."""
        return self.twin.id

    def read(self) -> str:
        """What was printed since the last `read`."""
        return self.portal.call(on_loop(self.twin.read))

    def on_output(self, fn: Callable[[str], object]) -> None:
        """Call `fn(data)`, in a thread of its own, with everything that is printed, in order."""
        function = self._caller.calling(fn)
        self.portal.call(on_loop(lambda: self.twin.on_output(function)))

    def close(self) -> None:
        """End the shell and everything it has started."""
        self.portal.call(self.twin.close())
        self._caller.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
