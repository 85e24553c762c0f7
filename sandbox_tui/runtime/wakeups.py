"""One pipe that interrupts a wait: for signals to this process and for the end of a child."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Generator
from types import FrameType

ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


class Wakeups:
    """`reader` becomes readable when something happened; `ending` is the signal to end by."""

    def __init__(self) -> None:
        self.reader, self._writer = os.pipe()
        os.set_blocking(self.reader, False)
        os.set_blocking(self._writer, False)
        self.ending: int | None = None
        self.hears_signals = False
        self._open = True
        self._lock = threading.Lock()

    def wake(self) -> None:
        """Make `reader` readable. Safe from any thread, and after the end."""
        with self._lock:
            if self._open:
                self._write()

    def drain(self) -> None:
        """Make `reader` unreadable until the next wake."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.reader, 4096)

    def close(self) -> None:
        """Let go of the pipe."""
        with self._lock:
            self._open = False
            os.close(self.reader)
            os.close(self._writer)

    def heard(self, signum: int, frame: FrameType | None) -> None:
        """Note a signal. Runs between any two steps of the main thread, so it takes no lock."""
        del frame
        if signum in ENDING:
            self.ending = signum
        self._write()

    def _write(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(self._writer, b"!")


@contextlib.contextmanager
def wakeups() -> Generator[Wakeups]:
    """Wakeups that hear this process's signals, when this is the thread that may listen.

    A signal to end is acted on when the block has ended and everything is put back.
    """
    pipe = Wakeups()
    try:
        if threading.current_thread() is threading.main_thread():
            with _heard(pipe):
                yield pipe
        else:
            yield pipe
    finally:
        pipe.close()
    if pipe.ending is not None:
        os.kill(os.getpid(), pipe.ending)


@contextlib.contextmanager
def _heard(pipe: Wakeups) -> Generator[None]:
    before = {signum: signal.signal(signum, pipe.heard) for signum in (signal.SIGWINCH, *ENDING)}
    before[signal.SIGTSTP] = signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    pipe.hears_signals = True
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
