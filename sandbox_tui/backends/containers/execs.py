"""One command inside a container, from its start to its exit code."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from sandbox_tui.backends.containers.frames import Frames, Voices
from sandbox_tui.backends.containers.killing import TAG, kill_command
from sandbox_tui.backends.containers.link import Link
from sandbox_tui.backends.containers.pump import Pump
from sandbox_tui.backends.containers.replies import Box
from sandbox_tui.backends.containers.stream import Stream
from sandbox_tui.model.errors import SandboxError
from sandbox_tui.model.outputs import Outcome, Text
from sandbox_tui.runtime.execution import Execution

TRIES = 5
"""How often a command is ended: one that has only just begun may not be there to be found."""

_NOT_RUN = (126, 127)
"""Exit codes that engines give to what could not be run at all."""

_DOUBTFUL = (None, 137, *_NOT_RUN)
"""Those that also stand for the end of the container: SIGKILL, or too late to run."""


class Exec:
    """Runs the code of its `execution`, and is the only one that writes it."""

    def __init__(self, link: Link, box: Box, code: str, timeout: float | None) -> None:
        self.execution = Execution(box.ref, code, on_cancel=self._cancel)
        self._link = link
        self._box = box
        self._timeout = timeout
        self._exec_id = ""
        self._unwanted = asyncio.Event()
        self._silent = asyncio.Event()
        self._outcome: Outcome | None = None
        self._exit_code: int | None = None
        self._detail = ""

    async def run(self, begun: asyncio.Future[None]) -> None:
        """Start it, tell `begun` so or why not, and carry it to its end."""
        try:
            await self._begin()
        except SandboxError as error:
            if not begun.done():
                begun.set_exception(error)
            return
        except asyncio.CancelledError:
            begun.cancel()
            raise
        if not begun.done():
            begun.set_result(None)
        await self._carry()

    def abandon(self) -> None:
        """Have it ended inside, whether or not it has begun."""
        self._unwanted.set()

    async def _cancel(self) -> None:
        self.abandon()
        await self.execution

    async def _begin(self) -> None:
        box, argv = self._box, ["sh", "-c", self.execution.code]
        env = {TAG: self.execution.id}
        self._exec_id = await self._link.ask(lambda engine: engine.make_exec(box, argv, env))
        stream = await self._link.open(lambda engine: engine.start_exec(box, self._exec_id))
        self._pump = Pump(f"output of {box.ref}", ExecSource(stream))
        self.execution.begin()

    async def _carry(self) -> None:
        """Pass on what it prints until it has ended; finishes the execution in any case."""
        try:
            async with asyncio.TaskGroup() as group:
                watch = group.create_task(self._watch())
                await self._see_it_end()
                watch.cancel()
        finally:
            await self._pump.aclose()
            outcome = self._outcome or Outcome.CANCELLED
            self.execution.finish(outcome, exit_code=self._exit_code, detail=self._detail)

    async def _see_it_end(self) -> None:
        try:
            await self._relay()
            self._outcome = self._outcome or await self._verdict()
        except SandboxError as error:
            self._outcome = self._outcome or Outcome.DIED
            self._detail = self._detail or error.message
        finally:
            self._silent.set()

    async def _relay(self) -> None:
        async for texts in self._pump.batches():
            for text in texts:
                self.execution.feed(text)

    async def _verdict(self) -> Outcome:
        self._exit_code = await self._ask_exit_code()
        if self._exit_code in _DOUBTFUL and await self._container_ended():
            self._detail = "the container ended"
            return Outcome.DIED
        if self._exit_code in _NOT_RUN and _lacks_shell(self.execution.peek()):
            self._detail = "there is no sh in this container"
        return Outcome.ERROR if self._exit_code else Outcome.OK

    async def _ask_exit_code(self) -> int | None:
        """The engine may close the stream a moment before it knows the code."""
        for _ in range(50):
            state = await self._link.ask(lambda engine: engine.exec_state(self._box, self._exec_id))
            if not state.running:
                return state.exit_code
            await asyncio.sleep(0.02)
        return None

    async def _container_ended(self) -> bool:
        """Commands of a container that ends are told to have ended a moment before it is."""
        box = self._box
        for _ in range(10):
            if not (await self._link.ask(lambda engine: engine.inspect(box))).state.running:
                return True
            await asyncio.sleep(0.03)
        return False

    async def _watch(self) -> None:
        """Wait until it is unwanted or late, then end it inside."""
        try:
            async with asyncio.timeout(self._timeout):
                await self._unwanted.wait()
            self._outcome = Outcome.CANCELLED
        except TimeoutError:
            self._outcome = Outcome.TIMED_OUT
        try:
            await self._end_inside()
        except SandboxError as error:
            self._detail = f"it may still run: {error.message}"
        await self._pump.aclose()

    async def _end_inside(self) -> None:
        box, argv = self._box, kill_command(self.execution.id)
        for _ in range(TRIES):
            await self._link.ask(lambda engine: engine.run(box, argv))
            try:
                async with asyncio.timeout(0.5):
                    await self._silent.wait()
                return
            except TimeoutError:
                continue
        self._detail = "it may still run"


class ExecSource:
    """The output of a command, as text."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._frames = Frames()
        self._voices = Voices()
        self._over = False
        self.stop = stream.stop
        self.close = stream.close

    def read(self) -> tuple[Sequence[Text], int] | None:
        """Wait for more output; the end within a frame is an error."""
        if self._over:
            return None
        data = self._stream.read()
        self._over = not data
        with self._stream.talking():
            frames = self._frames.feed(data) if data else self._frames.rest()
        texts = self._voices.texts(frames)
        return [*texts, *self._voices.rest()] if self._over else texts, len(data)


def _lacks_shell(outputs: Sequence[object]) -> bool:
    """Engines tell a missing program in the output, as if the program had said it."""
    return any(isinstance(each, Text) and 'exec: "sh"' in each.text for each in outputs)
