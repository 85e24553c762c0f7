"""A person at a terminal, for tests of programs that need one."""

from __future__ import annotations

import os
import re
import signal
import termios
import threading
from collections.abc import Mapping

from sandbox_tui.runtime.child import Child
from tests.support import PATIENCE, TmuxServer, retry_until


class Person:
    """Sits at a terminal in which a program runs, types and reads."""

    def __init__(
        self, *argv: str, env: Mapping[str, str] | None = None, width: int = 80, height: int = 24
    ) -> None:
        self.seen = ""
        self.ended = threading.Event()
        self.child = Child(argv, {**os.environ, **(env or {})}, (width, height), self.ended.set)

    def __enter__(self) -> Person:
        return self

    def __exit__(self, *_: object) -> None:
        if not self.ended.is_set():
            self.child.signal(signal.SIGKILL)
            assert self.ended.wait(5)
        self.child.close()

    def types(self, keys: bytes | str) -> None:
        """Press these keys."""
        os.write(self.child.fd, keys.encode() if isinstance(keys, str) else keys)

    def leaves(self, server: TmuxServer) -> None:
        """Press tmux's own keys for leaving a session of `server`.

        The second waits until the first was taken: keys less than a millisecond apart are pasted
        text to tmux (``assume-paste-time``), and bind nothing.
        """
        self.types(b"\x02")
        retry_until(lambda: "1" in server.run("list-clients", "-F", "#{client_prefix}").split())
        self.types(b"d")

    def read(self) -> str:
        """Everything the program has written so far."""
        try:
            while data := os.read(self.child.fd, 1 << 20):
                self.seen += data.decode(errors="replace")
        except (BlockingIOError, OSError):
            pass
        return self.seen

    def sees(self, pattern: str, timeout: float = PATIENCE) -> re.Match[str]:
        """Wait until `pattern` is in what the program has written."""
        what = f"{pattern!r} in what the terminal shows"
        match = retry_until(lambda: re.search(pattern, self.read()), timeout, what)
        assert match is not None
        return match

    def waits_for_raw_keys(self) -> None:
        """Wait until the program gets every key as it is, and none is a signal any more."""
        mode = "raw mode"
        retry_until(lambda: not termios.tcgetattr(self.child.fd)[3] & termios.ISIG, 10, mode)

    def sees_the_end(self, timeout: float = PATIENCE) -> int:
        """Wait until the program has ended; its exit code, negative for a signal."""
        retry_until(lambda: (self.read(), self.ended.is_set())[1], timeout, "the program's end")
        self.read()
        assert self.child.wait_status is not None
        return os.waitstatus_to_exitcode(self.child.wait_status)
