"""A shell inside a container: text goes in on its line, runs of its two streams come out.

It ends with the line, and so with this program: its input is over then. What it runs at that
moment goes on, as a command of the engine's own would; of a shell that was near it ends with its
next word.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sandbox_tui.backends.containers.commands import scripts
from sandbox_tui.backends.containers.commands.killing import TAG
from sandbox_tui.backends.containers.commands.line import EngineLine, Line, PipeLine
from sandbox_tui.backends.containers.commands.marks import Mark, Marks
from sandbox_tui.backends.containers.commands.pipes import Pipes, main_of, pipes_below, pipes_of
from sandbox_tui.backends.containers.engine.frames import joined
from sandbox_tui.backends.containers.engine.link import Link, Opened
from sandbox_tui.backends.containers.engine.replies import Box
from sandbox_tui.model.errors import BackendUnavailableError, SandboxError

if TYPE_CHECKING:
    from sandbox_tui.backends.containers.engine.engine import Engine

SOON = 0.1
"""Seconds that a process in a container may take to be what it is started as."""


class Shell:
    """One shell. Written and read by one task at a time."""

    def __init__(self, link: Link, box: Box, tag: str, exec_id: str, line: Line) -> None:
        self.box = box
        self.tag = tag
        """In the environment of it, and of what it starts without another one."""
        self._link = link
        self._exec_id = exec_id
        self._line = line

    @classmethod
    async def open(cls, link: Link, box: Box, argv: Sequence[str]) -> Shell:
        """Start it. Raises `SandboxError`."""
        tag = uuid.uuid4().hex
        env = {TAG: tag}
        exec_id = await link.ask(lambda engine: engine.make_exec(box, argv, env, listens=True))
        stream = await link.open(lambda engine: engine.start_exec(box, exec_id, listens=True))
        return cls(link, box, tag, exec_id, EngineLine(link, box, stream))

    @classmethod
    async def of_main(cls, link: Link, box: Box) -> Shell | None:
        """One that the main process begins, which waited for that; near from the beginning.

        The engine has nothing to do for it. `None` where that cannot be; with podman, which gives
        the main process variables that an exec has not.
        """
        if link.endpoint is None or not link.endpoint.is_local:
            return None
        tag = uuid.uuid4().hex
        try:
            pid = await link.ask(lambda engine: _main_pid(engine, box))
            if not pid:
                return None
            stream = await link.open(lambda engine: engine.attach(box))
        except SandboxError:
            return None
        behind = EngineLine(link, box, stream)
        try:
            pipes = await _first_pipes(link, box, pid, tag)
            shell = cls(link, box, tag, "", PipeLine(pipes, behind))
            await shell.send(scripts.first_opened())
        except (OSError, SandboxError):  # it is elsewhere, not ours to open, or waits no more
            await behind.aclose()
            return None
        except BaseException:
            await behind.aclose()
            raise
        return shell

    async def come_nearer(self, seconds: float) -> bool:
        """Talk to it by pipes of its own from now on, if it runs on this machine and we may.

        Returns whether it still answers, within `seconds`. Raises `BackendUnavailableError`.
        """
        if self._link.endpoint is None or not self._link.endpoint.is_local:
            return True
        await self.send(scripts.pipes())
        if await self.answer(self.tag, seconds) is None:
            return False
        try:
            pid = await self._pid()
            pipes = await self._link.open(lambda _: pipes_of(pid, f"{TAG}={self.tag}"))
        except (OSError, SandboxError):  # it is elsewhere, or not ours to open
            await self.send(scripts.pipes_opened(opened=False))
        else:
            self._line = PipeLine(pipes, self._line)
            await self.send(scripts.pipes_opened(opened=True))
        return True

    @property
    def is_near(self) -> bool:
        """Whether it is talked to by pipes: stderr is heard before what stdout said later."""
        return isinstance(self._line, PipeLine)

    @property
    def is_silent(self) -> bool:
        """Whether it has ended, and all that it printed was taken."""
        return self._line.is_drained

    @property
    def is_alive(self) -> bool:
        """Whether its connection still stands, as far as is known."""
        return not self._line.is_over

    async def send(self, text: str) -> None:
        """Say something to it. Raises `BackendUnavailableError`."""
        if rest := self.offer(text):
            await self.send_bytes(rest)

    def offer(self, text: str) -> bytes:
        """The same, as far as it is taken at once; what is left is to be sent."""
        if not self.is_alive:
            raise BackendUnavailableError(str(self.box.ref.place), "the shell has ended")
        return self._line.offer(text.encode("utf-8", "surrogateescape"))

    async def send_bytes(self, data: bytes) -> None:
        """What was left. Raises `BackendUnavailableError`."""
        await self._line.send(data)

    def listen(self, hear: Callable[[], None]) -> None:
        """Call `hear` now, and whenever there may be something to `take`."""
        self._line.pulse.besides(hear)
        hear()

    def take(self) -> list[tuple[str, bytes]] | None:
        """What it has printed, as runs of one stream; `None` when that is nothing yet."""
        frames = self._line.take()
        return None if frames is None else joined(frames)

    async def read(self) -> list[tuple[str, bytes]] | None:
        """What it prints next, as runs of one stream; `None` when it has ended."""
        while (runs := self.take()) is None and not self.is_silent:
            await self._line.pulse.wait()
        return runs

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
        await self._line.aclose()

    async def _pid(self) -> int:
        """Its process id on the engine's machine; 0 when the engine does not know it in time."""
        for _ in range(10):
            state = await self._link.ask(lambda engine: engine.exec_state(self.box, self._exec_id))
            if state.pid:
                return state.pid
            await asyncio.sleep(0.005)
        return 0


def _main_pid(engine: Engine, box: Box) -> int:
    return engine.inspect(box).state.pid if engine.version.runtime == "docker" else 0


async def _first_pipes(link: Link, box: Box, pid: int, tag: str) -> Pipes:
    """Have the main process begin a shell with that tag; its pipes. Raises `OSError`."""
    main = await _soon(link, lambda: main_of(pid, box.id, scripts.WORKER))
    with contextlib.closing(main):
        main.stdin.send(scripts.first(tag).encode())
        return await _soon(link, lambda: pipes_below(main.pid, f"{TAG}={tag}"))


async def _soon(link: Link, opening: Callable[[], Opened]) -> Opened:
    """What a process that has just been started is about to have. Raises `OSError`."""
    async with asyncio.timeout(SOON):
        while True:
            with contextlib.suppress(ProcessLookupError):
                return await link.open(lambda _: opening())
            await asyncio.sleep(0.001)


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
