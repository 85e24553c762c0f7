"""Where a server listens and with which token: the API and the dashboard's page alike."""

from __future__ import annotations

import errno
import os
import socket
from typing import NamedTuple

import msgspec

from sandbox_tui.model.errors import UsageError
from sandbox_tui.server.http.auth import is_loopback, new_token
from sandbox_tui.settings.schema import Server


class Wish(NamedTuple):
    """What the command line says; `None` where it says nothing."""

    host: str | None = None
    port: int | None = None
    token: str | None = None

    def over(self, settings: Server) -> Server:
        """The settings with it laid over."""
        return msgspec.structs.replace(
            settings,
            host=settings.host if self.host is None else self.host,
            port=settings.port if self.port is None else self.port,
        )


class Listening(NamedTuple):
    """A socket that listens, and how it is reached."""

    socket: socket.socket
    url: str
    token: str
    generated: bool
    """Whether nobody chose the token: it has to be told."""


def listen(settings: Server, wish: Wish, *, always: bool = False) -> Listening:
    """Take the port. Raises `UsageError` with the reason.

    Without a token nobody outside of this machine may be let in, so one is made when nobody gave
    one and others could reach the port; `always` makes one for this machine's own users too.
    """
    settings = wish.over(settings)
    given = wish.token or os.environ.get("SANDBOX_TUI_TOKEN", "")
    os.environ.pop("SANDBOX_TUI_TOKEN", None)  # what is started from here is not to know it
    made = not given and (always or not is_loopback(settings.host))
    bound = _bound(settings.host, settings.port)
    port = bound.getsockname()[1]
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return Listening(bound, f"http://{host}:{port}", new_token() if made else given, made)


def names_of(settings: Server) -> tuple[str, ...]:
    """The names that requests may call this machine by, beside localhost and addresses."""
    return (*settings.names, settings.host, socket.gethostname())


def _bound(host: str, port: int) -> socket.socket:
    """A listening socket; the port of a server that has just ended can be taken at once."""
    passive = socket.AI_PASSIVE
    try:
        [first, *_] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=passive)
    except OSError as error:
        hint = "Use an address of this machine, as 127.0.0.1 or 0.0.0.0."
        raise UsageError(f"cannot listen on {host}: {error.strerror}", hint=hint) from None
    family, kind, protocol, _, address = first
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(512)
    except OSError as error:
        bound.close()
        raise _refused(host, port, error) from None
    bound.setblocking(False)
    return bound


def _refused(host: str, port: int, error: OSError) -> UsageError:
    hints = {
        errno.EADDRINUSE: "Choose another one with --port, or 0 for any.",
        errno.EACCES: "Choose a port from 1024 on.",
    }
    hint = hints.get(error.errno or 0, "Use an address of this machine, as 127.0.0.1.")
    return UsageError(f"cannot listen on {host}:{port}: {error.strerror}", hint=hint)
