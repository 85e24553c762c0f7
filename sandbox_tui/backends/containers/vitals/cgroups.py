"""Counters of a local container from the kernel's own files, versions 1 and 2 and both together.

An engine takes half a second for one measurement of one container; these files take microseconds.
The way to them is the process: `/proc/PID/cgroup` names the folders, and that they bear the
container's id proves that the process is its own and not one of another machine's numbering.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from sandbox_tui.backends.containers.vitals.counters import Counters

UNIFIED = ""
"""Name of the version 2 hierarchy, which has all controllers or those that version 1 leaves."""

_UNLIMITED = 1 << 60
_ENOUGH = 64 * 1024
_BLKIO = "blkio.throttle.io_service_bytes_recursive"
_LIMITS = ("cpu.max", "cpu.cfs_quota_us", "cpu.cfs_period_us", "memory.max",
           "memory.limit_in_bytes")  # fmt: skip
_FILES = (
    ("cpuacct", "cpuacct.usage"),
    ("cpu", "cpu.cfs_quota_us"),
    ("cpu", "cpu.cfs_period_us"),
    ("memory", "memory.usage_in_bytes"),
    ("memory", "memory.limit_in_bytes"),
    ("memory", "memory.stat"),
    ("pids", "pids.current"),
    ("blkio", _BLKIO),
    (UNIFIED, "cpu.stat"),
    (UNIFIED, "cpu.max"),
    (UNIFIED, "memory.current"),
    (UNIFIED, "memory.max"),
    (UNIFIED, "memory.stat"),
    (UNIFIED, "pids.current"),
    (UNIFIED, "io.stat"),
)

_USAGE = re.compile(r"^usage_usec (\d+)", re.MULTILINE)
_INACTIVE = re.compile(r"^inactive_file (\d+)", re.MULTILINE)
_TOTAL_INACTIVE = re.compile(r"^total_inactive_file (\d+)", re.MULTILINE)
_READ = re.compile(r"(?: Read |rbytes=)(\d+)")
_WRITTEN = re.compile(r"(?: Write |wbytes=)(\d+)")


class Mount(NamedTuple):
    """Where a hierarchy is mounted, and which of its folders is the top there."""

    point: Path
    root: str

    def folder(self, path: str) -> Path:
        """The folder of a cgroup by its path from the hierarchy's own top."""
        return self.point / path.removeprefix(self.root).lstrip("/")


def read_mounts(mountinfo: str) -> dict[str, Mount]:
    """Mounted hierarchies by controller, from the text of `/proc/self/mountinfo`."""
    mounts: dict[str, Mount] = {}
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        root, point = left.split(" ")[3:5]
        kind, _, options = right.split(" ", 2)
        names = [UNIFIED] if kind == "cgroup2" else options.split(",") if kind == "cgroup" else []
        mounts |= {name: Mount(Path(point), root.rstrip("/")) for name in names}
    return mounts


def read_membership(text: str, container_id: str) -> dict[str, str]:
    """Path of the container by controller, from the text of `/proc/PID/cgroup`.

    Empty when the process is not in a cgroup of that container. What runs inside may have made
    cgroups of its own below: the path ends at the container's.
    """
    paths: dict[str, str] = {}
    for line in text.splitlines():
        _, controllers, path = line.split(":", 2)
        folders = path.split("/")
        own = next((i for i, folder in enumerate(folders) if container_id in folder), None)
        if own is not None:
            paths |= dict.fromkeys(controllers.split(","), "/".join(folders[: own + 1]))
    return paths


def find_files(pid: int, container_id: str, proc: Path = Path("/proc")) -> dict[str, Path]:
    """The files to read for a container, by name; none when it is not of this machine."""
    try:
        membership = read_membership((proc / str(pid) / "cgroup").read_text(), container_id)
        mounts = read_mounts((proc / "self/mountinfo").read_text())
    except OSError:
        return {}
    found = {"net/dev": proc / str(pid) / "net/dev"} if membership else {}
    for controller, name in _FILES:
        if controller in membership and controller in mounts:
            path = mounts[controller].folder(membership[controller]) / name
            if path.exists():
                found[name] = path
    return found if found.keys() & {"cpuacct.usage", "cpu.stat"} else {}


