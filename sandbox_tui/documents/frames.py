"""Append-only files of frames: what was written before a crash is read after it.

A frame is its length, the checksum of its body, and the body. What follows the last whole frame was
being written when the program, or the machine, ended.
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

_HEAD = struct.Struct(">II")


class Frames(NamedTuple):
    """The bodies of whole frames, and where the last of them ends."""

    bodies: list[bytes]
    end: int


def framed(body: bytes) -> bytes:
    """`body` as it is appended to a file."""
    return _HEAD.pack(len(body), zlib.crc32(body)) + body


def unframed(data: bytes, start: int = 0) -> Frames:
    """Every sound frame of `data` from `start` on, up to the first that is not."""
    bodies: list[bytes] = []
    while start + _HEAD.size <= len(data):
        length, checksum = _HEAD.unpack_from(data, start)
        end = start + _HEAD.size + length
        body = data[start + _HEAD.size : end]
        if len(body) < length or zlib.crc32(body) != checksum:
            break
        bodies.append(body)
        start = end
    return Frames(bodies, start)


def is_torn(data: bytes, end: int) -> bool:
    """Whether what follows `end` is the beginning of one frame, as an interrupted writer leaves."""
    rest = len(data) - end
    return rest < _HEAD.size or rest - _HEAD.size < _HEAD.unpack_from(data, end)[0]
