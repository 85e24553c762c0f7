"""What an engine tells of its work on images: one JSON document after another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from sandbox_tui.backends.containers.engine.stream import Stream

_LONGEST = 1024 * 1024


class Detail(msgspec.Struct, frozen=True):
    """How far one layer is, in bytes."""

    current: int = 0
    total: int = 0


class Aux(msgspec.Struct, frozen=True):
    """What was made."""

    id: str = msgspec.field(default="", name="ID")


class Said(msgspec.Struct, frozen=True, rename="camel"):
    """One word of an engine; which fields it has depends on what it is about."""

    status: str = ""
    id: str = ""
    progress_detail: Detail | None = None
    stream: str = ""
    error: str = ""
    aux: Aux | None = None


_DECODER = msgspec.json.Decoder(Said)


def words(stream: Stream) -> Iterator[Said]:
    """Everything that is said, until the end; what is about something else is passed over."""
    rest = b""
    while data := stream.read():
        *lines, rest = (rest + data).split(b"\n")
        rest = b"" if len(rest) > _LONGEST else rest
        yield from (said for line in lines if (said := _decoded(line)) is not None)
    if (said := _decoded(rest)) is not None:
        yield said


def _decoded(line: bytes) -> Said | None:
    try:
        return _DECODER.decode(line) if line.strip() else None
    except msgspec.MsgspecError:
        return None
