"""Hears from the engine that something happened to a container. Events wake, polls tell.

A thread of its own waits on the engine's stream, so nothing is spent while nothing happens. It asks
again, later and later, while the engine is away, and each time it is back wakes once for whatever
was missed.

Docker tells of an end some 100 ms before its own listing does, and nothing more after that: a poll
at once would still be told that the container runs. But to inspect it waits for what is being done
to it. So that is done first, and the poll is woken when there is something to be told.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import msgspec

from sandbox_tui.backends.containers.engine.link import Link
from sandbox_tui.backends.containers.engine.replies import Box, Event
from sandbox_tui.backends.containers.engine.stream import Stream
from sandbox_tui.model.errors import NotFoundError, SandboxError
from sandbox_tui.model.refs import Kind, Ref

FIRST_PAUSE = 0.25
LONGEST_PAUSE = 5.0

# Not what happens for a health check every few seconds, or because somebody looks.
_BEGINS = frozenset({"create", "start", "restart", "unpause"})
# Nor for a signal sent: the engine is busy with it, and tells of the end that it brings.
_ENDS = frozenset({"die", "died", "stop", "oom", "pause", "destroy", "remove"})
_TELLING = _BEGINS | _ENDS | {"rename", "update", "health_status"}
_EVENT = msgspec.json.Decoder(Event)


class Events:
    """Calls `changed(container_id)` in its thread, then `wake()` on the loop."""

    def __init__(
        self, link: Link, changed: Callable[[str], None], wake: Callable[[], None]
    ) -> None:
        self._link = link
        self._changed = changed
        self._wake = wake
        self._loop = asyncio.get_running_loop()
        self._pause = FIRST_PAUSE
        self._waking = False
        self._closing = threading.Event()
        self._ended = asyncio.Event()
        self._stream: Stream | None = None
        name = f"events of {link.place}"
        threading.Thread(target=self._listen, name=name, daemon=True).start()

    @property
    def is_heard(self) -> bool:
        """Whether whatever happens now will be told."""
        return self._stream is not None

    async def aclose(self, seconds: float = 1.0) -> None:
        """End the listening; wait up to `seconds` for the thread to be gone."""
        self._closing.set()
        if self._stream is not None:
            self._stream.stop()
        try:
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        except TimeoutError:
            return

    def _listen(self) -> None:
        while not self._closing.is_set():
            try:
                self._hear(self._link.call(lambda engine: engine.events()))
            except SandboxError:  # the poll has the same trouble, and tells it
                self._pause = min(self._pause * 2, LONGEST_PAUSE)
            self._closing.wait(self._pause)
        self._post(self._ended.set)

    def _hear(self, stream: Stream) -> None:
        self._stream = stream
        self._pause = FIRST_PAUSE
        rest = b""
        try:
            self._rouse()
            while not self._closing.is_set() and (data := stream.read()):
                *lines, rest = (rest + data).split(b"\n")
                with stream.talking():
                    events = [_EVENT.decode(line) for line in lines if line.strip()]
                self._note(events)
        finally:
            self._stream = None
            stream.close()

    def _note(self, events: list[Event]) -> None:
        told = [event.id for event in events if event.action.partition(":")[0] in _TELLING]
        for container_id in dict.fromkeys(told):
            self._await_settled(container_id)
            self._changed(container_id)
        if told:
            self._rouse()

    def _await_settled(self, container_id: str) -> None:
        nobody = Ref.make(Kind.CONTAINER, container_id)
        try:
            self._link.call(lambda engine: engine.inspect(Box(nobody, container_id, "")))
        except NotFoundError:  # settled as well as can be
            return

    def _rouse(self) -> None:
        """Many events while the loop is busy are one call."""
        if not self._waking:
            self._waking = True
            self._post(self._awake)

    def _awake(self) -> None:
        self._waking = False
        if not self._closing.is_set():
            self._wake()

    def _post(self, call: Callable[[], object]) -> None:
        try:
            self._loop.call_soon_threadsafe(call)
        except RuntimeError:  # the loop is closed: nobody is there to be woken
            self._closing.set()
