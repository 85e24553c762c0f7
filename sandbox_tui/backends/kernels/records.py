"""What is written down of every kernel, so that the next daemon finds those that still live."""

from __future__ import annotations

import logging
import os
import re
import shutil
import signal
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from sandbox_tui.backends.kernels.process import lives
from sandbox_tui.model import codec
from sandbox_tui.model.refs import Ref

LOG_CAP = 1024 * 1024
"""Bytes that a kernel's own log may hold before it is emptied."""

_OURS = re.compile(r"(sandbox-tui-)?[0-9a-f]{12}(\.env|\.log|\.json)?|template-[0-9a-f]{16}")
"""Names of what is made for kernels, and the only names that anything is removed by."""

_TAIL = 4096
"""Bytes of a kernel's log that are worth telling."""


logger = logging.getLogger(__name__)


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
    ready: bool = False
    """It only stands by; `owner` is nobody yet."""
    isolated: bool = False
    """It runs in a container of its own."""
    provisioned: bool = False
    """Its kernelspec's provisioner runs it; `pid` is 0 when that is not on this machine."""
    remark: str = ""
    """What the users of its room should know about it."""

    def check(self) -> None:
        """Raises an `OSError` when that very process has ended or left no way to reach it."""
        if not (lives(self.pid, self.started) or (self.provisioned and not self.pid)):
            raise ProcessLookupError(self.pid)
        if not Path(self.connection_file).exists():
            raise FileNotFoundError(self.connection_file)

    def end(self) -> None:
        """Kill that very process and its group, if it still runs."""
        if self.pid and lives(self.pid, self.started):
            end_group(self.pid)


def new_id() -> str:
    """A short name for a kernel: its files must fit into a socket's address."""
    return uuid.uuid4().hex[:12]


class Records:
    """A folder with one JSON file per kernel; every method does file I/O."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_absolute():
            raise ValueError(f"not absolute: {folder}")
        self.folder = folder

    @property
    def _there(self) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self.folder

    def log_of(self, kernel_id: str) -> Path:
        """Where that kernel's own output goes."""
        return self._there / f"{kernel_id}.log"

    def environment_of(self, kernel_id: str) -> Path:
        """Where that kernel's own virtual environment is, if it has one."""
        return self._there / f"{kernel_id}.env"

    def write(self, record: KernelRecord) -> None:
        """Put it down, whole or not at all.

        On a disk that is full it is not: the kernel runs all the same, and is ended by the next
        daemon instead of being taken for what it was before.
        """
        path = self._there / f"{record.id}.json"
        fresh = path.with_suffix(".new")
        try:
            fresh.write_bytes(codec.to_json(record))
            fresh.chmod(0o600)
            fresh.replace(path)
        except OSError as error:
            logger.warning("kernel %s is not written down: %s", record.id, error)
            fresh.unlink(missing_ok=True)
            path.unlink(missing_ok=True)

    def read(self) -> list[KernelRecord]:
        """Every record; files that are none are passed over."""
        found: list[KernelRecord] = []
        for path in sorted(self.folder.glob("*.json")):
            try:
                found.append(codec.from_json(path.read_bytes(), KernelRecord))
            except (OSError, msgspec.MsgspecError):
                continue  # half-written by a program that was killed: its kernel never started
        return found

    def forget(self, record: KernelRecord) -> None:
        """Remove the record and every file of a kernel that is gone."""
        folder = self.folder
        discard(
            folder / f"{record.id}.json",
            self.log_of(record.id),
            self.environment_of(record.id),
            Path(record.connection_file).parent,
        )

    def end_unrecorded(self) -> None:
        """End what a daemon launched that was killed before it could write that down.

        Such a kernel has its log open, and nothing but the log to be known by.
        """
        for log in self.folder.glob("*.log"):
            if _OURS.fullmatch(log.name) and not log.with_suffix(".json").exists():
                for pid in _writers(log):
                    end_group(pid)
                discard(log, log.with_suffix(".env"))


def discard(*leftovers: Path) -> None:
    """Remove files and folders of kernels. Raises `ValueError` for whatever is not named so."""
    for path in leftovers:
        if not path.is_absolute() or not _OURS.fullmatch(path.name):
            raise ValueError(f"not made for a kernel: {path}")
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def end_group(pid: int) -> None:
    """Kill a process and its group; one that is gone is no error."""
    with suppress(ProcessLookupError):
        os.killpg(os.getpgid(pid), signal.SIGKILL)


def _writers(log: Path) -> Iterator[int]:
    """The processes whose standard output it is."""
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (entry / "fd/1").readlink() == log:
                yield int(entry.name)


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
