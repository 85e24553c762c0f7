"""What is known of the shell of a session, as it told with its last marks."""

from __future__ import annotations

from typing import NamedTuple

from sandbox_tui.backends.containers.commands import scripts
from sandbox_tui.backends.containers.commands.marks import Mark


class Traits(NamedTuple):
    """A shell between two commands."""

    pid: str
    is_bash: bool
    newest: str
    """The newest process id before its next command; empty where the kernel tells none."""
    traces: bool = False
    """Whether it prints what it does: `set -x`."""

    @classmethod
    def of(cls, ready: Mark) -> Traits:
        """As the shell says when it begins: itself is the newest then, or nearly."""
        pid, version = ready.details
        return cls(pid, version != "0", pid)

    def after(self, mark: Mark) -> Traits:
        """As it says later. A command might have told its end itself, and badly."""
        match mark:
            case Mark("newest", (newest,)) if newest.isdecimal():
                return self._replace(newest="" if newest == "0" else newest)
            case Mark("end", (_, _, flags)):
                return self._replace(traces="x" in flags)
            case _:
                return self

    def command(self, number: str, code: str) -> str:
        """What it is told to run that."""
        return scripts.command(number, code, in_line=self.is_bash and not self.traces)
