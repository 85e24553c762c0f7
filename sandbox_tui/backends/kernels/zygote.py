"""Forks kernels from a process that has done a kernel's imports already; see `zygote_program`."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import subprocess
from collections import deque
from collections.abc import Mapping
from pathlib import Path

import msgspec

from sandbox_tui.backends.kernels.process import UNSEEN, Exit, exit_of

LOGGER = logging.getLogger(__name__)

PROGRAM = Path(__file__).with_name("zygote_program.py")

PATIENCE = 5.0
"""Seconds that a fork may take; the zygote is given up then."""

WARM_UP = 60.0
"""Seconds that its imports may take."""

NOT_INHERITED = frozenset({"JPY_PARENT_PID", "JPY_SESSION_NAME", "PYTHONEXECUTABLE"})
"""What would tie a kernel to the notebook that this program may itself run in."""

QUIET = {"PYDEVD_DISABLE_FILE_VALIDATION": "1"}
"""Keeps the debugger's warnings about frozen modules out of the first cell."""


def inherited() -> dict[str, str]:
    """The environment that a kernel starts with."""
    own = {key: value for key, value in os.environ.items() if key not in NOT_INHERITED}
    return {**QUIET, **own}


class Order(msgspec.Struct, frozen=True):
    """What the next fork is to be."""

    options: tuple[str, ...]
    log: str
    env: Mapping[str, str]
    working_dir: str | None
    prefix: str = ""
    """A virtual environment that it moves into; empty stays where the zygote is."""
    ready: bool = False
    """It only stands by, and ends with the daemon."""


class Claimed(msgspec.Struct, frozen=True):
    """What stood by does so no more."""

    claimed: int


class Lesson(msgspec.Struct, frozen=True):
    """It is to learn what takes a kernel long the first time."""

    learns: bool = True


class Forked(msgspec.Struct, frozen=True):
    """A new process, and how its parent will tell that it ended."""

    pid: int
    told: asyncio.Future[Exit]


class _Word(msgspec.Struct):
    """What the program says: one of these at a time."""

    ready: bool = False
    unfit: str = ""
    error: str = ""
    pid: int = 0
    ended: int = 0
    status: int = 0


class ZygoteLostError(Exception):
    """It cannot fork, now or any more; the caller starts a process in the ordinary way."""


class Zygote:
    """One such process of one interpreter; make it with `begin`."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.ready = False
        self._process = process
        self._reader = reader
        self._writer = writer
        self._asked: deque[asyncio.Future[Forked]] = deque()
        self._told: dict[int, asyncio.Future[Exit]] = {}
        self._loop = asyncio.get_running_loop()
        self._up = asyncio.Event()
        self._taught = False
        self._listening = asyncio.create_task(self._listen(), name=f"zygote {process.pid}")

    @classmethod
    async def begin(cls, python: str, log: Path) -> Zygote:
        """Start one of the interpreter `python`; it is of use once `warm` has returned."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.to_thread(_spawn, python, theirs, log)
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        return cls(process, reader, writer)

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    @property
    def lost(self) -> bool:
        """Whether it will never fork again."""
        return self._listening.done()

    async def warm(self) -> bool:
        """Whether it can fork, once it knows."""
        waiting = asyncio.create_task(self._up.wait())
        done = [waiting, self._listening]
        await asyncio.wait(done, timeout=WARM_UP, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        return self.ready and not self.lost

    async def learn(self) -> None:
        """Let it learn, once, what its kernels need not learn then; it cannot fork meanwhile."""
        if self.ready and not self._taught:
            self._taught, self.ready = True, False
            self._up.clear()
            self._say(Lesson())
            await self.warm()

    async def fork(self, order: Order) -> Forked:
        """A new process that becomes what `order` says. Raises `ZygoteLostError`."""
        if self.lost or not self.ready:
            raise ZygoteLostError("it is not up")
        answer: asyncio.Future[Forked] = self._loop.create_future()
        self._asked.append(answer)
        self._say(order)
        try:
            async with asyncio.timeout(PATIENCE):
                return await asyncio.shield(answer)
        except TimeoutError:
            await self.end()
            raise ZygoteLostError("no answer") from None

    def claim(self, pid: int) -> None:
        """That kernel has an owner now, and goes on without the daemon."""
        if not self.lost:
            self._say(Claimed(pid))

    async def end(self) -> None:
        """End it; its kernels go on."""
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)
        self._writer.close()
        self._process.kill()
        await asyncio.to_thread(self._process.wait)

    def _say(self, word: Order | Claimed | Lesson) -> None:
        self._writer.write(msgspec.json.encode(word) + b"\n")

    async def _listen(self) -> None:
        try:
            async for line in self._reader:
                self._hear(msgspec.json.decode(line, type=_Word))
        except (OSError, msgspec.MsgspecError):
            LOGGER.exception("zygote %d", self.pid)
        finally:
            self._give_up("it has ended")

    def _hear(self, word: _Word) -> None:
        if word.unfit:
            LOGGER.warning("kernels are started cold: the zygote has %s", word.unfit)
            self._up.set()
        elif word.ready:
            self.ready = True
            self._up.set()
        elif word.ended:
            told = self._told.pop(word.ended, None)
            if told is not None:
                told.set_result(exit_of(word.status))
        else:
            self._answer(word)

    def _answer(self, word: _Word) -> None:
        answer = self._asked.popleft()
        if answer.done():
            return
        if word.error:
            answer.set_exception(ZygoteLostError(word.error))
            return
        told = self._told[word.pid] = self._loop.create_future()
        answer.set_result(Forked(word.pid, told))

    def _give_up(self, why: str) -> None:
        """Nothing more will be heard: neither pids nor ends."""
        self.ready = False
        for answer in self._asked:
            if not answer.done():
                answer.set_exception(ZygoteLostError(why))
        self._asked.clear()
        for told in self._told.values():
            told.set_result(UNSEEN)
        self._told.clear()


def _spawn(python: str, channel: socket.socket, log: Path) -> subprocess.Popen[bytes]:
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with log.open("wb") as output:
        return subprocess.Popen(
            [python, str(PROGRAM)],
            stdin=channel.fileno(),
            stdout=output,
            stderr=output,
            env=inherited(),
            start_new_session=True,
        )
