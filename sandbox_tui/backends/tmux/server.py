"""One tmux server as seen from here: absent, spoken to by a control client, or by processes.

The control client is the cheap way and the ordinary one. A server that is not there is asked by
connecting to its socket, which forks nothing. When control mode cannot be had or does not answer,
each request is one process, and control mode is tried again later.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import time
from collections.abc import Callable, Generator, Sequence
from typing import NamedTuple

from sandbox_tui.backends.tmux import oneshot, sockets
from sandbox_tui.backends.tmux.control import Channel, ChannelLostError, open_channel
from sandbox_tui.backends.tmux.lifeline import Lifeline
from sandbox_tui.backends.tmux.patience import Patience
from sandbox_tui.backends.tmux.wire import Reply, Words
from sandbox_tui.model.errors import BackendUnavailableError, ToolMissingError
from sandbox_tui.model.refs import Place

DEADLINE = 2.0
"""How long one request may take, in seconds."""

_VERSION = re.compile(r"(?:next-)?(\d+)\.(\d+)[a-z]*(?:-rc\d*)?")
_HOSTS = "#{session_id} #{session_attached} #{session_activity} #{destroy-unattached} #{version}"


class _Host(NamedTuple):
    """A session that the control client could be a guest of."""

    session: str
    attached: int
    activity: int
    lasts: bool
    """Whether it goes on when its last client leaves, whoever that is."""
    version: str


class Server:
    """The one door to one tmux server."""

    def __init__(self, place: Place, binary: str) -> None:
        self.place = place
        self.binary = binary
        self.path = sockets.path_of(place.where)
        self.program = (binary, *sockets.arguments(place.where))
        self.version = ""
        self.trouble = ""
        """Why control mode is not used, while it is not."""
        self._channel: Channel | None = None
        self._opening = asyncio.Lock()
        self._patience = Patience()
        self._lifeline = Lifeline()
        self._installed = False
        self.is_empty = False
        """Whether there is a server, with no session in it."""
        self._changed: Callable[[], None] = _nobody_listens

    @property
    def environment(self) -> dict[str, str]:
        """This program's own, without the tmux that it may itself run in."""
        return {k: v for k, v in os.environ.items() if k not in ("TMUX", "TMUX_PANE")}

    @property
    def _quietly(self) -> tuple[str, ...]:
        """The program for our own ears: it speaks UTF-8 and starts no server."""
        return (*self.program, "-u", "-N")

    @property
    def is_cheap(self) -> bool:
        """Whether looking forks nothing, so that it may be done many times a second."""
        return self._channel is not None and self._channel.is_open

    @property
    def detail(self) -> str:
        """What there is to say about its health."""
        if not self.version:
            return "no session yet" if self.is_empty else "no server yet"
        how = f"one process per poll ({self.trouble})" if self.trouble else "control mode"
        return f"{self.version} · {how}"

    def is_at_least(self, major: int, minor: int) -> bool:
        """Whether the server's version is that or later; a `next-3.8` counts as 3.8."""
        match = _VERSION.fullmatch(self.version)
        return match is not None and (int(match[1]), int(match[2])) >= (major, minor)

    def listen(self, changed: Callable[[], None]) -> None:
        """Have `changed` called, on the loop, when a listing would tell something new."""
        self._changed = changed

    def changed(self) -> None:
        """A listing would tell something new, by what was heard or by what was done here."""
        self._changed()

    async def ask(self, *commands: Words) -> list[Reply] | None:
        """One reply per command that only looks; `None` when there is no session to look at.

        Raises `BackendUnavailableError`.
        """
        if not commands:
            return []
        for _ in range(2):
            channel = await self._open_channel()
            if channel is None:
                break
            try:
                return await channel.ask(commands, DEADLINE)
            except ChannelLostError as lost:
                await self._let_go(channel, lost)
        if not self._is_there():
            await self._forget()
        elif not self.is_empty:
            replies = await self._look(*commands)
            if replies[0].ok or await self._quietest_host() is not None:
                return replies
        return None

    async def do(self, *commands: Words, typed: bytes = b"") -> oneshot.Finished:
        """Change something: a process of its own, which starts no server."""
        argv = (*self._quietly, *oneshot.joined(commands))
        return await self._run(argv, typed)

    async def aclose(self) -> None:
        """Leave; the server and everything in it goes on."""
        self._changed = _nobody_listens
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.aclose()

    # --- the control client -------------------------------------------------------------------

    async def _open_channel(self) -> Channel | None:
        """The channel that there is, or a new one; `None` when there can be none now."""
        async with self._opening:
            if self._channel is not None and self._channel.is_open:
                return self._channel
            if self._channel is not None:
                await self._let_go(self._channel, ChannelLostError("it ended"))
            if self._is_there() and self._patience.allows(time.monotonic()):
                self._channel = await self._attach()
            return self._channel

    async def _attach(self) -> Channel | None:
        """A new client on the quietest session, if there is any and it works."""
        host = await self._quietest_host()
        self.is_empty = host is None
        if host is None:
            self.version = ""
            return None
        self.version = host.version
        try:
            channel = await self._attach_to(host)
        except ChannelLostError as lost:
            self._give_up(lost.reason)
            return None
        self.trouble = ""
        return channel

    async def _attach_to(self, host: _Host) -> Channel:
        if not host.lasts:
            raise ChannelLostError("destroy-unattached is on")
        with self._translated():
            return await open_channel(
                (*await self._lifeline.words(self.environment), *self._quietly),
                host.session,
                self.changed,
                environment=self.environment,
                timeout=DEADLINE,
            )

    async def _quietest_host(self) -> _Host | None:
        """The session where one more client is noticed least.

        Where somebody is already, nothing looks different for one more. Among the rest it is the
        one that was left alone longest: a plain `tmux attach` goes to the latest. A session that
        ends with its last client would wrongly outlive the user's.
        """
        replies = await self._look(("list-sessions", "-F", _HOSTS))
        hosts = [_host(line) for line in replies[0].text.splitlines()] if replies[0].ok else []
        return min(hosts, default=None, key=lambda h: (not h.lasts, not h.attached, h.activity))

    async def _let_go(self, channel: Channel, lost: ChannelLostError) -> None:
        """Bury a channel, once. What it died of may count against control mode."""
        if self._channel is channel:
            self._channel = None
            life = time.monotonic() - channel.born
            if lost.stuck or (self._is_there() and not self._patience.outlived(life)):
                self._give_up(lost.reason)
        await channel.aclose()

    def _give_up(self, reason: str) -> None:
        self.trouble = f"control mode: {reason}"
        self._patience.lose(time.monotonic())

    # --- processes ----------------------------------------------------------------------------

    async def _look(self, *commands: Words) -> list[Reply]:
        with self._translated():
            return await oneshot.look(
                self._quietly, commands, environment=self.environment, timeout=DEADLINE
            )

    async def _run(self, argv: Sequence[str], typed: bytes) -> oneshot.Finished:
        with self._translated():
            return await oneshot.run(
                argv, environment=self.environment, timeout=DEADLINE, typed=typed
            )

    @contextlib.contextmanager
    def _translated(self) -> Generator[None]:
        """The door for what running a process can raise."""
        try:
            yield
        except TimeoutError:
            reason = f"no answer within {DEADLINE:g} s on {self.path}"
            raise BackendUnavailableError(str(self.place), reason) from None
        except FileNotFoundError:
            raise self.missing() from None
        except OSError as error:
            raise BackendUnavailableError(str(self.place), f"{self.binary}: {error}") from error

    def missing(self) -> ToolMissingError:
        """The error for a tmux that is not installed."""
        return ToolMissingError(str(self.place), self.binary, install="apt install tmux")

    def _is_there(self) -> bool:
        """Whether a server listens. Raises `BackendUnavailableError` when that cannot be told."""
        try:
            return sockets.listens(self.path)
        except OSError as error:
            reason = f"{self.path}: {error.strerror or error}"
            hint = f"Look who owns it: ls -l {self.path}"
            raise BackendUnavailableError(str(self.place), reason, hint=hint) from error

    async def _forget(self) -> None:
        """There is no server: nothing that was known of it holds for the next one."""
        self.version = self.trouble = ""
        self.is_empty = False
        self._patience = Patience()
        if not self._installed:
            import shutil  # takes longer to load than a server takes to answer

            self._installed = await asyncio.to_thread(shutil.which, self.binary) is not None
        if not self._installed:
            raise self.missing()


def _host(line: str) -> _Host:
    session, attached, activity, destroy, version = line.split(" ", 4)
    return _Host(session, int(attached), int(activity), destroy in ("0", "off"), version)


def _nobody_listens() -> None:
    pass
