"""Files inside a sandbox, as values."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class FileKind(StrEnum):
    """What a name in a folder stands for."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    OTHER = "other"


class FileEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One name in a folder."""

    name: str
    kind: FileKind
    size: int = 0
    """In bytes."""
    mode: int = 0
    """Permission bits."""
    modified_at: float | None = None
    """Seconds since the epoch."""
    target: str = ""
    """Where a link points to."""
