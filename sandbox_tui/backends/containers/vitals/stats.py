"""Counters from the engine itself, where its processes are not this machine's.

One stream, and one thread that waits on it, for each container that is looked at; it ends a few
seconds after nobody has asked for it any more.
"""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import closing
from datetime import datetime

import msgspec

from sandbox_tui.backends.containers.engine.link import Link
from sandbox_tui.backends.containers.engine.replies import Box
from sandbox_tui.backends.containers.engine.stream import Stream
from sandbox_tui.backends.containers.vitals.counters import Counters
from sandbox_tui.model.errors import SandboxError

FORGET_SECONDS = 5.0
MOST_STREAMS = 64


class _Usage(msgspec.Struct):
    total_usage: int = 0


class _Cpu(msgspec.Struct):
    cpu_usage: _Usage = msgspec.field(default_factory=_Usage)


class _MemoryParts(msgspec.Struct):
    inactive_file: int = 0
    total_inactive_file: int = 0


class _Memory(msgspec.Struct):
    usage: int = 0
    limit: int = 0
    stats: _MemoryParts | None = None


class _Pids(msgspec.Struct):
    current: int | None = None


class _Network(msgspec.Struct):
    rx_bytes: int = 0
    tx_bytes: int = 0


class _Operations(msgspec.Struct):
    op: str = ""
    value: int = 0


class _Block(msgspec.Struct):
    io_service_bytes_recursive: list[_Operations] | None = None


class _Stats(msgspec.Struct):
    read: str
    cpu_stats: _Cpu = msgspec.field(default_factory=_Cpu)
    memory_stats: _Memory = msgspec.field(default_factory=_Memory)
    pids_stats: _Pids = msgspec.field(default_factory=_Pids)
    blkio_stats: _Block = msgspec.field(default_factory=_Block)
    networks: dict[str, _Network] | None = None


_STATS = msgspec.json.Decoder(_Stats)


def read_stats(line: bytes) -> Counters | None:
    """Counters from one document of the stream; `None` when nothing was measured.

    Whatever runs has used its processor. Docker sends empty documents of a container that has
    ended, and Podman of those without a cgroup of their own (rootless, version 1), with the memory
    of the whole machine.

    Raises `msgspec.MsgspecError`, `ValueError`.
    """
    stats = _STATS.decode(line)
    if not stats.cpu_stats.cpu_usage.total_usage:
        return None
    memory, parts = stats.memory_stats, stats.memory_stats.stats or _MemoryParts()
    operations = stats.blkio_stats.io_service_bytes_recursive or []
    networks = (stats.networks or {}).values()
    return Counters(
        at=datetime.fromisoformat(stats.read).timestamp(),
        cpu=stats.cpu_stats.cpu_usage.total_usage / 1e9,
        memory=memory.usage - (parts.total_inactive_file or parts.inactive_file),
        memory_limit=memory.limit or None,
        pids=stats.pids_stats.current,
        received=sum(network.rx_bytes for network in networks),
        sent=sum(network.tx_bytes for network in networks),
        read=sum(one.value for one in operations if one.op.lower() == "read"),
        written=sum(one.value for one in operations if one.op.lower() == "write"),
    )


class StatsStreams:
    """The streams of what is looked at. Lives on the loop."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._feeds: dict[str, _Feed] = {}
        self._sweep: asyncio.TimerHandle | None = None

    def latest(self, box: Box) -> Counters | None:
        """The last measurement; the first comes a second or two after the first asking."""
        feed = self._feeds.get(box.id)
        if feed is None or feed.over:
            if len(self._feeds) >= MOST_STREAMS:
                return None
            feed = self._feeds[box.id] = _Feed(self._link, box)
        feed.asked_at = time.monotonic()
        self._sweep = self._sweep or self._sweep_later()
        return feed.counters

    def close(self) -> None:
        """End all streams."""
        for feed in self._feeds.values():
            feed.stop()
        self._feeds.clear()
        if self._sweep is not None:
            self._sweep.cancel()

    def _sweep_later(self) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(FORGET_SECONDS, self._forget)

    def _forget(self) -> None:
        """End what nobody has asked for since the last sweep."""
        before = time.monotonic() - FORGET_SECONDS
        for container_id, feed in list(self._feeds.items()):
            if feed.over or feed.asked_at <= before:
                feed.stop()
                del self._feeds[container_id]
        self._sweep = self._sweep_later() if self._feeds else None


class _Feed:
    """One stream, and the thread that reads it."""

    def __init__(self, link: Link, box: Box) -> None:
        self._link = link
        self._box = box
        self._stream: Stream | None = None
        self._stopped = False
        self.over = False
        self.asked_at = 0.0
        self.counters: Counters | None = None
        name = f"measurements of {box.ref}"
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def stop(self) -> None:
        """End it, from the loop."""
        self._stopped = True
        if self._stream is not None:
            self._stream.stop()

    def _work(self) -> None:
        try:
            self._read(self._link.call(lambda engine: engine.stats(self._box)))
        except SandboxError:  # no vitals, then: the poll has the same trouble, and tells it
            self.counters = None
        finally:
            self.over = True

    def _read(self, stream: Stream) -> None:
        self._stream = stream
        rest = b""
        with closing(stream):
            while not self._stopped and (data := stream.read()):
                *lines, rest = (rest + data).split(b"\n")
                for line in filter(None, lines):
                    with stream.talking():
                        self.counters = read_stats(line)
