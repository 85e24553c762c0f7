"""Where the room daemon lives: its socket, its lock, its log, and what it keeps."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from sandbox_tui.model.errors import DaemonUnavailableError
from sandbox_tui.settings.paths import state_folder

PROGRAM = "sandbox-tui"

SOCKET_VARIABLES = ("SANDBOX_TUI_SOCKET", "RUNTIMED_SOCKET_PATH")
"""Name the socket; the first one that is set decides."""


class DaemonHome(NamedTuple):
    """The places of one daemon. Two daemons with two sockets may share the rest."""

    socket: Path
    state: Path
    """Rooms, records of kernels, and the log."""

    @classmethod
    def at(cls, socket: Path | None = None) -> DaemonHome:
        """The daemon of `socket`; by default of the one that the environment names."""
        return cls((socket or socket_path()).absolute(), state_folder())

    def make_state(self) -> None:
        """Have the folder of what is kept. Raises `DaemonUnavailableError`."""
        try:
            self.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise DaemonUnavailableError(f"{self.state}: {error.strerror}") from None

    @property
    def runtime(self) -> Path:
        """What does not outlive a reboot: a folder for this user only."""
        return self.socket.parent

    @property
    def lock(self) -> Path:
        """Held by the one daemon of this socket; also tells its process id."""
        return self.socket.with_suffix(".pid")

    @property
    def log(self) -> Path:
        """What the daemon did and what went wrong."""
        return self.state / "daemon.log"


def socket_path() -> Path:
    """`$SANDBOX_TUI_SOCKET`, `$RUNTIMED_SOCKET_PATH`, or `daemon.sock` in the runtime folder."""
    for variable in SOCKET_VARIABLES:
        if named := os.environ.get(variable):
            return Path(named).expanduser()
    return runtime_folder() / "daemon.sock"


def runtime_folder() -> Path:
    """`$XDG_RUNTIME_DIR/sandbox-tui`; where there is none, a folder of this user's in /tmp."""
    base = Path(os.environ.get("XDG_RUNTIME_DIR", ""))
    return base / PROGRAM if base.is_absolute() else Path("/tmp") / f"{PROGRAM}-{os.getuid()}"
