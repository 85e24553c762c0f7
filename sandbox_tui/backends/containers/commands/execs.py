"""A command that the engine itself starts inside a container."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from sandbox_tui.backends.containers.commands.carrier import Verdict, verdict_of
from sandbox_tui.backends.containers.commands.killing import TAG
from sandbox_tui.backends.containers.commands.shell import container_ended, exit_code
from sandbox_tui.backends.containers.engine.frames import Frames, Voices
from sandbox_tui.backends.containers.engine.link import Link
from sandbox_tui.backends.containers.engine.pump import Pump
from sandbox_tui.backends.containers.engine.replies import Box
from sandbox_tui.backends.containers.engine.stream import Stream
from sandbox_tui.model.outputs import Outcome, Text
from sandbox_tui.model.specs import Inside

_NOT_RUN = (126, 127)
"""Exit codes that engines give to what could not be run at all."""

_DOUBTFUL = (None, 137, *_NOT_RUN)
"""Those that also stand for the end of the container: SIGKILL, or too late to run."""


class Exec:
    """One exec; see `carrier.Carrier`."""

    def __init__(self, link: Link, box: Box, exec_id: str, stream: Stream) -> None:
        self._link = link
        self._box = box
        self._exec_id = exec_id
        self._pump = Pump(f"output of {box.ref}", _ExecSource(stream))
        self._lacks_shell = False

    @classmethod
    async def begin(
        cls, link: Link, box: Box, argv: Sequence[str], tag: str, inside: Inside | None = None
    ) -> Exec:
        """Start it. Raises `SandboxError`."""
        env = {TAG: tag}
        exec_id = await link.ask(lambda engine: engine.make_exec(box, argv, env, inside=inside))
        stream = await link.open(lambda engine: engine.start_exec(box, exec_id))
        return cls(link, box, exec_id, stream)

    async def texts(self) -> AsyncGenerator[Sequence[Text]]:
        """See `Carrier.texts`."""
        async for texts in self._pump.batches():
            # Engines tell a missing program in the output, as if the program had said it.
            self._lacks_shell |= any('exec: "sh"' in text.text for text in texts[:1])
            yield texts

    async def verdict(self) -> Verdict:
        """See `Carrier.verdict`."""
        code = await exit_code(self._link, self._box, self._exec_id)
        if code in _DOUBTFUL and await container_ended(self._link, self._box):
            return Verdict(Outcome.DIED, code, "the container ended")
        if code in _NOT_RUN and self._lacks_shell:
            return Verdict(Outcome.ERROR, code, "there is no sh in this container")
        return verdict_of(code)

    async def aclose(self) -> None:
        """See `Carrier.aclose`."""
        await self._pump.aclose()


class _ExecSource:
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
