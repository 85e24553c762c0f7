"""What was run in a container that belongs to a project: one line each, and what it said.

Every function reads or writes files, and so belongs into a thread.
"""

from __future__ import annotations

import contextlib
import secrets
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from sandbox_tui.model.outputs import Outcome, Result

HISTORY = "history.jsonl"


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One run in the history."""

    type: str = "run"
    command: str
    exit_code: int | None
    duration_ms: float
    timed_out: bool
    timestamp: str
    log: str = ""
    """The file with what it said."""


class Logbook:
    """The history of one container and the outputs of its last `most` runs."""

    def __init__(self, folder: Path, most: int = 100) -> None:
        self._folder = folder
        self._most = most

    def write(self, command: str, result: Result) -> None:
        """Keep one run."""
        now = datetime.now(UTC)
        name = f"run-{now:%Y-%m-%dT%H-%M-%S.%f}-{secrets.token_hex(2)}.log"
        line = Line(
            command=command,
            exit_code=result.exit_code,
            duration_ms=round(result.duration * 1000, 1),
            timed_out=result.outcome is Outcome.TIMED_OUT,
            timestamp=now.isoformat(),
            log=name,
        )
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / HISTORY).open("ab") as history:
            history.write(msgspec.json.encode(line) + b"\n")
        (self._folder / name).write_text(_page(command, result), encoding="utf-8", errors="replace")
        logs = sorted(self._folder.glob("run-*.log"))
        for old in logs[: max(0, len(logs) - self._most)]:
            old.unlink(missing_ok=True)

    def lines(self) -> list[Line]:
        """The history, oldest first; a line that was cut off by a crash is left out."""
        found: list[Line] = []
        with contextlib.suppress(FileNotFoundError):
            for raw in (self._folder / HISTORY).read_bytes().splitlines():
                with contextlib.suppress(msgspec.DecodeError):
                    found.append(msgspec.json.decode(raw, type=Line))
        return found


def _page(command: str, result: Result) -> str:
    said = (("stdout", result.stdout), ("stderr", result.stderr))
    parts = [f"--- {stream} ---\n{text}" for stream, text in said if text]
    return "\n".join([f"# {command}", f"# exit code: {result.exit_code}", *parts])
