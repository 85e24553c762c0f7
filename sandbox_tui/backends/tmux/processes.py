"""The processes behind a pane, from `/proc`: what runs in front, and what all of it costs.

A pane's process leads a session and owns its terminal; the terminal says which group of processes
is in front. Where there is no `/proc` nothing is known, which every answer here can say.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

SHELLS = frozenset({"ash", "bash", "csh", "dash", "fish", "ksh", "mksh", "sh", "tcsh", "zsh"})

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_PROC = Path("/proc")


class Process(NamedTuple):
    """One process at one moment. Its pid may be another's later; with `born` it is unique."""

    pid: int
    parent: int
    group: int
    front: int
    """The group in front of its terminal."""
    cpu: float
    """Seconds of processor time so far."""
    born: int
    memory: int
    """Bytes of it that are in memory."""


class Usage(NamedTuple):
    """What a tree of processes costs."""

    cpu: dict[tuple[int, int], float]
    """Seconds so far, by pid and birth."""
    memory: int

    def cpu_since(self, before: Usage) -> float:
        """Seconds of processor time that were used since an earlier look."""
        return sum(max(0.0, cpu - before.cpu.get(one, 0.0)) for one, cpu in self.cpu.items())


def look(pid: int) -> Process | None:
    """That process, unless it is gone, or only waits for its parent to hear of its end."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    if fields[0] in "ZX":
        return None
    return Process(
        pid=pid,
        parent=int(fields[1]),
        group=int(fields[2]),
        front=int(fields[5]),
        cpu=(int(fields[11]) + int(fields[12])) / _TICKS,
        born=int(fields[19]),
        memory=int(fields[21]) * _PAGE,
    )


def tree(pid: int) -> list[Process]:
    """That process and all that descend from it."""
    found: list[Process] = []
    waiting = [pid]
    while waiting:
        process = look(waiting.pop())
        if process is not None:
            found.append(process)
            waiting += _children(process.pid)
    return found


def usage(pid: int) -> Usage:
    """What that process and its descendants cost."""
    members = tree(pid)
    cpu = {(process.pid, process.born): process.cpu for process in members}
    return Usage(cpu, sum(process.memory for process in members))


def front(pid: int) -> list[Process]:
    """A pane's own process and those in front of its terminal: what its end has to end."""
    leader = look(pid)
    if leader is None:
        return []
    return [one for one in tree(pid) if one.pid == pid or one.group == leader.front]


def is_idle_shell(pid: int) -> bool:
    """Whether what is in front of a pane's terminal is a shell that waits for a command."""
    leader = look(pid)
    shell = look(leader.front) if leader is not None else None
    if shell is None:
        return False
    try:
        words = (_PROC / str(shell.pid) / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return _is_interactive([word.decode("utf-8", "replace") for word in words if word])


def kill(processes: Iterable[Process]) -> None:
    """End at once those that are still the same."""
    for process in processes:
        now = look(process.pid)
        if now is not None and now.born == process.born:
            try:
                os.kill(process.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass  # gone by itself, or another user's: neither can be helped


def is_alive(process: Process) -> bool:
    """Whether it still runs."""
    now = look(process.pid)
    return now is not None and now.born == process.born


def _is_interactive(words: list[str]) -> bool:
    """A shell with options only, none of which hands it a command."""
    if not words or words[0].rpartition("/")[2].removeprefix("-") not in SHELLS:
        return False
    options = words[1:]
    has_command = any(not o.startswith("-") or _hands_command(o) for o in options)
    return "-i" in options or not has_command


def _hands_command(option: str) -> bool:
    return not option.startswith("--") and "c" in option


def _children(pid: int) -> list[int]:
    found: list[int] = []
    try:
        for task in (_PROC / str(pid) / "task").iterdir():
            found += map(int, (task / "children").read_bytes().split())
    except OSError:
        pass  # it ended meanwhile: whoever it left behind belongs to the pane no more
    return found
