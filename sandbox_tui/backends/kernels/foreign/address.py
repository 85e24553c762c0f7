"""Where a Jupyter server listens, and what opens it: as Jupyter prints it, or as it notes it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit, urlunsplit

import msgspec

from sandbox_tui.backends.kernels.foreign.discovery import runtime_folder

NOTES = ("jpserver-*.json", "nbserver-*.json")
"""What running servers leave in Jupyter's runtime folder; older ones the second."""


class ServerAddress(NamedTuple):
    """A server. Its token is in no text that is made of it."""

    url: str
    """As `http://gpu1:8888/user/ann/`; ends with a slash."""
    token: str = ""

    @property
    def where(self) -> str:
        """The place of its rooms: `gpu1:8888/user/ann`."""
        return self.url.partition("://")[2].rstrip("/")

    def __repr__(self) -> str:
        return f"ServerAddress({self.url!r})"


class _Note(msgspec.Struct):
    """What a server writes down about itself."""

    url: str
    pid: int
    token: str = ""
    password: bool = False
    sock: str = ""


def parse_address(text: str) -> ServerAddress:
    """An address as Jupyter prints it, with or without `?token=`, and whatever page it opens."""
    parts = urlsplit(text)
    path = parts.path.rstrip("/")
    for page in ("/lab", "/tree"):
        path = path.removesuffix(page)
    url = urlunsplit((parts.scheme, parts.netloc, f"{path}/", "", ""))
    return ServerAddress(url, parse_qs(parts.query).get("token", [""])[0])


def servers(named: Iterable[str], folder: Path | None = None) -> list[ServerAddress]:
    """The servers of these addresses, and every one that runs here and lets this user in.

    One that is named is not repeated. Reads files: call it in a thread.
    """
    addresses = [parse_address(text) for text in named]
    known = {address.where for address in addresses}
    found = running(runtime_folder() if folder is None else folder)
    return addresses + [address for address in found if address.where not in known]


def running(folder: Path) -> Iterator[ServerAddress]:
    """Those that left a note there, still run, and need no password and no socket file."""
    for path in sorted(path for pattern in NOTES for path in folder.glob(pattern)):
        try:
            note = msgspec.json.decode(path.read_bytes(), type=_Note)
        except (OSError, msgspec.MsgspecError):
            continue  # half written, or of another version
        opens = bool(note.token) or not note.password
        if opens and not note.sock and _lives(note.pid):
            yield parse_address(note.url)._replace(token=note.token)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
