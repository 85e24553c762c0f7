"""The program of the kernel `python`: ipykernel, with room for output that comes in floods.

A kernel of 1 000 waiting messages drops the next ones, the end of the run among them. How many may
wait has to be said before the socket is bound, and ipykernel has no setting for it. Run by path
and not as a module: what it runs for need not find this package.
"""

from __future__ import annotations

import sys
from pathlib import Path

import zmq
from ipykernel.kernelapp import IPKernelApp

MOST_WAITING = 100_000
"""Messages that wait for a reader that is slower than the code, before some are dropped."""


class RoomKernelApp(IPKernelApp):
    """ipykernel's application; only its iopub socket differs."""

    def init_iopub(self, context: zmq.Context[zmq.Socket[bytes]]) -> None:
        """Make the socket from a context whose sockets may hold more."""
        context.setsockopt(zmq.SNDHWM, MOST_WAITING)
        super().init_iopub(context)  # pyright: ignore[reportUnknownMemberType]  # not typed there


if __name__ == "__main__":
    here = str(Path(__file__).parent)
    sys.path[:] = [folder for folder in sys.path if folder != here]
    RoomKernelApp.launch_instance()
