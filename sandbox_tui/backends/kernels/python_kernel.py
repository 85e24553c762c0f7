"""The program of Python kernels: ipykernel, made for output that comes in floods.

A kernel of 1 000 waiting messages drops the next ones, the end of the run among them. How many may
wait has to be said before the socket is bound, and ipykernel has no setting for it. A flushed print
wakes ipykernel's publishing thread four times, each time against the code that goes on; here, once.

Run by path and not as a module: the interpreter it runs in need not find this package.
"""

from __future__ import annotations

import errno
import io
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import zmq
from ipykernel._version import version_info
from ipykernel.iostream import IOPubThread, OutStream
from ipykernel.kernelapp import IPKernelApp

if TYPE_CHECKING:
    from typing_extensions import Buffer

MOST_WAITING = 100_000
"""Messages that wait for a reader that is slower than the code, before some are dropped."""

TUNED_FOR = range(6, 8)
"""Major versions of ipykernel whose private settings are known."""

TUNING = (
    "--IPythonKernel._execute_sleep=0",
    "--HistoryManager.enabled=False",
    f"--IPKernelApp.outstream_class={__name__}.PromptStream",
)
"""Half a millisecond less per cell, no SQLite file that several kernels wait for, and below."""


class PromptStream(OutStream):
    """ipykernel's `sys.stdout`; to flush it is one question to the publishing thread."""

    pub_thread: Any
    _io_loop: Any
    _timed = False

    def flush(self) -> None:
        """Return when all that was written is on its way."""
        thread = self.pub_thread and self.pub_thread.thread
        if not thread or not thread.is_alive() or thread is threading.current_thread():
            super().flush()
            return
        flushed = threading.Event()

        def flush_there() -> None:
            try:
                self._flush()
            finally:
                flushed.set()

        self.pub_thread.schedule(flush_there)
        if not flushed.wait(self.flush_timeout):
            print("the output could not be flushed in time", file=sys.__stderr__)

    def _schedule_flush(self) -> None:
        """Have it flushed soon, by the one timer that runs, whatever is flushed before."""
        if not self._timed:
            self._timed = True
            self.pub_thread.schedule(self._set_timer)

    def _set_timer(self) -> None:
        self._io_loop.call_later(self.flush_interval, self._flush_in_time)

    def _flush_in_time(self) -> None:
        self._timed = False
        self._flush()


class PromptThread(IOPubThread):
    """ipykernel's publishing thread; what it asks of itself is done at once, if nothing waits."""

    def schedule(self, f: Callable[[], object]) -> None:
        """Have it done in this thread, in order."""
        if threading.current_thread() is self.thread and not self._events:
            f()
        else:
            super().schedule(f)  # pyright: ignore[reportUnknownMemberType]  # not typed there


class RoomKernelApp(IPKernelApp):
    """ipykernel's application; only how it publishes differs."""

    def init_iopub(self, context: zmq.Context[zmq.Socket[bytes]]) -> None:
        """Make the socket from a context whose sockets may hold more."""
        context.setsockopt(zmq.SNDHWM, MOST_WAITING)
        super().init_iopub(context)  # pyright: ignore[reportUnknownMemberType]  # not typed there
        if version_info[0] in TUNED_FOR:
            self.iopub_thread.__class__ = PromptThread  # it has no setting, and runs already


class Log(io.FileIO):
    """Where a kernel's own words go; they are lost on a full disk, and no reason to end."""

    def write(self, data: Buffer, /) -> int:
        """Write what can be written."""
        try:
            return super().write(data)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            return memoryview(data).nbytes


def become_kernel(options: list[str]) -> None:
    """Be a kernel until it is told to end; `options` are ipykernel's, as `-f FILE`."""
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        raw = io.BufferedWriter(Log(descriptor, "w", closefd=False))
        stream = io.TextIOWrapper(raw, errors="backslashreplace", line_buffering=True)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    tuning = TUNING if version_info[0] in TUNED_FOR else ()
    RoomKernelApp.launch_instance([*options, *tuning])


def hide_this_folder() -> None:
    """Python puts the program's folder on the path; what runs in a kernel must not find it."""
    here = str(Path(__file__).parent)
    sys.path[:] = [folder for folder in sys.path if folder != here]


if __name__ == "__main__":
    if os.getpgrp() != os.getpid():
        os.setsid()  # an interrupt goes to the whole group, and that has to be the kernel's own
    hide_this_folder()
    become_kernel(sys.argv[1:])
