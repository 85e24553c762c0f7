"""What is written down of every kernel, so that the next daemon finds those that still live."""

from __future__ import annotations

import os
import shutil
import signal
import uuid
from pathlib import Path

import msgspec

from sandbox_tui.backends.kernels.process import lives
from sandbox_tui.model import codec
from sandbox_tui.model.refs import Ref

LOG_CAP = 1024 * 1024
"""Bytes that a kernel's own log may hold before it is emptied."""

_TAIL = 4096
"""Bytes of a kernel's log that are worth telling."""


class KernelRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One launched kernel."""

    id: str
    owner: Ref
    """The room it runs for."""
    kernel: str
    pid: int
    started: int
    """Clock ticks since boot; with the pid it names a process for certain."""
    connection_file: str
    log: str
    """What the process itself wrote on stdout and stderr, outside of any cell."""
    interrupt_by_message: bool = False

    def check(self) -> None:
        """Raises an `OSError` when that very process has ended or left no way to reach it."""
        if not lives(self.pid, self.started):
            raise ProcessLookupError(self.pid)
        if not Path(self.connection_file).exists():
            raise FileNotFoundError(self.connection_file)

    def end(self) -> None:
        """Kill that very process and its group, if it still runs."""
        if lives(self.pid, self.started):
            os.killpg(self.pid, signal.SIGKILL)


def new_id() -> str:
    """A short name for a kernel: its files must fit into a socket's address."""
    return uuid.uuid4().hex[:12]


class Records:
    """A folder with one JSON file per kernel; every method does file I/O."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def log_of(self, kernel_id: str) -> Path:
        """Where that kernel's own output goes."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self._folder / f"{kernel_id}.log"

    def write(self, record: KernelRecord) -> None:
        """Put it down, whole or not at all."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._path(record)
        fresh = path.with_suffix(".new")
        fresh.write_bytes(codec.to_json(record))
        fresh.chmod(0o600)
        fresh.replace(path)

    def read(self) -> list[KernelRecord]:
        """Every record; files that are none are passed over."""
        found: list[KernelRecord] = []
        for path in sorted(self._folder.glob("*.json")):
            try:
                found.append(codec.from_json(path.read_bytes(), KernelRecord))
            except (OSError, msgspec.MsgspecError):
                continue  # half-written by a program that was killed: its kernel never started
        return found

    def forget(self, record: KernelRecord) -> None:
        """Remove the record and every file of a kernel that is gone."""
        self._path(record).unlink(missing_ok=True)
        Path(record.log).unlink(missing_ok=True)
        shutil.rmtree(Path(record.connection_file).parent, ignore_errors=True)

    def _path(self, record: KernelRecord) -> Path:
        return self._folder / f"{record.id}.json"


def tail(log: Path, start: int = 0) -> str:
    """The end of a kernel's own output from byte `start` on, for a person to read."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(start if start <= size else 0, size - _TAIL))
            return file.read().decode("utf-8", "replace").strip()
    except FileNotFoundError:
        return ""


def size(log: Path) -> int:
    """Bytes that a kernel has written itself so far."""
    return log.stat().st_size if log.exists() else 0


def trim(log: Path) -> None:
    """Empty a log that has grown too long; the kernel appends, so it goes on at the start."""
    try:
        if log.stat().st_size > LOG_CAP:
            os.truncate(log, 0)
    except FileNotFoundError:
        return
