"""A real tmux server of the benchmark's own, where `TMUX_TMPDIR` makes programs look for it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

QUIET = "exec sleep 100000"


class Server:
    """One server and its sessions. It goes by the socket's path: it can never be another one."""

    def __init__(self) -> None:
        folder = Path(os.environ["TMUX_TMPDIR"]) / f"tmux-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        self.socket = folder / "default"

    def run(self, *arguments: str) -> str:
        """Run commands, parted by `;`, in one client."""
        command = ["tmux", "-S", str(self.socket), "-f", "/dev/null", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
        return done.stdout.rstrip("\n")

    def make(self, names: Sequence[str], command: str = QUIET) -> None:
        """Make detached sessions that all run one command."""
        for at in range(0, len(names), 20):
            made = (
                ("new-session", "-d", "-x", "120", "-y", "40", "-s", name, command, ";")
                for name in names[at : at + 20]
            )
            self.run(*(word for words in made for word in words))

    def ttys(self) -> dict[str, str]:
        """The terminal device of each session: what is written there is printed in its pane."""
        lines = self.run("list-panes", "-a", "-F", "#{session_name} #{pane_tty}").splitlines()
        return dict(line.split(" ") for line in lines)

    @property
    def pid(self) -> int:
        """The server's process id."""
        return int(self.run("display-message", "-p", "#{pid}"))

    def end(self) -> None:
        """End it and everything in it."""
        command = ["tmux", "-S", str(self.socket), "kill-server"]
        subprocess.run(command, capture_output=True, timeout=30, check=False)


@contextmanager
def sessions(count: int, command: str = QUIET, *, prefix: str = "bench") -> Iterator[Server]:
    """A server with that many sessions, `bench-000` and so on."""
    server = Server()
    try:
        server.make([f"{prefix}-{number:03}" for number in range(count)], command)
        yield server
    finally:
        server.end()


def say(tty: str, text: str) -> None:
    """Print in a pane, without any program in it and without any tmux client."""
    terminal = os.open(tty, os.O_WRONLY | os.O_NOCTTY)
    try:
        os.write(terminal, text.encode())
    finally:
        os.close(terminal)
