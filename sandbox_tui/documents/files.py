"""Files that are replaced whole, or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def replace(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Let the file be `data`; it is on the disk when this returns. Raises `OSError`."""
    fresh = path.with_name(f"{path.name}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        write_all(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    fresh.replace(path)
    _sync_folder(path.parent)


def append(path: Path, data: bytes, *, flags: int = 0, sync: bool = False) -> None:
    """Add all of `data` at the end, or nothing of it. Raises `OSError`."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | flags, 0o600)
    try:
        before = os.fstat(descriptor).st_size
        try:
            write_all(descriptor, data)
        except OSError:
            os.ftruncate(descriptor, before)
            raise
        if sync:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def set_aside(path: Path) -> None:
    """Give it a name under which nobody looks for it; where that fails it stays."""
    try:
        path.rename(aside(path))
    except OSError:
        return  # it is told, and replaced only when something of that name is saved


def aside(path: Path) -> Path:
    """A free name beside `path` for what is broken."""
    number = 1
    while (free := path.with_suffix(f".broken-{number}")).exists():
        number += 1
    return free


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte. Raises `OSError`."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _sync_folder(folder: Path) -> None:
    """A rename is on the disk when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
