"""Who is at the other end of a Unix socket, as the kernel knows it."""

from __future__ import annotations

import os
import socket
import struct
from typing import NamedTuple, Protocol


class HasOptions(Protocol):
    """A socket, or asyncio's stand-in for one."""

    def getsockopt(self, level: int, option: int, length: int, /) -> bytes:
        """See `socket.socket.getsockopt`."""
        ...


class Peer(NamedTuple):
    """A process as it was when it connected, or when it began to listen."""

    pid: int
    """0 when the process is in a container that does not show it."""
    uid: int

    @property
    def is_me(self) -> bool:
        """Whether it belongs to this process's own user."""
        return self.uid == os.geteuid()


_CREDENTIALS = struct.Struct("3i")


def peer_of(connected: HasOptions) -> Peer | None:
    """The other end; `None` on systems that do not tell, where the folder's mode must do."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return None
    answer = connected.getsockopt(socket.SOL_SOCKET, option, _CREDENTIALS.size)
    pid, uid, _ = _CREDENTIALS.unpack(answer)
    return Peer(pid, uid)
