"""One document of an engine's stats stream."""

from __future__ import annotations

import json

import msgspec
import pytest

from sandbox_tui.backends.containers.vitals.stats import read_stats

DOCUMENT: dict[str, object] = {
    "read": "2026-11-21T00:28:35.5Z",
    "preread": "0001-01-01T00:00:00Z",
    "pids_stats": {"current": 3},
    "blkio_stats": {
        "io_service_bytes_recursive": [
            {"major": 8, "minor": 0, "op": "Read", "value": 10},
            {"major": 8, "minor": 0, "op": "write", "value": 20},
            {"major": 8, "minor": 0, "op": "Total", "value": 30},
        ]
    },
    "cpu_stats": {"cpu_usage": {"total_usage": 2_500_000_000}, "online_cpus": 2},
    "memory_stats": {"usage": 5000, "limit": 10_000, "stats": {"inactive_file": 2000}},
    "networks": {
        "eth0": {"rx_bytes": 5, "tx_bytes": 6},
        "eth1": {"rx_bytes": 1, "tx_bytes": 1},
    },
}


def test_all_is_read() -> None:
    counters = read_stats(json.dumps(DOCUMENT).encode())

    assert counters is not None
    assert counters.at == 1795220915.5
    assert (counters.cpu, counters.pids) == (2.5, 3)
    assert (counters.memory, counters.memory_limit) == (3000, 10_000)
    assert (counters.received, counters.sent) == (6, 7)
    assert (counters.read, counters.written) == (10, 20)


def test_what_is_missing_or_null_is_nothing() -> None:
    missing = {"networks": None, "blkio_stats": {"io_service_bytes_recursive": None}}
    counters = read_stats(json.dumps({**DOCUMENT, **missing, "memory_stats": {}}).encode())

    assert counters is not None
    assert (counters.received, counters.read, counters.memory_limit) == (0, 0, None)


def test_version_1_counts_the_cache_of_the_whole_container() -> None:
    memory = {"usage": 5000, "stats": {"inactive_file": 1, "total_inactive_file": 2000}}
    counters = read_stats(json.dumps({**DOCUMENT, "memory_stats": memory}).encode())

    assert counters is not None
    assert counters.memory == 3000


@pytest.mark.parametrize("read", ["0001-01-01T00:00:00Z", "2026-11-21T00:28:35Z"])
def test_what_has_used_no_processor_was_not_measured(read: str) -> None:
    assert read_stats(json.dumps({**DOCUMENT, "read": read, "cpu_stats": {}}).encode()) is None


@pytest.mark.parametrize(
    "line", [b"{", b"{}", b"[]", json.dumps({**DOCUMENT, "read": "yesterday"}).encode()]
)
def test_other_documents_are_an_error(line: bytes) -> None:
    with pytest.raises((msgspec.MsgspecError, ValueError)):
        read_stats(line)
