"""Begin the daemon, once: whoever needs it first starts it, and everybody meets the same one."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from sandbox_tui.api.daemon_home import SOCKET_VARIABLES, DaemonHome
from sandbox_tui.model.errors import DaemonUnavailableError
from sandbox_tui.runtime.link import Link

COMMAND = (sys.executable, "-m", "sandbox_tui.server.daemon")
"""The daemon's program; with `--foreground` it also tells the terminal what it does."""

DEADLINE = 20.0
"""Seconds in which a daemon must answer; a cold start on a busy machine takes one or two."""

PAUSE = 0.02
"""Seconds between two looks for its socket."""

_LOG_TAIL = 2000


async def launch(home: DaemonHome) -> Link:
    """A connection to the daemon of `home`, which is started when there is none.

    Of several starters at once one wins and all are connected to its daemon. Raises
    `DaemonUnavailableError` with the end of the daemon's log when it does not come up.
    """
    deadline = time.monotonic() + DEADLINE
    starter: _Starter | None = None
    winner = 0
    try:
        while (link := await Link.open(home.socket)) is None:
            if starter is None or starter.yielded:
                starter = await asyncio.to_thread(_Starter, home)
            if starter.failed or time.monotonic() > deadline:
                raise DaemonUnavailableError(f"the daemon did not start{await starter.words()}")
            await asyncio.sleep(PAUSE)
        winner = link.theirs.pid
        return link
    finally:
        if starter is not None:
            starter.call_off_unless(winner)


class _Starter:
    """One attempt: a process of its own session, and a thread that waits for its end.

    The thread keeps it from becoming a zombie while this program lives on.
    """

    def __init__(self, home: DaemonHome) -> None:
        home.make_state()
        self._log = home.log
        with home.log.open("ab") as log:
            self._said_before = log.tell()
            self._process = subprocess.Popen(
                COMMAND,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env={**os.environ, SOCKET_VARIABLES[0]: str(home.socket)},
                start_new_session=True,
            )
        threading.Thread(target=self._process.wait, name="daemon reaper", daemon=True).start()

    @property
    def failed(self) -> bool:
        """Whether it ended with an error."""
        return bool(self._process.returncode)

    @property
    def yielded(self) -> bool:
        """Whether it ended because another one was there first; that one may be ending, too."""
        return self._process.returncode == 0

    def call_off_unless(self, pid: int) -> None:
        """End this attempt if another one won: it must not take over when that one is stopped.

        Killed, not asked: should it be the daemon by now, then its kernels live on.
        """
        if self._process.pid != pid:
            self._process.kill()

    async def words(self) -> str:
        """What it said in the log, to be put behind a sentence."""
        text = await asyncio.to_thread(_tail, self._log, self._said_before)
        return f":\n{text}" if text else f"; see {self._log}"


def _tail(log: Path, start: int) -> str:
    with log.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(max(0, min(start, end), end - _LOG_TAIL))
        return file.read().decode(errors="replace").strip()
