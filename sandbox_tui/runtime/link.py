"""A client's side of the stream: questions out, answers in, each to whoever waits for it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
from collections.abc import AsyncGenerator, Callable, Generator
from pathlib import Path
from typing import TypeVar

import msgspec

import sandbox_tui
from sandbox_tui.model.codec import from_msgpack, to_msgpack
from sandbox_tui.model.errors import (
    DaemonUnavailableError,
    DaemonVersionError,
    SandboxError,
)
from sandbox_tui.runtime.faults import Fault, error_of, fault_of
from sandbox_tui.runtime.peer import peer_of
from sandbox_tui.runtime.wire import (
    CHUNK,
    PROTOCOL,
    Ask,
    Channel,
    Done,
    Drop,
    Failed,
    Goodbye,
    Hello,
    HungUpError,
    MalformedError,
    Next,
    Part,
    Ping,
    ToClient,
    client_channel,
)

T = TypeVar("T")

GREETING = 5.0
"""Seconds in which whoever listens must say who it is."""

BEAT = 2.0
"""Seconds between two looks whether the other end is still there."""

LIVES = 3
"""Beats in a row without a sign of life, after which the other end counts as gone."""

Answer = Part | Done | Failed


class Link:
    """A connection to a server. When it is lost, everybody who waits gets the reason."""

    def __init__(self, channel: Channel[ToClient], theirs: Hello) -> None:
        self.theirs = theirs
        self._channel = channel
        self._lost: Fault | None = None
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._silence = 0
        self._tasks = (
            asyncio.create_task(self._listen(), name="link"),
            asyncio.create_task(self._beat(), name="link beat"),
        )

    @classmethod
    async def open(cls, path: Path) -> Link | None:
        """Connect to the socket at `path`; `None` when nobody listens there, or no longer.

        Raises `DaemonVersionError`, or `DaemonUnavailableError` when whoever listens belongs to
        another user, is something else, or does not answer.
        """
        try:
            reader, writer = await asyncio.open_unix_connection(path, limit=2 * CHUNK)
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        except OSError as error:
            raise DaemonUnavailableError(f"{path}: {error.strerror or error}") from None
        channel = client_channel(reader, writer)
        try:
            _check_peer(writer, path)
            return cls(channel, await _greet(channel, path))
        except HungUpError:
            await channel.close()
            return None
        except BaseException:
            await channel.close()
            raise

    @property
    def lost(self) -> SandboxError | None:
        """Why this link is of no more use; `None` while it is."""
        return error_of(self._lost) if self._lost else None

    async def ask(self, request: object, wanted: type[T]) -> T:
        """Ask and wait for the one answer. Raises `SandboxError`, whatever went wrong there."""
        with self._conversation() as number:
            answer = await self._exchange(Ask(number, to_msgpack(request)))
            return _read(answer.body, wanted)

    async def stream(self, request: object, wanted: type[T]) -> AsyncGenerator[T]:
        """Ask, and for each further answer ask again; each is as new as can be."""
        with self._conversation() as number:
            answer = await self._exchange(Ask(number, to_msgpack(request)))
            while isinstance(answer, Part):
                yield _read(answer.body, wanted)
                answer = await self._exchange(Next(number))

    def tell(self, request: object, refused: Callable[[SandboxError], None]) -> None:
        """Ask without waiting: it is on its way, before whatever is asked later.

        `refused` is called when it fails there; nobody is told when it does not.
        """
        if self._lost:
            raise error_of(self._lost)
        number = next(self._ids)
        waiting: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[number] = waiting
        waiting.add_done_callback(lambda done: self._told(number, done.result(), refused))
        self._channel.post_long(Ask(number, to_msgpack(request)))

    def lose(self, error: SandboxError) -> None:
        """It is of no more use; the first reason decides."""
        if self._lost is not None:
            return
        self._lost = fault_of(error)
        for conversation, waiting in self._waiting.items():
            if not waiting.done():
                waiting.set_result(Failed(conversation, self._lost))
        self._channel.hang_up()  # also when nobody closes what is lost

    async def close(self) -> None:
        """Hang up; everybody who waits is told so."""
        self.lose(DaemonUnavailableError("this program closed the connection"))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._channel.close()

    @contextlib.contextmanager
    def _conversation(self) -> Generator[int]:
        """A new number; whoever leaves before the end says so."""
        number = next(self._ids)
        try:
            yield number
        except (asyncio.CancelledError, GeneratorExit):
            self._post(Drop(number))
            raise

    def _told(self, number: int, answer: Answer, refused: Callable[[SandboxError], None]) -> None:
        del self._waiting[number]
        if isinstance(answer, Failed):
            refused(error_of(answer.fault))

    async def _exchange(self, question: Ask | Next) -> Part | Done:
        if self._lost:
            raise error_of(self._lost)
        waiting = asyncio.get_running_loop().create_future()
        self._waiting[question.id] = waiting
        try:
            await self._say(question)
            answer: Answer = await waiting
        finally:
            del self._waiting[question.id]
        if isinstance(answer, Failed):
            raise error_of(answer.fault)
        return answer

    async def _say(self, question: Ask | Next) -> None:
        try:
            if isinstance(question, Ask):
                await self._channel.send(question)
            else:
                self._channel.post(question)
        except HungUpError:
            self.lose(DaemonUnavailableError("the daemon closed the connection"))

    def _post(self, message: Drop | Ping) -> None:
        if self._lost is None:
            self._channel.post(message)

    async def _listen(self) -> None:
        try:
            while True:
                self._hear(await self._channel.receive())
        except HungUpError:
            self.lose(DaemonUnavailableError("the daemon closed the connection"))
        except MalformedError as error:
            self.lose(DaemonUnavailableError(f"the daemon's answer makes no sense: {error}"))

    def _hear(self, message: ToClient) -> None:
        self._silence = 0
        if isinstance(message, Part | Done | Failed):
            waiting = self._waiting.get(message.id)
            if waiting is not None and not waiting.done():
                waiting.set_result(message)
        elif isinstance(message, Goodbye):
            self.lose(error_of(message.fault))

    async def _beat(self) -> None:
        """Ask for a sign of life when there was none; a hung server must not hang its clients.

        Beats are counted, not seconds: a program that was itself asleep judges nobody.
        """
        while self._silence < LIVES:
            await asyncio.sleep(BEAT)
            self._silence += 1
            self._post(Ping())
        self.lose(DaemonUnavailableError(f"the daemon did not answer for {BEAT * LIVES:g} s"))


def _check_peer(writer: asyncio.StreamWriter, path: Path) -> None:
    peer = peer_of(writer.get_extra_info("socket"))
    if peer is not None and not peer.is_me:
        raise DaemonUnavailableError(f"{path} belongs to user {peer.uid}, not to you")


async def _greet(channel: Channel[ToClient], path: Path) -> Hello:
    channel.post(Hello(PROTOCOL, sandbox_tui.__version__, os.getpid()))
    try:
        async with asyncio.timeout(GREETING):
            hello = await channel.receive()
    except TimeoutError:
        raise DaemonUnavailableError(f"no answer within {GREETING:g} s") from None
    except MalformedError:
        raise DaemonUnavailableError(f"what listens on {path} is no sandbox-tui daemon") from None
    if isinstance(hello, Goodbye):
        raise error_of(hello.fault)
    if not isinstance(hello, Hello):
        raise DaemonUnavailableError(f"what listens on {path} is no sandbox-tui daemon")
    if hello.protocol != PROTOCOL:
        theirs = f"{hello.version} (protocol {hello.protocol})"
        raise DaemonVersionError(theirs, f"{sandbox_tui.__version__} (protocol {PROTOCOL})")
    return hello


def _read(body: bytes, wanted: type[T]) -> T:
    try:
        return from_msgpack(body, wanted)
    except msgspec.MsgspecError as error:
        raise DaemonUnavailableError(f"the daemon's answer makes no sense: {error}") from None
