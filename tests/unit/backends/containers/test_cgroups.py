"""The kernel's files: both layouts, and both together."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox_tui.backends.containers.vitals.cgroups import (
    Gauges,
    Mount,
    find_files,
    read_membership,
    read_mounts,
)
from sandbox_tui.backends.containers.vitals.counters import Counters, vitals_between

ID = "ab" * 32
OTHER = "cd" * 32

NET = """Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs
    lo:    9000       9    0    0    0     0          0         0     9000       9    0
  eth0:    1000       9    0    0    0     0          0         0      500       9    0
  eth1:       1       9    0    0    0     0          0         0        2       9    0
"""
V1 = {
    "cpuacct/cpuacct.usage": "2500000000\n",
    "cpu/cpu.cfs_quota_us": "150000\n",
    "cpu/cpu.cfs_period_us": "100000\n",
    "memory/memory.usage_in_bytes": "5000\n",
    "memory/memory.limit_in_bytes": "9223372036854771712\n",
    "memory/memory.stat": "cache 9\ninactive_file 1\ntotal_inactive_file 2000\n",
    "pids/pids.current": "7\n",
    "blkio/blkio.throttle.io_service_bytes_recursive": "8:0 Read 10\n8:0 Write 20\n8:16 Read 5\n"
    "8:0 Total 30\nTotal 35\n",
}
V2 = {
    "cpu.stat": "usage_usec 2500000\nuser_usec 1\n",
    "cpu.max": "max 100000\n",
    "memory.current": "5000\n",
    "memory.max": "1000000\n",
    "memory.stat": "anon 1\ninactive_file 2000\nactive_file 3\n",
    "pids.current": "7\n",
    "io.stat": "8:0 rbytes=10 wbytes=20 rios=1 wios=1\n8:16 rbytes=5 wbytes=0\n",
}


class Machine:
    """A made-up /proc and /sys of a machine."""

    def __init__(self, root: Path) -> None:
        self.proc = root / "proc"
        self.sys = root / "sys"

    def write(self, path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def process(self, pid: int, cgroup: str, mounts: list[str]) -> None:
        self.write(self.proc / str(pid) / "cgroup", cgroup)
        self.write(self.proc / str(pid) / "net/dev", NET)
        self.write(self.proc / "self/mountinfo", "\n".join(mounts))

    def mount(self, kind: str, folder: str, options: str) -> str:
        return f"33 31 0:30 / {self.sys / folder} rw,relatime shared:1 - {kind} {kind} {options}"

    def version_1(self) -> None:
        names = ("cpu", "cpuacct", "memory", "pids", "blkio")
        mounts = [self.mount("cgroup", name, f"rw,{name}") for name in names]
        cgroup = "".join(f"{n}:{name}:/docker/{ID}\n" for n, name in enumerate(names))
        self.process(42, cgroup, mounts)
        for name, text in V1.items():
            controller, _, file = name.partition("/")
            self.write(self.sys / controller / "docker" / ID / file, text)

    def version_2(self) -> None:
        scope = f"/system.slice/docker-{ID}.scope"
        self.process(42, f"0::{scope}/init/child\n", [self.mount("cgroup2", "unified", "rw")])
        for name, text in V2.items():
            self.write(self.sys / "unified" / scope.lstrip("/") / name, text)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def read(machine: Machine, *, keep: bool = True) -> Counters:
    gauges = Gauges(find_files(42, ID, machine.proc), keep=keep)
    counters = gauges.read()
    gauges.close()
    return counters


@pytest.mark.parametrize("keep", [True, False])
def test_version_1(machine: Machine, keep: bool) -> None:
    machine.version_1()
    counters = read(machine, keep=keep)

    assert (counters.cpu, counters.cpu_limit) == (2.5, 1.5)
    assert (counters.memory, counters.memory_limit) == (3000, None)
    assert (counters.read, counters.written, counters.pids) == (15, 20, 7)
    assert (counters.received, counters.sent) == (1001, 502)


@pytest.mark.parametrize("keep", [True, False])
def test_version_2(machine: Machine, keep: bool) -> None:
    machine.version_2()
    counters = read(machine, keep=keep)

    assert (counters.cpu, counters.cpu_limit) == (2.5, None)
    assert (counters.memory, counters.memory_limit) == (3000, 1_000_000)
    assert (counters.read, counters.written, counters.pids) == (15, 20, 7)
    assert (counters.received, counters.sent) == (1001, 502)


def test_what_a_layout_lacks_is_unknown_not_nothing(machine: Machine) -> None:
    machine.process(42, f"0::/docker/{ID}\n", [machine.mount("cgroup2", "unified", "rw")])
    machine.write(machine.sys / "unified/docker" / ID / "cpu.stat", "usage_usec 1000000\n")
    counters = read(machine)

    assert counters.cpu == 1.0
    assert (counters.memory, counters.pids, counters.read) == (None, None, None)


def test_a_process_of_another_numbering_is_not_ours(machine: Machine) -> None:
    machine.version_1()

    assert find_files(42, OTHER, machine.proc) == {}
    assert find_files(43, ID, machine.proc) == {}


def test_a_container_that_is_gone_is_an_error(machine: Machine) -> None:
    machine.version_1()
    gauges = Gauges(find_files(42, ID, machine.proc), keep=False)
    (machine.sys / "cpuacct/docker" / ID / "cpuacct.usage").unlink()

    with pytest.raises(OSError, match=r"cpuacct\.usage"):
        gauges.read()


def test_controllers_that_share_a_mount() -> None:
    mounts = read_mounts("33 31 0:30 / /c rw - cgroup cgroup rw,cpu,cpuacct\n")

    assert mounts["cpu"] == mounts["cpuacct"] == Mount(Path("/c"), "")


def test_a_mount_that_shows_a_part_of_the_tree() -> None:
    mounts = read_mounts("33 31 0:30 /docker /c rw - cgroup2 cgroup rw\n")

    assert mounts[""].folder(f"/docker/{ID}") == Path("/c") / ID


def test_the_path_ends_at_the_container() -> None:
    text = f"2:cpu,cpuacct:/docker/{ID}/system.slice\n1:name=systemd:/docker/{ID}\n0::/\n"

    assert read_membership(text, ID) == {
        "cpu": f"/docker/{ID}",
        "cpuacct": f"/docker/{ID}",
        "name=systemd": f"/docker/{ID}",
    }


def test_one_reading_has_no_rates() -> None:
    vitals = vitals_between(None, Counters(at=10.0, cpu=5.0, memory=3))

    assert (vitals.cpu, vitals.memory) == (None, 3)


def test_rates_are_per_second_of_the_readings() -> None:
    before = Counters(at=10.0, cpu=5.0, received=100, sent=0, read=0, written=7)
    vitals = vitals_between(before, Counters(at=12.0, cpu=8.0, received=300, sent=0, written=7))

    assert vitals.cpu == 1.5
    assert (vitals.received, vitals.sent, vitals.read, vitals.written) == (100.0, 0.0, None, 0.0)


def test_a_total_that_began_anew_has_no_rate() -> None:
    before = Counters(at=10.0, cpu=5.0)

    assert vitals_between(before, Counters(at=11.0, cpu=1.0)).cpu is None
    assert vitals_between(before, Counters(at=10.0, cpu=6.0)).cpu is None
