"""A Python process with everything a kernel needs imported, which makes kernels by forking itself.

Run by path, its standard input being a socket to the daemon: one JSON order per line in, one JSON
word per line out. It has one thread and no zmq context when it forks, else it says that it is of
no use. It ends with the daemon; the kernels it made are sessions of their own and go on.

When it is told to, it also learns to complete: jedi takes a second or two and forty megabytes for
the first time, in each kernel anew; what the zygote has learnt its kernels know, and share.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import signal
import site
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from python_kernel import become_kernel, hide_this_folder

WANTED = (
    "ipykernel.debugger",
    "ipykernel.ipkernel",
    "ipykernel.zmqshell",
    "IPython.core.completer",
)
"""What a kernel imports only once it runs: half of the time that its start takes."""

LESSONS = ("pri", "''.jo", "names = []\nnames.ap")
"""Completed once, so that a kernel need not read what Python's own names are."""

Order = dict[str, Any]


class Zygote:
    """Serves orders in turn; tells how each child ended."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._buffer = b""
        self._standing_by: set[int] = set()
        self._wake, self._waker = socket.socketpair()
        for end in (self._wake, self._waker):
            end.setblocking(False)
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _note)
        self._settle()

    def serve(self) -> Order | None:
        """Return in every child, with what it is to be; in the zygote itself, when it ends."""
        while True:
            ready, _, _ = select.select([self._channel, self._wake], [], [])
            if self._wake in ready:
                self._wake.recv(4096)
                self._reap()
            if self._channel in ready:
                chunk = self._channel.recv(65536)
                if not chunk:
                    self._end_what_stands_by()
                    return None
                *lines, self._buffer = (self._buffer + chunk).split(b"\n")
                for order in map(json.loads, lines):
                    if self._obey(order):
                        return order

    def say(self, **word: object) -> None:
        """Tell the daemon; a daemon that is gone is noticed by reading."""
        with suppress(OSError):
            self._channel.sendall(json.dumps(word).encode() + b"\n")

    def _settle(self) -> None:
        """Say whether it can fork; what is there now is shared with all that it makes."""
        threads = len(list(Path("/proc/self/task").glob("*")))
        if threads > 1:
            self.say(unfit=f"{threads} threads")
            return
        gc.collect()
        gc.freeze()
        self.say(ready=True)

    def _obey(self, order: Order) -> bool:
        """Whether this is the child."""
        if "claimed" in order:
            self._standing_by.discard(order["claimed"])
            return False
        if "learns" in order:
            self._learn()
            return False
        try:
            pid = os.fork()
        except OSError as error:
            self.say(error=str(error))
            return False
        if pid:
            if order["ready"]:
                self._standing_by.add(pid)
            self.say(pid=pid)
            return False
        self._forget()
        return True

    def _learn(self) -> None:
        """Do what takes a first completion long; who ends meanwhile is told of at once."""
        signal.signal(signal.SIGCHLD, lambda _number, _frame: self._reap())
        try:
            jedi = importlib.import_module("jedi")
            for lesson in LESSONS:
                for completion in jedi.Interpreter(lesson, [{}]).complete():
                    _ = completion.type, completion.get_signatures()
        except Exception as error:  # noqa: BLE001  # each kernel learns for itself
            sys.stderr.write(f"kernels learn to complete by themselves: {error!r}\n")
        signal.signal(signal.SIGCHLD, _note)
        self._settle()

    def _reap(self) -> None:
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG)) != (0, 0):
                self._standing_by.discard(ended[0])
                self.say(ended=ended[0], status=ended[1])

    def _end_what_stands_by(self) -> None:
        for pid in self._standing_by:
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
            with suppress(ProcessLookupError):  # forked just now, it leads no group yet
                os.kill(pid, signal.SIGKILL)

    def _forget(self) -> None:
        """The child has nothing to do with the daemon."""
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for end in (self._channel, self._wake, self._waker):
            end.close()


def _note(number: int, frame: object) -> None:
    """Nothing: the signal wakes by its descriptor."""


def main() -> None:
    """Prepare, serve, and in every child be a kernel."""
    channel = socket.socket(fileno=os.dup(0))
    _leave_standard_input()
    hide_this_folder()
    for name in WANTED:
        with suppress(ImportError):
            importlib.import_module(name)
    order = Zygote(channel).serve()
    if order is not None:
        _begin(order)


def _begin(order: Order) -> None:
    """Look as if started by its own command line."""
    log = os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    os.environ.update(order["env"])
    if order["working_dir"]:
        os.chdir(order["working_dir"])
    if order["prefix"]:
        _move_into(order["prefix"])
    sys.argv[:] = [str(Path(__file__).with_name("python_kernel.py")), *order["options"]]
    become_kernel(order["options"])


def _move_into(prefix: str) -> None:
    """Be in that virtual environment: its packages come first, and what is installed goes there."""
    old = list(sys.path)
    sys.prefix = sys.exec_prefix = prefix
    sys.executable = str(Path(prefix, "bin/python"))
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    site.addsitedir(str(Path(prefix, "lib", version, "site-packages")))
    added = [folder for folder in sys.path if folder not in old]
    own = [folder for folder in old if "site-packages" not in folder]
    sys.path[:] = [*own, *added, *(folder for folder in old if folder not in own)]


def _leave_standard_input() -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)


if __name__ == "__main__":
    main()
