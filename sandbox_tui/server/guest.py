"""One connected client: what it asks becomes tasks, what they say goes back on its one stream."""

from __future__ import annotations

import asyncio
import logging
import os

import msgspec

import sandbox_tui
from sandbox_tui.api.base import Api
from sandbox_tui.api.requests import Call, Cancel, Perform, Subscription, read_request
from sandbox_tui.model.codec import to_msgpack
from sandbox_tui.model.errors import DaemonUnavailableError, SandboxError, UsageError
from sandbox_tui.runtime.faults import fault_of
from sandbox_tui.runtime.streams import closing
from sandbox_tui.runtime.wire import (
    MOST_AT_ONCE,
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
    Pong,
    ToServer,
)
from sandbox_tui.server.answers import Answers
from sandbox_tui.server.pages.pages import Pages

GREETING = 5.0
"""Seconds in which a client must say who it is."""

PATIENCE = 1.0
"""Seconds that a last word has to leave."""

log = logging.getLogger(__name__)


class _Conversation:
    """One request under way."""

    def __init__(self, task: asyncio.Task[None], wanted: asyncio.Event, *, outlives: bool) -> None:
        self.task = task
        self.wanted = wanted
        self.outlives = outlives
        """Whether it goes on when the client is gone: an action half done helps nobody."""


class Guest:
    """Serves one client until it hangs up, vanishes, or says what makes no sense."""

    def __init__(self, api: Api, pages: Pages, channel: Channel[ToServer]) -> None:
        self._channel = channel
        self._answers = Answers(api, pages)
        self._talks: dict[int, _Conversation] = {}

    async def serve(self) -> None:
        """Return when the client is gone and what it asked for is done."""
        async with asyncio.TaskGroup() as tasks:
            try:
                await self._greet()
                await self._listen(tasks)
            except HungUpError:
                pass
            except MalformedError as error:
                await self._part_ways(UsageError(f"not of this protocol: {error}"))
            except asyncio.CancelledError:
                await self._part_ways(DaemonUnavailableError("the daemon stopped"))
                raise
            finally:
                self._forget_subscriptions()
                await self._channel.close()

    async def _greet(self) -> None:
        self._channel.post(Hello(PROTOCOL, sandbox_tui.__version__, os.getpid()))
        try:
            async with asyncio.timeout(GREETING):
                hello = await self._channel.receive()
        except TimeoutError:
            raise MalformedError("no greeting") from None
        if not isinstance(hello, Hello):
            raise MalformedError("no greeting")
        if hello.protocol != PROTOCOL:
            raise MalformedError(f"protocol {hello.protocol} instead of {PROTOCOL}")

    async def _listen(self, tasks: asyncio.TaskGroup) -> None:
        while True:
            match await self._channel.receive():
                case Ask(number, body):
                    self._begin(tasks, number, _request(body))
                    await asyncio.sleep(0)  # it begins before the next one does
                case Next(number) if number in self._talks:
                    self._talks[number].wanted.set()
                case Drop(number) if number in self._talks:
                    self._talks[number].task.cancel()
                case Ping():
                    self._channel.post(Pong())
                case Hello():
                    raise MalformedError("a second greeting")
                case _:
                    pass  # about a conversation that has just ended here
            await self._channel.drain()

    def _begin(self, tasks: asyncio.TaskGroup, number: int, request: Call | Subscription) -> None:
        if number in self._talks:
            raise MalformedError(f"two conversations of number {number}")
        if len(self._talks) >= MOST_AT_ONCE:
            error = UsageError(f"more than {MOST_AT_ONCE} requests at once")
            return self._channel.post(Failed(number, fault_of(error)))
        wanted = asyncio.Event()
        task = tasks.create_task(self._converse(number, request, wanted))
        self._talks[number] = _Conversation(
            task, wanted, outlives=isinstance(request, Perform | Cancel)
        )
        return task.add_done_callback(lambda _: self._talks.pop(number))

    async def _converse(
        self, number: int, request: Call | Subscription, wanted: asyncio.Event
    ) -> None:
        try:
            if isinstance(request, Call):
                body = to_msgpack(await self._answers.answer(request))
            else:
                body = await self._tell(number, request, wanted)
            await self._channel.send(Done(number, body))
        except asyncio.CancelledError:
            self._channel.post(Done(number))  # ends a body that was cut off
            raise
        except HungUpError:
            pass  # nobody is left to be told
        except SandboxError as error:
            self._channel.post(Failed(number, fault_of(error)))
        except Exception as error:  # the edge of a worker: a fault in here harms one request
            log.exception("a request failed: %r", request)
            message = f"the daemon failed: {type(error).__name__}: {error}"
            fault = fault_of(SandboxError(message, hint="Read the daemon's log."))
            self._channel.post(Failed(number, fault))

    async def _tell(self, number: int, request: Subscription, wanted: asyncio.Event) -> bytes:
        """One part now and one for each that is asked for; then the empty end."""
        async with closing(self._answers.answers(request)) as answers:
            async for answer in answers:
                await self._channel.send(Part(number, to_msgpack(answer)))
                await wanted.wait()
                wanted.clear()
        return b""

    def _forget_subscriptions(self) -> None:
        for talk in tuple(self._talks.values()):
            if not talk.outlives:
                talk.task.cancel()

    async def _part_ways(self, error: SandboxError) -> None:
        self._channel.post(Goodbye(fault_of(error)))
        await self._channel.close(PATIENCE)


def _request(body: bytes) -> Call | Subscription:
    try:
        return read_request(body)
    except (msgspec.MsgspecError, SandboxError) as error:
        raise MalformedError(str(error)) from None
