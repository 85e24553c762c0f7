"""A program in a terminal of its own: keys in, and the moment when something is on the screen.

There is no emulator behind it. What a program sends is stripped of its escape sequences and
searched; that is enough for words, and costs so little that it does not disturb what is measured.
Times are `time.time()`, the clock that engines stamp their events with.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_MOVES = re.compile(r"\x1b\[[0-9;]*[HfABEF]|\r\n?")
_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC
    r"|\x1b[PX^_][^\x1b]*\x1b\\"  # DCS and its like
    r"|\x1b[ -/]*[0-~]"
)


class Terminal:
    """One running program; see the module."""

    def __init__(self, argv: Sequence[str], *, columns: int = 120, rows: int = 40) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._received = bytearray()
        self._came = threading.Condition(threading.RLock())
        self._arrived_at = 0.0
        self.bytes_sent = 0
        self.started_at = time.time()
        self.process = subprocess.Popen(
            argv,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            # Its own terminal, or closing it would not tell the program. One system call.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509
        )
        os.close(slave)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Of the program."""
        return self.process.pid

    def press(self, keys: str) -> float:
        """Type; answers with the time."""
        now = time.time()
        os.write(self._master, keys.encode())
        return now

    def forget(self) -> None:
        """Look only at what comes from now on."""
        with self._came:
            self._received.clear()

    def text(self) -> str:
        """Everything since the last `forget`, without escapes; each new place begins a line."""
        with self._came:
            raw = self._received.decode(errors="replace")
        return _ESCAPES.sub("", _MOVES.sub("\n", raw))

    def wait_for(self, *patterns: str, timeout: float = 10.0) -> tuple[float, re.Match[str]]:
        """When all patterns had come, and the match of the last. Raises `TimeoutError`."""
        deadline = time.monotonic() + timeout
        with self._came:
            while not all(found := [re.search(pattern, self.text()) for pattern in patterns]):
                left = deadline - time.monotonic()
                if left <= 0 or not self._came.wait(left):
                    raise TimeoutError(
                        f"{patterns} not within {timeout:g} s: {self.text()[-2000:]}"
                    )
            return self._arrived_at, found[-1]  # type: ignore[return-value]  # all() said it matches

    def end(self) -> None:
        """Close the terminal, as a person closes a window; the program must end of it."""
        os.close(self._master)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def _read(self) -> None:
        while chunk := self._chunk():
            now = time.time()
            with self._came:
                self._received += chunk
                self.bytes_sent += len(chunk)
                self._arrived_at = now
                self._came.notify_all()

    def _chunk(self) -> bytes:
        try:
            return os.read(self._master, 65536)
        except OSError:
            return b""


@contextmanager
def terminal(*argv: str, columns: int = 120, rows: int = 40) -> Iterator[Terminal]:
    """A program in a terminal, for as long as the block lasts."""
    running = Terminal(argv, columns=columns, rows=rows)
    try:
        yield running
    finally:
        running.end()