class Gauges:
    """The files of one container, open, or (`keep` false) opened for each reading."""

    def __init__(self, files: Mapping[str, Path], *, keep: bool = True) -> None:
        self._files = files
        self._open: dict[str, int] = {}
        limits = {name: self._text(name) for name in _LIMITS if name in files}
        self._cpu_limit = _cpu_limit(limits)
        self._memory_limit = _memory_limit(limits)
        if keep:
            self._open = {name: _open(files[name]) for name in files if name not in _LIMITS}

    def read(self) -> Counters:
        """Read all. Raises `OSError` when the container is gone."""
        received, sent = _traffic(self._text("net/dev"))
        read, written = self._block_bytes()
        return Counters(
            at=time.time(),
            cpu=_cpu(self._text("cpu.stat"), self._text("cpuacct.usage")),
            cpu_limit=self._cpu_limit,
            memory=self._memory(),
            memory_limit=self._memory_limit,
            pids=_number(self._text("pids.current")),
            received=received,
            sent=sent,
            read=read,
            written=written,
        )

    def close(self) -> None:
        """Close the files."""
        while self._open:
            os.close(self._open.popitem()[1])

    def _memory(self) -> int | None:
        """Without what is only cached: version 1 has that for the container and for all in it."""
        used = _number(self._text("memory.current") or self._text("memory.usage_in_bytes"))
        stat = self._text("memory.stat")
        cache = _TOTAL_INACTIVE.search(stat) or _INACTIVE.search(stat)
        return used - int(cache[1]) if used is not None and cache else used

    def _block_bytes(self) -> tuple[int | None, int | None]:
        """Bytes read and written on all devices; an empty file says that there were none."""
        if not self._files.keys() & {"io.stat", _BLKIO}:
            return None, None
        text = self._text("io.stat") + self._text(_BLKIO)
        return sum(map(int, _READ.findall(text))), sum(map(int, _WRITTEN.findall(text)))

    def _text(self, name: str) -> str:
        """What the file says now; nothing when there is no such file."""
        if name not in self._files:
            return ""
        kept = self._open.get(name)
        opened = _open(self._files[name]) if kept is None else kept
        try:
            return os.pread(opened, _ENOUGH, 0).decode("ascii", "replace")
        finally:
            if kept is None:
                os.close(opened)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC)


def _number(text: str) -> int | None:
    return int(text) if text.strip().isdigit() else None


def _cpu(stat: str, usage: str) -> float | None:
    """Seconds, from microseconds in version 2 or nanoseconds in version 1."""
    nanoseconds, microseconds = _number(usage), _USAGE.search(stat)
    if nanoseconds is not None:
        return nanoseconds / 1e9
    return int(microseconds[1]) / 1e6 if microseconds else None


def _cpu_limit(limits: Mapping[str, str]) -> float | None:
    quota, _, period = limits.get("cpu.max", "").strip().partition(" ")
    quota = quota or limits.get("cpu.cfs_quota_us", "").strip()
    period = period or limits.get("cpu.cfs_period_us", "").strip()
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() else None


def _memory_limit(limits: Mapping[str, str]) -> int | None:
    limit = _number(limits.get("memory.max") or limits.get("memory.limit_in_bytes") or "")
    return None if limit is None or limit >= _UNLIMITED else limit


def _traffic(net_dev: str) -> tuple[int | None, int | None]:
    """Bytes received and sent on all interfaces but the loopback."""
    rows = [row.partition(":") for row in net_dev.splitlines()[2:]]
    counts = [numbers.split() for name, _, numbers in rows if name.strip() != "lo"]
    if not net_dev:
        return None, None
    return sum(int(row[0]) for row in counts), sum(int(row[8]) for row in counts)
