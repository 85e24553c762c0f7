"""Handing the user's terminal to another program, and getting it back whatever happens.

The program runs on a pseudo-terminal of its own and bytes are copied both ways. So ctrl+c is a
byte for the program and never a signal for this one, the leave key works whatever runs, and the
terminal's modes are known and can be undone when the program is killed or left.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import termios
import tty
from collections.abc import Generator, Mapping, Sequence

import msgspec

from sandbox_tui.model.actions import Attachment
from sandbox_tui.model.errors import DeadlineError, TerminalNeededError, ToolMissingError
from sandbox_tui.runtime.child import Child, size_of
from sandbox_tui.runtime.leaving import LEAVE, LEAVE_KEY
from sandbox_tui.runtime.relay import Relay
from sandbox_tui.runtime.wakeups import wakeups

SWITCHING = 10.0
"""How long switching inside tmux may take, in seconds."""


class Fate(msgspec.Struct, frozen=True, kw_only=True):
    """How a program that had the terminal ended."""

    exit_code: int | None = None
    signal: int | None = None
    left_by_key: bool = False
    switched: bool = False
    """Nothing ran here: tmux was asked to show something else in this terminal."""

    @property
    def message(self) -> str:
        """One line for the person who came back."""
        if self.switched:
            return f"tmux refused ({self.exit_code})" if self.exit_code else "shown here by tmux"
        if self.left_by_key:
            return "left by key"
        if self.signal is not None:
            return f"ended by {signal.Signals(self.signal).name}"
        return f"ended with exit code {self.exit_code}" if self.exit_code else "ended"


def how_to_leave(attachment: Attachment) -> str:
    """What a person is told before: the program's own keys, and the one that always leaves."""
    own = attachment.leave
    return f"leave with {own if LEAVE in own else ' or '.join(filter(None, (own, LEAVE)))}"


def attach(attachment: Attachment, *, leave_key: bytes = LEAVE_KEY) -> Fate:
    """Hand the terminal over as `attachment` says; inside its own tmux server, switch there."""
    if attachment.inside_tmux and os.environ.get("TMUX"):
        return _switch(attachment.inside_tmux)
    own_keys = attachment.leave_keys.encode()
    return hand_over(attachment.argv, attachment.env, leave_key=leave_key, own_keys=own_keys)


def hand_over(
    argv: Sequence[str],
    env: Mapping[str, str] | None = None,
    *,
    leave_key: bytes = LEAVE_KEY,
    own_keys: bytes = b"",
) -> Fate:
    """Run a program on the user's terminal until it ends or the leave key is pressed.

    Blocks. `env` is laid over this process's own; a program that ends right after `own_keys` was
    left by them, whatever its exit code. In the main thread, a SIGTERM, SIGHUP or SIGINT
    to this process gives the terminal back first and acts then. Raises `TerminalNeededError`,
    `ToolMissingError`.
    """
    keyboard, screen = _terminal()
    with wakeups() as pipe:
        child = Child(argv, {**os.environ, **(env or {})}, size_of(screen), pipe.wake)
        try:
            with _raw(keyboard):
                relay = Relay(child, keyboard, screen, leave_key, pipe)
                try:
                    relay.run()
                finally:
                    relay.undo()
        finally:
            child.close()
    left = relay.left_by_key or (bool(own_keys) and relay.typed_last.endswith(own_keys))
    return _fate(child.wait_status, left)


def _terminal() -> tuple[int, int]:
    """The descriptors of the keyboard and of the screen, which may be stdout or stderr."""
    screen = next((fd for fd in (1, 2) if os.isatty(fd)), None)
    if screen is None or not os.isatty(0):
        raise TerminalNeededError("handing the terminal over")
    return 0, screen


@contextlib.contextmanager
def _raw(keyboard: int) -> Generator[None]:
    """Every key as bytes; afterwards the modes as they were, without what was typed meanwhile."""
    before = termios.tcgetattr(keyboard)
    tty.setraw(keyboard, termios.TCSANOW)
    try:
        yield
    finally:
        try:
            termios.tcsetattr(keyboard, termios.TCSANOW, before)
            termios.tcflush(keyboard, termios.TCIFLUSH)
        except termios.error:
            pass  # the terminal itself is gone: nothing is left to restore


def _fate(wait_status: int | None, left_by_key: bool) -> Fate:
    if wait_status is None:
        return Fate(left_by_key=left_by_key)
    code = os.waitstatus_to_exitcode(wait_status)
    return Fate(
        exit_code=code if code >= 0 else None,
        signal=-code if code < 0 else None,
        left_by_key=left_by_key,
    )


def _switch(argv: Sequence[str]) -> Fate:
    """Let tmux show something else in this very terminal."""
    try:
        done = subprocess.run(argv, stdin=sys.stdin, timeout=SWITCHING, check=False)
    except FileNotFoundError:
        raise ToolMissingError("attach", argv[0]) from None
    except subprocess.TimeoutExpired:
        raise DeadlineError("switching inside tmux", SWITCHING) from None
    return Fate(exit_code=done.returncode, switched=True)
