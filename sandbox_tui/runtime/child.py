"""A program on a pseudo-terminal of its own, as the leader of a session of its own.

Not `pty.fork`: forking a process that has threads may deadlock the child. `posix_spawn` does not
run Python in the child, and a session leader that opens a terminal gets it as its controlling one.
"""

from __future__ import annotations

import fcntl
import os
import signal
import struct
import termios
import threading
from collections.abc import Callable, Mapping, Sequence

from sandbox_tui.model.errors import ToolMissingError

Size = tuple[int, int]
"""Columns and rows."""

_DEFAULTED = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}


class Child:
    """Runs from the moment it is made. `fd` is the other end of its terminal, non-blocking.

    `on_end` is called once, in another thread. Raises `ToolMissingError` when there is no such
    program.
    """

    def __init__(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        size: Size,
        on_end: Callable[[], None],
    ) -> None:
        self.fd, slave = os.openpty()
        self.wait_status: int | None = None
        self._on_end = on_end
        try:
            resize(slave, size)
            self.pid = _spawn(argv, env, os.ttyname(slave))
        except BaseException:
            os.close(self.fd)
            raise
        finally:
            os.close(slave)
        os.set_blocking(self.fd, False)
        self._waiter = threading.Thread(target=self._wait, name=f"wait {self.pid}", daemon=True)
        self._waiter.start()

    def signal(self, signum: int) -> None:
        """Send a signal to it and what it runs in the foreground, unless it has ended."""
        if self.wait_status is None:
            try:
                os.killpg(self.pid, signum)
                os.killpg(self.pid, signal.SIGCONT)
            except ProcessLookupError:
                pass  # it ended between the question and the signal

    def close(self) -> None:
        """Take its terminal away, which hangs up whatever still has it."""
        os.close(self.fd)
        self._waiter.join(0.1)

    def _wait(self) -> None:
        _, self.wait_status = os.waitpid(self.pid, 0)
        self._on_end()


def size_of(fd: int) -> Size:
    """Columns and rows of a terminal."""
    size = os.get_terminal_size(fd)
    return size.columns, size.lines


def resize(fd: int, size: Size) -> None:
    """Give a terminal a size; whoever runs in it is told."""
    columns, rows = size
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def _spawn(argv: Sequence[str], env: Mapping[str, str], terminal: str) -> int:
    actions = (
        (os.POSIX_SPAWN_OPEN, 0, terminal, os.O_RDWR, 0),
        (os.POSIX_SPAWN_DUP2, 0, 1),
        (os.POSIX_SPAWN_DUP2, 0, 2),
    )
    try:
        return os.posix_spawnp(
            argv[0],
            tuple(argv),
            env,
            file_actions=actions,
            setsid=True,
            setsigmask=(),
            setsigdef=_DEFAULTED,
        )
    except FileNotFoundError:
        raise ToolMissingError("attach", argv[0]) from None
