"""When containers with an idle timeout were used last, by whichever program of this user.

A file for each, whose time of change is the time of use. While a command runs, the program that
waits for it renews the time; when that program is killed, the renewing ends with it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import threading
import time
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path

from sandbox_tui.runtime.execution import Execution
from sandbox_tui.settings import paths

FORGOTTEN = 7 * 24 * 3600.0
"""Seconds after which the file of what is not there any more is deleted."""


class Uses:
    """Notes of this program, and what all programs have written down.

    `note` and `during` only remember; the rest reads and writes files, in any thread.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or paths.state_folder() / "used"
        self.identity = _named(self._folder)
        self._held: Counter[str] = Counter()
        self._noted: dict[str, float] = {}
        self._lock = threading.Lock()

    def note(self, container_id: str) -> bool:
        """It is used now; whether that is the first to be written since the last `write`."""
        with self._lock:
            is_first = not self._noted
            self._noted[container_id] = time.time()
        return is_first

    async def during(self, container_id: str, execution: Execution) -> None:
        """It is in use until `execution` has ended."""
        self._held[container_id] += 1
        try:
            await execution
        finally:
            self.note(container_id)
            self._held[container_id] -= 1

    def is_held(self, container_id: str) -> bool:
        """Whether a command of this program runs in it."""
        return self._held[container_id] > 0

    def write(self) -> None:
        """Let other programs know what is and was used here.

        What cannot be written is known here only, and is tried again with the next.
        """
        for container_id in filter(self.is_held, list(self._held)):
            self.note(container_id)
        with self._lock:
            noted, self._noted = self._noted, {}
        try:
            self._write(noted)
        except OSError:
            with self._lock:
                self._noted = noted | self._noted

    def last(self, container_id: str) -> float | None:
        """When any program used it (seconds since the epoch); `None` when none ever did."""
        times = (self._noted.get(container_id), self._written(container_id))
        return max((at for at in times if at is not None), default=None)

    def forget(self, known: Collection[str]) -> None:
        """Delete what is written of containers that are not `known` and long unused."""
        with contextlib.suppress(OSError):  # tidying up can wait
            for file in self._folder.iterdir():
                if file.name not in known and file.stat().st_mtime < time.time() - FORGOTTEN:
                    file.unlink(missing_ok=True)

    def _write(self, noted: Mapping[str, float]) -> None:
        if noted:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for container_id, at in noted.items():
            self._touch(container_id, at)

    def _touch(self, container_id: str, at: float) -> None:
        file, last = self._file(container_id), self._written(container_id)
        if last is None:
            file.touch(mode=0o600)
        if last is None or at > last:
            os.utime(file, (at, at))

    def _written(self, container_id: str) -> float | None:
        try:
            return self._file(container_id).stat().st_mtime
        except OSError:
            return None

    def _file(self, container_id: str) -> Path:
        return self._folder / container_id


def _named(folder: Path) -> str:
    """The same for all programs that write there, and for no others."""
    where = f"{platform.node()}:{os.getuid()}:{folder}"
    return hashlib.sha256(where.encode()).hexdigest()[:12]
