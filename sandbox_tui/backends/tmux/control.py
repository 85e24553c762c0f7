"""One control-mode client: questions in, answers in order, and a call when something changed.

The client is a guest on the user's server. It asks for no output of panes, counts for no window's
size, takes no session's environment over and only ever looks; what changes something is done by
processes of their own. It reads all that comes, at once: a client that does not can cost a server
its life, and so can the binary protocol spoken badly, which is why the `tmux` program speaks it.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from sandbox_tui.backends.tmux.child import Child, start
from sandbox_tui.backends.tmux.wire import GarbledError, Notice, Reply, Wire, Words, line_of

FLAGS = "no-output,ignore-size,read-only"
"""How the client attaches; without `no-output` a stuck reader endangers the server."""

ATTACH = ("attach-session", "-E", "-f", FLAGS, "-t")

TELLING = frozenset(
    {
        "client-detached",
        "client-session-changed",
        "layout-change",
        "session-renamed",
        "session-window-changed",
        "sessions-changed",
        "unlinked-window-add",
        "unlinked-window-close",
        "unlinked-window-renamed",
        "window-add",
        "window-close",
        "window-pane-changed",
        "window-renamed",
    }
)
"""The notices after which a listing tells something new."""

_FAREWELL = 1.0
"""Longest wait for the client to leave by itself, in seconds."""


class ChannelLostError(Exception):
    """The control client is gone; `stuck` when it was there and did not answer."""

    def __init__(self, reason: str, *, stuck: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.stuck = stuck


class _Question:
    """Some lines that were sent, and the answers so far."""

    __slots__ = ("answer", "replies", "wanted")

    def __init__(self, wanted: int, answer: asyncio.Future[list[Reply]]) -> None:
        self.wanted = wanted
        self.replies: list[Reply] = []
        self.answer = answer

    def take(self, reply: Reply) -> bool:
        """Keep an answer; whether it was the last one."""
        self.replies.append(reply)
        if len(self.replies) < self.wanted:
            return False
        if not self.answer.done():
            self.answer.set_result(self.replies)
        return True


class Channel(Child):
    """The process and both ends of its conversation. `changed` is called on the loop."""

    def __init__(self, changed: Callable[[], None]) -> None:
        super().__init__()
        self.born = time.monotonic()
        self._changed = changed
        self._wire = Wire()
        self._questions: deque[_Question] = deque()
        self._greeting: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._lost: ChannelLostError | None = None

    @property
    def is_open(self) -> bool:
        """Whether it can still be asked."""
        return self._lost is None

    async def ask(self, commands: Sequence[Words], timeout: float) -> list[Reply]:
        """One reply per command, all of one moment. Raises `ChannelLostError`."""
        if self._lost is not None or self._stdin is None:
            raise self._lost or ChannelLostError("it is not connected")
        question = _Question(len(commands), asyncio.get_running_loop().create_future())
        self._questions.append(question)
        lines = "".join(f"{line_of(command)}\n" for command in commands)
        self._stdin.write(lines.encode())
        try:
            async with asyncio.timeout(timeout):
                return await question.answer
        except TimeoutError:
            self.lose(f"no answer within {timeout:g} s", stuck=True)
            raise ChannelLostError(f"no answer within {timeout:g} s", stuck=True) from None

    async def greeted(self, timeout: float) -> None:
        """Return when the client has attached. Raises `ChannelLostError` when it could not."""
        try:
            async with asyncio.timeout(timeout):
                greeting = await asyncio.shield(self._greeting)
        except TimeoutError:
            raise ChannelLostError(f"no answer within {timeout:g} s", stuck=True) from None
        if not greeting.ok:
            raise ChannelLostError(greeting.text)

    def lose(self, reason: str, *, stuck: bool = False) -> None:
        """Give it up; whoever waits for an answer is told why, a stuck process is killed."""
        if stuck:
            self.kill()
        if self._lost is not None:
            return
        self._lost = ChannelLostError(reason, stuck=stuck)
        while self._questions:
            _fail(self._questions.popleft().answer, self._lost)
        if self._stdin is not None:
            self._stdin.close()
        if self._greeting.done():
            self._changed()
        else:
            _fail(self._greeting, self._lost)

    async def aclose(self) -> None:
        """Leave politely, or else at once; return when the process is gone."""
        self._changed = _nobody_listens
        self.lose("it was closed")
        await self.gone(_FAREWELL)
        self.kill()
        await self.gone(_FAREWELL)

    def heard(self, data: bytes) -> None:
        """Take its words apart."""
        try:
            for item in self._wire.feed(data):
                self._take(item)
        except GarbledError as error:
            self.lose(f"garbled: {error}", stuck=True)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:  # noqa: ARG002
        """It will say no more."""
        if fd == 1:
            self.lose(self.complaint or "it ended")

    def _take(self, item: Reply | Notice) -> None:
        if isinstance(item, Notice):
            if item.name in TELLING:
                self._changed()
        elif not item.asked:
            if not self._greeting.done():
                self._greeting.set_result(item)
        elif self._questions and self._questions[0].take(item):
            self._questions.popleft()


async def open_channel(
    program: Sequence[str],
    session: str,
    changed: Callable[[], None],
    *,
    environment: Mapping[str, str],
    timeout: float,
) -> Channel:
    """Attach to the session with that id. Raises `ChannelLostError`, `FileNotFoundError`."""
    argv = (*program, "-C", *ATTACH, session)
    channel = await start(Channel(changed), argv, environment)
    try:
        await channel.greeted(timeout)
    except BaseException:
        channel.lose("it never came", stuck=True)
        await channel.aclose()
        raise
    return channel


def _fail(future: asyncio.Future[list[Reply]] | asyncio.Future[Reply], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
        future.exception()  # nobody may be waiting: then nobody has to be told


def _nobody_listens() -> None:
    pass
