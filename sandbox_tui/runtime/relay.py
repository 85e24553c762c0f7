"""Copies bytes between the user's terminal and a child's until one of them is done."""

from __future__ import annotations

import os
import selectors
import signal
import sys
import time

from sandbox_tui.runtime.child import Child, resize, size_of
from sandbox_tui.runtime.leaving import LeaveKey
from sandbox_tui.runtime.modes import Modes
from sandbox_tui.runtime.wakeups import Wakeups

CHUNK = 64 * 1024
MOST_TYPED = 1024 * 1024
"""How much input waits for a program that does not read, in bytes; then typing waits too."""

REMEMBERED = 16
"""How many of the bytes that were typed last are remembered."""

SPLIT = 0.05
"""How long the rest of a key may take that arrives in two pieces, in seconds."""

GLANCE = 0.25
"""Seconds between two looks at the terminal's size where no signal tells of a change."""

LAST_WORDS = 256
"""How many pieces of output are still shown after the end, should others go on writing."""

ESCALATION = ((0.0, signal.SIGHUP), (0.5, signal.SIGTERM), (1.5, signal.SIGKILL))
"""How a program that was left is ended: after so many seconds, this signal."""

PATIENCE = 3.0
"""How long to wait for the end of a program that was left, in seconds."""

# poll() knows no terminals on macOS.
_Selector = selectors.SelectSelector if sys.platform == "darwin" else selectors.PollSelector


class Relay:
    """`run` copies; afterwards `left_by_key` says why it ended and `undo` mends the terminal."""

    def __init__(
        self, child: Child, keyboard: int, screen: int, leave_key: bytes, wakeups: Wakeups
    ) -> None:
        self.left_by_key = False
        self.typed_last = b""
        """The end of what the child was given."""
        self._child = child
        self._keyboard = keyboard
        self._screen = screen
        self._leave = LeaveKey(leave_key)
        self._wakeups = wakeups
        self._modes = Modes()
        self._size = size_of(screen)
        self._typed = bytearray()
        self._child_talks = True
        self._listened = 0.0
        self._ending_since: float | None = None
        self._signals = list(ESCALATION)

    def run(self) -> None:
        """Copy until the child has ended, or does not end although it was left."""
        while self._child.wait_status is None and self._ending_for() < PATIENCE:
            self._step()
        for _ in range(LAST_WORDS):
            if not self._show():
                return

    def undo(self) -> None:
        """Undo what the child did to the terminal."""
        self._print(self._modes.undo())

    def _step(self) -> None:
        ready = self._ready()
        self._wakeups.drain()
        self._fit()
        if self._keyboard in ready:
            self._listen()
        elif time.monotonic() - self._listened > SPLIT:
            self._typed += self._leave.release()
        self._show()
        self._type()
        if self._wakeups.ending is not None:
            self._end()
        self._escalate()

    def _ready(self) -> set[int]:
        """Wait, and say whose turn it is."""
        with _Selector() as selector:
            selector.register(self._wakeups.reader, selectors.EVENT_READ)
            if self._ending_since is None and len(self._typed) < MOST_TYPED:
                selector.register(self._keyboard, selectors.EVENT_READ)
            if self._child_talks:
                writing = selectors.EVENT_WRITE if self._typed else 0
                selector.register(self._child.fd, selectors.EVENT_READ | writing)
            return {key.fd for key, _ in selector.select(self._longest_wait())}

    def _longest_wait(self) -> float | None:
        waits = [SPLIT] if self._leave.held else []
        if not self._wakeups.hears_signals:
            waits.append(GLANCE)
        if self._ending_since is not None:
            due = self._signals[0][0] if self._signals else PATIENCE
            waits.append(max(0.0, due - self._ending_for()))
        return min(waits, default=None)

    def _listen(self) -> None:
        """Take what was typed; a terminal that is gone ends it."""
        self._listened = time.monotonic()
        data = _read(self._keyboard)
        if data == b"":
            self._end()
        typed, self.left_by_key = self._leave.feed(data or b"")
        self._typed += typed
        self.typed_last = (self.typed_last + typed)[-REMEMBERED:]
        if self.left_by_key:
            self._end()

    def _show(self) -> bool:
        """Print a piece of what the child says; False when it says nothing now."""
        data = _read(self._child.fd) if self._child_talks else b""
        if data:
            self._modes.watch(data)
            self._print(data)
        self._child_talks = self._child_talks and data != b""
        return bool(data)

    def _type(self) -> None:
        """Give the child as much of what was typed as it takes."""
        if self._typed and self._child_talks:
            try:
                del self._typed[: os.write(self._child.fd, self._typed[:CHUNK])]
            except OSError:
                return  # it does not read now, or never will: its output says which

    def _print(self, data: bytes) -> None:
        try:
            while data:
                data = data[self._printed(data) :]
        except OSError:
            self._end()

    def _printed(self, data: bytes) -> int:
        """Print some of it; how much. One that others left non-blocking is waited for."""
        try:
            return os.write(self._screen, data)
        except BlockingIOError:
            with _Selector() as selector:
                selector.register(self._screen, selectors.EVENT_WRITE)
                selector.select()
            return 0

    def _fit(self) -> None:
        """Pass a change of size on."""
        try:
            size = size_of(self._screen)
        except OSError:
            return self._end()
        if size != self._size:
            self._size = size
            resize(self._child.fd, size)
        return None

    def _end(self) -> None:
        if self._ending_since is None:
            self._ending_since = time.monotonic()

    def _ending_for(self) -> float:
        return 0.0 if self._ending_since is None else time.monotonic() - self._ending_since

    def _escalate(self) -> None:
        """Send the signal whose time has come."""
        if self._ending_since is None:
            return
        while self._signals and self._signals[0][0] <= self._ending_for():
            self._child.signal(self._signals.pop(0)[1])


def _read(fd: int) -> bytes | None:
    """What is there: `None` when nothing is there yet, empty when nothing ever will be."""
    try:
        return os.read(fd, CHUNK)
    except BlockingIOError:
        return None
    except OSError:
        return b""
