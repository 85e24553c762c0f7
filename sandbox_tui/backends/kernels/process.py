"""The operating-system process of a kernel: watched, signalled and ended as a group.

A kernel outlives the program that launched it, so it may be a child or not. A pidfd tells the end
of both at once and without polling; only of a child can the exit code be known.
"""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import NamedTuple, Protocol

GRACE = 0.3
"""Seconds between SIGTERM and SIGKILL."""

_LOOK = 0.005
"""Seconds between two looks at what is left of a group."""

_LAST = 5.0
"""Longest wait for what was killed to be gone, in seconds."""


class Exit(NamedTuple):
    """How a process ended; the code is a shell's: 128 and the signal's number for a signal."""

    code: int | None
    reason: str


UNSEEN = Exit(None, "nobody was there to see how it ended")

HEARSAY = 0.5
"""Seconds in which a parent that is not this program tells how its child ended."""


class Life(Protocol):
    """What runs a kernel, wherever it does: it ends, or is ended."""

    ended: asyncio.Future[Exit]

    def signal(self, number: signal.Signals) -> None:
        """Pass a signal on, as far as that is possible there."""
        ...

    async def pause(self) -> None:
        """Use nothing but memory until it is resumed, where that can be had."""
        ...

    async def resume(self) -> None:
        """Go on. Raises `SandboxError`s."""
        ...

    async def end(self, grace: float = GRACE) -> None:
        """Ask it to end, and make sure after `grace` seconds."""
        ...

    def release(self) -> None:
        """Stop watching; it goes on."""
        ...


class KernelProcess:
    """A process that leads its own session; make it on the loop that is to watch it.

    Of one that is not this program's child, `told` is how its parent says that it ended.
    """

    def __init__(self, pid: int, told: asyncio.Future[Exit] | None = None) -> None:
        self.pid = pid
        self._told = told
        self._loop = asyncio.get_running_loop()
        self._fd = os.pidfd_open(pid)
        self.ended: asyncio.Future[Exit] = self._loop.create_future()
        self._loop.add_reader(self._fd, self._reap)

    async def gone(self, timeout: float) -> bool:
        """Whether it has ended, waiting for that at most `timeout` seconds."""
        await asyncio.wait([self.ended], timeout=timeout)
        return self.ended.done()

    def signal(self, number: signal.Signals) -> None:
        """Signal the whole group; one that is gone is no error."""
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            pass  # nobody left, or only what gave up our user: neither can be helped

    async def pause(self) -> None:
        """Nothing: one that waits for messages needs no processor."""

    async def resume(self) -> None:
        """Nothing: it was never frozen."""

    async def end(self, grace: float = GRACE) -> None:
        """SIGTERM to the group, SIGKILL to what is left of it after `grace` seconds."""
        if self.ended.done():
            return
        if grace > 0:
            self.signal(signal.SIGTERM)
            await self._group_gone(grace)
        self.signal(signal.SIGKILL)
        await self.gone(_LAST)

    def release(self) -> None:
        """Stop watching; the process goes on."""
        if not self.ended.done():
            self.ended.cancel()
            self._unwatch()

    async def _group_gone(self, timeout: float) -> None:
        """Wait for the leader, and for the rest of the group by looking: nothing tells its end."""
        until = self._loop.time() + timeout
        await self.gone(timeout)
        for _ in range(int(timeout / _LOOK)):
            if not self._group_lives() or self._loop.time() > until:
                return
            await asyncio.sleep(_LOOK)

    def _group_lives(self) -> bool:
        try:
            os.killpg(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True

    def _reap(self) -> None:
        exit_ = _wait(self._fd)
        self._unwatch()
        if exit_ is UNSEEN and self._told is not None:
            self._told.add_done_callback(lambda told: self._end(told.result()))
            self._loop.call_later(HEARSAY, self._end, UNSEEN)
        else:
            self._end(exit_)

    def _end(self, exit_: Exit) -> None:
        if not self.ended.done():
            self.ended.set_result(exit_)

    def _unwatch(self) -> None:
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1


def _wait(pidfd: int) -> Exit:
    try:
        info = os.waitid(os.P_PIDFD, pidfd, os.WEXITED | os.WNOHANG)
    except ChildProcessError:
        return UNSEEN
    if info is None:
        return UNSEEN
    ended = exited if info.si_code == os.CLD_EXITED else killed
    return ended(info.si_status)


def exit_of(status: int) -> Exit:
    """An exit from the status that `waitpid` gives."""
    if os.WIFSIGNALED(status):
        return killed(os.WTERMSIG(status))
    return exited(os.WEXITSTATUS(status))


def exited(code: int) -> Exit:
    """An end by an exit code."""
    return Exit(code, f"exit code {code}")


def killed(number: int) -> Exit:
    """An end by a signal."""
    name = signal.strsignal(number) or "unknown"
    return Exit(128 + number, f"signal {number} ({name})")


class Stat(NamedTuple):
    """What `/proc/PID/stat` tells; times in clock ticks, memory in pages."""

    pid: int
    parent: int
    state: str
    started: int
    cpu: int
    resident: int


def stat(pid: int) -> Stat | None:
    """The process as the kernel of the system sees it now; `None` when it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rpartition(")")[2].split()
    cpu = int(fields[11]) + int(fields[12])
    return Stat(pid, int(fields[1]), fields[0], int(fields[19]), cpu, int(fields[21]))


def lives(pid: int, started: int) -> bool:
    """Whether that very process (pids are used again) still runs."""
    found = stat(pid)
    return found is not None and found.started == started and found.state != "Z"
