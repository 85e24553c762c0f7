"""What runs said, on disk: one file for each, written as they go on and read by their id later."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, cast

import msgspec

from sandbox_tui.documents.files import append
from sandbox_tui.documents.frames import framed, unframed
from sandbox_tui.model import codec
from sandbox_tui.model.outputs import Output, Result

MOST = 200
"""How many runs of a room are kept."""

MOST_BYTES = 512 * 1024 * 1024
"""How much they may be together; the newest is always kept."""

_ID = re.compile(r"[0-9a-f]{32}")
_SUFFIX = ".run"


class Head(msgspec.Struct, frozen=True, tag="head"):
    """What runs."""

    code: str
    cell_id: str | None = None


class Said(msgspec.Struct, frozen=True, tag="said"):
    """Something that it said."""

    output: Output


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """How it ended; the outputs of `result` are left out, as they were said."""

    result: Result


Entry = Head | Said | Ended


class RunRecord(NamedTuple):
    """One run; without a result when the program that kept it ended before."""

    head: Head
    outputs: list[Output]
    result: Result | None


def encoded(entry: Entry) -> bytes:
    """An entry as it is appended."""
    return framed(codec.to_msgpack(entry))


def write(folder: Path, execution_id: str, data: bytes) -> None:
    """Append to the record of a run. Raises `OSError`."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    append(folder / f"{execution_id}{_SUFFIX}", data, flags=os.O_CREAT)


def read(folder: Path, execution_id: str) -> RunRecord | None:
    """The record of a run; `None` when there is none (any more)."""
    if not _ID.fullmatch(execution_id):
        return None  # it is no id, and must not become a path
    try:
        data = (folder / f"{execution_id}{_SUFFIX}").read_bytes()
        entries = [
            codec.from_msgpack(body, cast("type[Entry]", Entry)) for body in unframed(data).bodies
        ]
    except (OSError, msgspec.MsgspecError):
        return None
    head = next((entry for entry in entries if isinstance(entry, Head)), None)
    if head is None:
        return None
    outputs = [entry.output for entry in entries if isinstance(entry, Said)]
    result = next((entry.result for entry in entries if isinstance(entry, Ended)), None)
    return RunRecord(head, outputs, result)


def prune(folder: Path) -> None:
    """Remove the oldest records beyond what is kept."""
    found = sorted(
        ((stat.st_mtime_ns, stat.st_size, path) for path, stat in _files(folder)), reverse=True
    )
    total = 0
    for place, (_, size, path) in enumerate(found):
        total += size
        if place >= MOST or (place and total > MOST_BYTES):
            path.unlink(missing_ok=True)


def _files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for path in folder.glob(f"*{_SUFFIX}"):
        try:
            yield path, path.stat()
        except FileNotFoundError:
            continue
