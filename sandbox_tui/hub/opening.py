"""A room from a notebook file of the user's: its cells, and the kernel that the file asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, cast

import msgspec

from sandbox_tui.backends.kernels.kernelspecs import find_spec
from sandbox_tui.backends.kernels.launch import OWN_PYTHON
from sandbox_tui.documents import notebook_files
from sandbox_tui.documents.ipynb import StoredNotebook
from sandbox_tui.documents.room_log import StoredRoom
from sandbox_tui.model.errors import InvalidSpecError
from sandbox_tui.model.specs import RoomSpec

ORDINARY = ("", OWN_PYTHON, "python3")
"""Kernels that are this program's own Python: nearly every notebook file names one of them."""


class Opened(NamedTuple):
    """What a room is to be, with what it begins with."""

    spec: RoomSpec
    notebook: StoredNotebook = StoredNotebook()
    word: str = ""
    """What a person should know about how it was opened."""

    @property
    def stored(self) -> StoredRoom:
        """A new room, as it begins."""
        return StoredRoom(spec=self.spec, notebook=self.notebook, runs=self.notebook.runs)


def brings(spec: RoomSpec, room: RoomSpec | None) -> bool:
    """Whether `spec` names a notebook file that the room there is, if any, is not from."""
    return spec.notebook not in ("", room.notebook if room else "")


def opened(spec: RoomSpec, *, runs: bool = True) -> Opened:
    """`spec` with its notebook file read. Blocks.

    Who names no kernel gets the one that the file names. A Python that is not installed is
    replaced by this program's own, any other raises `InvalidSpecError` with those there are if
    it `runs` now; so does a file that cannot be read.
    """
    if not spec.notebook:
        return Opened(spec)
    notebook = notebook_files.read(spec.notebook)
    name, language = _asked_for(notebook.metadata)
    if spec.kernel != OWN_PYTHON or name in ORDINARY:
        return Opened(spec, notebook)
    try:
        find_spec(name)
    except InvalidSpecError as error:
        if language == "python":
            return Opened(spec, notebook, f"{error.message}; this runs in python")
        if runs:
            raise
    return Opened(msgspec.structs.replace(spec, kernel=name), notebook)


def _asked_for(metadata: Mapping[str, object]) -> tuple[str, str]:
    """The kernel's name and its language; empty where the file does not say."""
    spec, info = _within(metadata, "kernelspec"), _within(metadata, "language_info")
    language = spec.get("language") or info.get("name") or ""
    return str(spec.get("name") or ""), str(language).lower()


def _within(metadata: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = metadata.get(key)
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}
