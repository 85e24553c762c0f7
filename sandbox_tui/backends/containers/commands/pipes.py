"""The pipes of a process inside a container, opened from outside by way of `/proc`.

Only of one that runs on this machine, and only where the kernel lets us: as root, or as the user
whose podman it is. An engine elsewhere may name a process id that is somebody else's here, so the
process has to prove by its environment that it is the one.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import io
import os
import stat
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import NamedTuple

from sandbox_tui.backends.containers.engine.intake import MOST

STDIN, STDOUT, STDERR = 0, 3, 4
"""Where that process holds them: what it is told, and the two pipes that it made for answers."""

_ENDS = ((STDIN, os.O_WRONLY), (STDOUT, os.O_RDONLY), (STDERR, os.O_RDONLY))


class Pipe(io.FileIO):
    """One end, which never blocks."""

    _waiting: asyncio.Future[None] | None = None

    def recv(self, size: int, /) -> bytes:
        """See `intake.Wire.recv`."""
        return os.read(self.fileno(), size)

    def send(self, data: bytes) -> int:
        """How many bytes were taken. Raises `OSError`, and `ValueError` once it is closed."""
        try:
            return os.write(self.fileno(), data)
        except BlockingIOError:
            return 0

    async def room(self) -> None:
        """Wait until more is taken, or nothing ever will be. For one task at a time."""
        loop = asyncio.get_running_loop()
        self._waiting = loop.create_future()
        loop.add_writer(self.fileno(), self._wake)
        try:
            await self._waiting
        finally:
            self._wake()

    def close(self) -> None:
        """Give it up; who waits for room is woken."""
        self._wake()
        super().close()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.get_loop().remove_writer(self.fileno())
            if not waiting.done():
                waiting.set_result(None)


class Pipes(NamedTuple):
    """Our ends."""

    stdin: Pipe
    stdout: Pipe
    stderr: Pipe

    def close(self) -> None:
        """Give them up."""
        for pipe in self:
            pipe.close()


def pipes_of(pid: int, proof: str) -> Pipes:
    """Those of a process that has that line in its environment. Raises `OSError`."""
    opened: list[Pipe] = []
    with _folder(pid) as folder:
        if proof.encode() not in _read(folder, "environ").split(b"\0"):
            raise ProcessLookupError(f"process {pid} is another one here")
        try:
            for number, flags in _ENDS:
                opened.append(_open(folder, number, flags))
        except BaseException:
            for pipe in opened:
                pipe.close()
            raise
    return Pipes(*opened)


class Main(NamedTuple):
    """A main process that waits, and our end of what it is told."""

    pid: int
    stdin: Pipe

    def close(self) -> None:
        """Give it up."""
        self.stdin.close()


def main_of(pid: int, container_id: str, argv: Sequence[str]) -> Main:
    """The main process of a container, below its init if it has one. Raises `OSError`."""
    command_line = "".join(f"{word}\0" for word in argv).encode()
    for each in (pid, *_children(pid)):
        with _folder(each) as folder:
            inside = container_id.encode() in _read(folder, "cgroup")
            if inside and _read(folder, "cmdline") == command_line:
                return Main(each, _open(folder, STDIN, os.O_WRONLY))
    raise ProcessLookupError(f"process {pid} is no container that waits here")


def pipes_below(pid: int, proof: str) -> Pipes:
    """Those of a child of that process, see `pipes_of`. Raises `OSError`."""
    for each in _children(pid):
        with contextlib.suppress(OSError):  # it may not have become itself yet
            return pipes_of(each, proof)
    raise ProcessLookupError(f"process {pid} has no such child")


def _children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextlib.contextmanager
def _folder(pid: int) -> Generator[int]:
    """What the kernel says of one process; of no other, should that have its number later."""
    folder = os.open(f"/proc/{pid}", os.O_PATH | os.O_DIRECTORY)
    try:
        yield folder
    finally:
        os.close(folder)


def _read(folder: int, name: str) -> bytes:
    with io.FileIO(os.open(name, os.O_RDONLY, dir_fd=folder)) as file:
        return file.readall()


def _open(folder: int, number: int, flags: int) -> Pipe:
    """Nothing but a pipe: to open anything else might have effects."""
    seen = os.open(f"fd/{number}", os.O_PATH, dir_fd=folder)
    try:
        if not stat.S_ISFIFO(os.fstat(seen).st_mode):
            raise OSError(f"file {number} of the process is no pipe")
        fd = os.open(f"/proc/self/fd/{seen}", flags | os.O_NONBLOCK)
        pipe = Pipe(fd, "wb" if flags == os.O_WRONLY else "rb")
    finally:
        os.close(seen)
    with contextlib.suppress(OSError):  # a user may have so much space in pipes and no more
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, MOST)  # all of it is taken with one look
    return pipe
