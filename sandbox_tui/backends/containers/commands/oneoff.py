"""One command in a container that exists for it only: made, listened to, started, taken away.

It is listened to, and waited for, before it starts, so that neither its words nor its exit code can
be missed. The engine itself removes it at its end, so that it goes also when nobody waits any more.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from sandbox_tui.backends.containers.create import container_config
from sandbox_tui.backends.containers.engine.frames import Frames, Voices
from sandbox_tui.backends.containers.engine.link import Link
from sandbox_tui.backends.containers.engine.pump import Pump
from sandbox_tui.backends.containers.engine.replies import Box, Ended
from sandbox_tui.backends.containers.engine.stream import Stream
from sandbox_tui.model.errors import ConflictError, DeadlineError, NotFoundError, SandboxError
from sandbox_tui.model.outputs import Outcome, Text
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.model.specs import ContainerSpec
from sandbox_tui.runtime.execution import Execution

if TYPE_CHECKING:
    from sandbox_tui.backends.containers.engine.engine import Engine

START_SECONDS = 60.0
REMOVE_SECONDS = 10.0

LINGER = 2.0
"""How long its last words may take after it was removed, in seconds."""

AFTERWARDS = 60.0
"""Seconds beside its timeout that it may live, if nobody ends it then."""

_UNTIL = {"docker": "removed", "podman": "next-exit"}
"""What is waited for. Podman forgets the exit code of what is removed; it removes it just after."""

_OFTEN = "20ms"
"""How often podman looks whether it has ended."""


class Begun(NamedTuple):
    """A container that runs, and the two replies that go on until it ends."""

    box: Box
    output: Stream
    ending: Stream


class OneOff:
    """Runs the command of one container, and is the only one that writes its `execution`."""

    def __init__(self, link: Link, spec: ContainerSpec, timeout: float | None) -> None:
        ref = Ref.make(Kind.CONTAINER, spec.name, link.place.where)
        self.execution = Execution(ref, spec.command or "", on_cancel=self._cancel)
        self._link = link
        self._spec = _with_an_end(spec, timeout)
        self._timeout = timeout
        self._unwanted = asyncio.Event()
        self._outcome: Outcome | None = None
        self._detail = ""

    async def begin(self) -> Begun:
        """Make and start it; when that fails, or is not waited for, nothing is left behind."""
        given_up = threading.Event()
        ref = self.execution.ref

        def make(engine: Engine) -> Begun:
            config = container_config(self._spec, Path.cwd(), once=True)
            with engine.making(ref, config) as box:
                return _begin(engine, box, given_up)

        try:
            begun = await self._link.order(f"start {ref}", START_SECONDS, make)
        except BaseException:
            given_up.set()
            raise
        self.execution.begin()
        return begun

    async def carry(self, begun: Begun) -> None:
        """Pass on what it says until it has ended; finishes the execution in any case."""
        ref, code = begun.box.ref, None
        output = Pump(f"output of {ref}", OutputSource(begun.output, self._spec.tty))
        ending = Pump(f"end of {ref}", EndSource(begun.ending))
        try:
            async with asyncio.TaskGroup() as group:
                watch = group.create_task(self._watch(begun.box, (output, ending)))
                code = await self._follow(output, ending)
                watch.cancel()
        except asyncio.CancelledError:
            await self._remove(begun.box)
            raise
        finally:
            await asyncio.gather(output.aclose(), ending.aclose())
            outcome = self._outcome or Outcome.CANCELLED
            self.execution.finish(outcome, exit_code=code, detail=self._detail)

    async def _cancel(self) -> None:
        self._unwanted.set()
        await self.execution

    async def _follow(self, output: Pump[Text], ending: Pump[Ended]) -> int | None:
        """Everything it says, then its exit code; none when it was ended from here."""
        ended: Ended | None = None
        try:
            async for texts in output.batches():
                for text in texts:
                    self.execution.feed(text)
                await self.execution.room()
            async for told in ending.batches():
                ended = told[-1]
        except SandboxError as error:
            self._outcome = self._outcome or Outcome.DIED
            self._detail = self._detail or error.message
        if self._outcome is not None or ended is None:
            return None
        self._outcome = Outcome.ERROR if ended.status_code else Outcome.OK
        return ended.status_code

    async def _watch(self, box: Box, pumps: Sequence[Pump[Text] | Pump[Ended]]) -> None:
        """Wait until it is unwanted or late, then take it away."""
        try:
            async with asyncio.timeout(self._timeout):
                await self._unwanted.wait()
            self._outcome = Outcome.CANCELLED
        except TimeoutError:
            self._outcome = Outcome.TIMED_OUT
        if await self._remove(box):
            await asyncio.sleep(LINGER)
        for pump in pumps:
            await pump.aclose()

    async def _remove(self, box: Box) -> bool:
        """End and remove it, whether or not the engine does so too; whether that worked."""
        try:
            await self._link.order(
                f"remove {box.ref}", REMOVE_SECONDS, lambda engine: _remove(engine, box)
            )
        except SandboxError as error:
            self._detail = f"it may still run: {error.message}"
            return False
        return True


class OutputSource:
    """The output of the main process as text: in frames, or as a terminal's."""

    def __init__(self, stream: Stream, tty: bool) -> None:
        self._stream = stream
        self._frames = None if tty else Frames()
        self._voices = Voices()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._over = False
        self.stop = stream.stop
        self.close = stream.close

    def read(self) -> tuple[Sequence[Text], int] | None:
        """Wait for more output; the end within a frame is an error."""
        if self._over:
            return None
        data = self._stream.read()
        self._over = not data
        if self._frames is None:
            text = self._decoder.decode(data, final=self._over)
            return [Text("pty", text)] if text else [], len(data)
        with self._stream.talking():
            frames = self._frames.feed(data) if data else self._frames.rest()
        texts = self._voices.texts(frames)
        return [*texts, *self._voices.rest()] if self._over else texts, len(data)


class EndSource:
    """The one document that comes when the container has ended."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._over = False
        self.stop = stream.stop
        self.close = stream.close

    def read(self) -> tuple[Sequence[Ended], int] | None:
        """Wait for the end; nothing when nobody wants to know it any more."""
        said = bytearray()
        while not self._over and (data := self._stream.read()):
            said += data
        self._over = True
        if not said:
            return None
        with self._stream.talking():
            return [msgspec.json.decode(said, type=Ended)], len(said)


def _with_an_end(spec: ContainerSpec, timeout: float | None) -> ContainerSpec:
    """So that some other program ends it when this one cannot any more."""
    if timeout is None or spec.ttl is not None:
        return spec
    return msgspec.structs.replace(spec, ttl=timeout + AFTERWARDS)


def _begin(engine: Engine, box: Box, given_up: threading.Event) -> Begun:
    """Listen, wait, start, in this order."""
    path, until = f"/containers/{box.id}", _UNTIL[engine.version.runtime]
    with contextlib.ExitStack() as opened:
        output = engine.attach(box)
        opened.callback(output.close)
        waited = {"condition": until, "interval": _OFTEN}
        ending = engine.stream("POST", f"{path}/wait", waited, box.ref, "wait for")
        opened.callback(ending.close)
        engine.begin(box)
        if given_up.is_set():
            raise DeadlineError(f"start {box.ref}", START_SECONDS)
        opened.pop_all()
    return Begun(box, output, ending)


def _remove(engine: Engine, box: Box) -> None:
    with contextlib.suppress(NotFoundError, ConflictError):  # the engine does so already
        engine.remove(box, force=True)
