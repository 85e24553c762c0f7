"""Where tmux servers listen, and whether one does.

A socket file outlives its server, so a file proves nothing: only a connection does. It costs
microseconds where a `tmux` process costs milliseconds, and a client that attaches to no server
would start one.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

DEFAULT = "default"
"""The name that tmux gives the socket of the server that nobody named."""


_BASE = "/tmp"


def folder() -> str:
    """The folder of this user's named sockets, found as tmux finds it."""
    base = os.environ.get("TMUX_TMPDIR") or _BASE
    try:
        os.lstat(base)
    except OSError:
        base = _BASE
    return f"{base}/tmux-{os.getuid()}"


def path_of(name: str) -> str:
    """The path behind a socket's name; a path is its own, an empty name is the default server."""
    return name if "/" in name else f"{folder()}/{name or DEFAULT}"


def arguments(name: str) -> tuple[str, str]:
    """What makes `tmux` use that socket, whatever `$TMUX` says."""
    return ("-S", name) if "/" in name else ("-L", name or DEFAULT)


def listens(path: str) -> bool:
    """Whether a server accepts connections there. Raises `OSError` when it may not be asked."""
    with socket.socket(socket.AF_UNIX) as caller:
        caller.setblocking(False)
        try:
            caller.connect(path)
        except BlockingIOError:
            return True  # its queue is full: somebody listens, and is slow
        except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
            return False
    return True


def live_sockets() -> list[str]:
    """The names of this user's servers that listen now, the default one first as `""`."""
    try:
        names = {path.name for path in Path(folder()).iterdir()}
    except FileNotFoundError:
        return []
    live = {name for name in names if _is_live(name)}
    return [""] * (DEFAULT in live) + sorted(live - {DEFAULT})


def _is_live(name: str) -> bool:
    try:
        return listens(path_of(name))
    except OSError:
        return False  # not a server that this user could use
