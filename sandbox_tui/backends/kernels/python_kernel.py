"""The program of Python kernels: ipykernel, with room for output that comes in floods.

A kernel of 1 000 waiting messages drops the next ones, the end of the run among them. How many may
wait has to be said before the socket is bound, and ipykernel has no setting for it. Run by path
and not as a module: the interpreter it runs in need not find this package.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import zmq
from ipykernel._version import version_info
from ipykernel.kernelapp import IPKernelApp

if TYPE_CHECKING:
    from typing_extensions import Buffer

MOST_WAITING = 100_000
"""Messages that wait for a reader that is slower than the code, before some are dropped."""

TUNED_FOR = range(6, 8)
"""Major versions of ipykernel whose private settings are known."""

TUNING = ("--IPythonKernel._execute_sleep=0", "--HistoryManager.enabled=False")
"""Half a millisecond less per cell, and no SQLite file that several kernels wait for."""


class RoomKernelApp(IPKernelApp):
    """ipykernel's application; only its iopub socket differs."""

    def init_iopub(self, context: zmq.Context[zmq.Socket[bytes]]) -> None:
        """Make the socket from a context whose sockets may hold more."""
        context.setsockopt(zmq.SNDHWM, MOST_WAITING)
        super().init_iopub(context)  # pyright: ignore[reportUnknownMemberType]  # not typed there


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
