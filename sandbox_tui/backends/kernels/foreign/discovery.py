"""Kernels that other programs started, found by the connection files they leave.

Whether one still lives is asked of the system, not of the kernel: its socket takes a connection
or it does not. Files of kernels that were killed stay behind and are passed over.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from sandbox_tui.backends.kernels.connection import Connection, read_connection

RECHECK = 2.0
"""Seconds between two looks at whether known kernels live, while the folder does not change."""

YOUNG = 10.0
"""Seconds for which a new file's kernel may still be on its way up."""

_CONNECT = 0.2
"""Longest wait for a connection, in seconds."""


class KernelFile(NamedTuple):
    """A connection file whose kernel lives."""

    path: Path
    connection: Connection
    written_at: float


class Discovery:
    """Looks through one folder, by default Jupyter's. Does file I/O: call it in a thread."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._stamp = 0
        self._recheck_at = 0.0
        self._files: dict[Path, tuple[int, Connection | None]] = {}
        self._living: list[KernelFile] = []

    def living(self) -> list[KernelFile]:
        """Every kernel that lives; one `stat` when nothing has changed since a moment ago."""
        stamp = _stamp(self.folder)
        if stamp != self._stamp or time.monotonic() >= self._recheck_at:
            self._stamp = stamp
            self._look()
        return self._living

    @property
    def folder(self) -> Path:
        """Where kernels leave their connection files."""
        if self._folder is None:
            self._folder = runtime_folder()
        return self._folder

    def _look(self) -> None:
        paths = {path: _stamp(path) for path in sorted(self.folder.glob("*.json"))}
        self._files = {path: self._read(path, stamp) for path, stamp in paths.items()}
        known = {path: found for path, (_, found) in self._files.items() if found is not None}
        dead = {path for path, connection in known.items() if not answers(connection)}
        self._living = [
            KernelFile(path, connection, paths[path] / 1e9)
            for path, connection in known.items()
            if path not in dead
        ]
        young = any(time.time() - paths[path] / 1e9 < YOUNG for path in dead)
        self._recheck_at = time.monotonic() + (0.0 if young else RECHECK)

    def _read(self, path: Path, stamp: int) -> tuple[int, Connection | None]:
        old = self._files.get(path)
        if old is not None and old[0] == stamp:
            return old
        try:
            return stamp, read_connection(path)
        except (OSError, msgspec.MsgspecError):
            return stamp, None  # no connection file: servers keep theirs in the same folder


def runtime_folder(env: Mapping[str, str] = os.environ) -> Path:
    """Where Jupyter keeps connection files, as `jupyter_core.paths.jupyter_runtime_dir` has it.

    To load that library takes longer than to look through the folder.
    """
    if named := env.get("JUPYTER_RUNTIME_DIR"):
        return Path(named)
    if data := env.get("JUPYTER_DATA_DIR"):
        return Path(data, "runtime")
    if sys.platform != "linux":
        from jupyter_core.paths import jupyter_runtime_dir

        return Path(jupyter_runtime_dir())
    share = env.get("XDG_DATA_HOME") or Path.home().resolve() / ".local" / "share"
    return Path(share, "jupyter", "runtime")


def answers(connection: Connection) -> bool:
    """Whether somebody listens where the kernel says it does."""
    unix = connection.transport == "ipc"
    joint = f"{connection.ip}-{connection.shell_port}"
    address = joint if unix else (connection.ip, connection.shell_port)
    with socket.socket(socket.AF_UNIX if unix else socket.AF_INET) as client:
        client.settimeout(_CONNECT)
        try:
            client.connect(address)
        except OSError:
            return False
    return True


def _stamp(path: Path) -> int:
    """When it last changed, in nanoseconds; 0 when it is not there."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0
