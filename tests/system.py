"""What the operating system says: which processes run, which files are there."""

from __future__ import annotations

from pathlib import Path


def in_session(leader: int) -> list[int]:
    """Pids of every process in the session of ``leader``, zombies left out."""
    return [int(entry.name) for entry in Path("/proc").iterdir() if _belongs(entry, leader)]


def _belongs(entry: Path, leader: int) -> bool:
    if not entry.name.isdigit():
        return False
    try:
        state, _, _, session, *_ = (entry / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return int(session) == leader and state != "Z"


def names_in(folder: Path) -> list[str]:
    """Names of what lies in a folder."""
    return sorted(path.name for path in folder.iterdir())


def mode_of(path: Path) -> int:
    """Permission bits."""
    return path.stat().st_mode & 0o777


def exists(path: Path | str) -> bool:
    """Whether it is there."""
    return Path(path).exists()
