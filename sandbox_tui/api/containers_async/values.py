"""What the calls of this face answer with."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

from sandbox_tui.model.outputs import Outcome, Output, Result, Text


@dataclasses.dataclass(frozen=True)
class ExecResult:
    """One command that has ended. A command that fails is a result, never an exception."""

    exit_code: int
    """-1 where there is none: it ran out of time, or was ended."""
    stdout: str = ""
    stderr: str = ""
    duration_ms: float = 0.0
    timed_out: bool = False
    truncated: bool = False
    """Whether it said more than `max_output`; the beginning is what is kept."""
    stdout_bytes: bytes = b""
    stderr_bytes: bytes = b""

    @property
    def ok(self) -> bool:
        """Whether it ended by itself and with 0."""
        return self.exit_code == 0 and not self.timed_out


@dataclasses.dataclass(frozen=True)
class StreamChunk:
    """A piece of output, as it came."""

    stream: str
    """`stdout` or `stderr`."""
    data: str


@dataclasses.dataclass(frozen=True)
class BufferSnapshot:
    """Output that waits to be read."""

    stdout: str
    stderr: str


@dataclasses.dataclass(frozen=True)
class ContainerInfo:
    """How a container is now. Memory is without the page cache."""

    id: str
    name: str
    status: str
    """`running`, `exited`, `paused`, …"""
    image: str
    created_at: datetime
    started_at: datetime | None = None
    uptime: timedelta | None = None
    memory_usage: str = ""
    """As `1.6 MB`."""
    memory_limit: str = ""
    memory_percent: float = 0.0
    cpu_percent: float = 0.0
    """100 is one core fully used."""
    pids: int = 0
    network: bool = False
    ip_address: str = ""
    ports: dict[int, int] = dataclasses.field(default_factory=dict[int, int])
    """Port of this machine → port inside."""
    processes: tuple[dict[str, str], ...] = ()
    """By column of `ps`; what runs the commands for this program is left out."""


@dataclasses.dataclass(frozen=True)
class ContainerListItem:
    """One container of a listing."""

    id: str
    name: str
    status: str
    image: str
    created_at: str
    """As `2026-11-21T03:25:25+00:00`."""
    persist: bool
    project: str


@dataclasses.dataclass(frozen=True)
class ProfileInfo:
    """A named kind of containers."""

    name: str
    image_tag: str
    dockerfile_dir: str
    """Folder with its Dockerfile; empty for one that has none."""
    network_default: bool
    description: str
    size_estimate: str


@dataclasses.dataclass(frozen=True)
class DoctorReport:
    """A project's folders beside the engine's containers."""

    orphaned_containers: tuple[str, ...]
    """Containers of the project that persist and have no folder."""
    stale_instance_dirs: tuple[str, ...]
    """Folders whose container is gone."""
    healthy: int
    """How many have both."""


def exec_result(result: Result) -> ExecResult:
    """The result of a run, as this face tells it."""
    code = result.exit_code if result.outcome in (Outcome.OK, Outcome.ERROR) else None
    return ExecResult(
        exit_code=-1 if code is None else code,
        stdout=result.stdout,
        stderr=result.stderr,
        duration_ms=round(result.duration * 1000, 3),
        timed_out=result.outcome is Outcome.TIMED_OUT,
        truncated=result.truncated,
        stdout_bytes=result.stdout_bytes,
        stderr_bytes=result.stderr_bytes,
    )


def chunk(output: Output) -> StreamChunk:
    """A piece of output, as this face tells it; containers say nothing but text."""
    assert isinstance(output, Text)
    return StreamChunk("stderr" if output.stream == "stderr" else "stdout", output.text)
