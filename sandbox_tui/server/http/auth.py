"""Who may ask: the right host, no foreign page, and the token where one is needed.

A page of another site can make a browser send requests here, and with a name that it points at
this machine it could even read the answers. So a request must name a host that is really this one,
and what a foreign page sends is refused whatever it carries. Knows no framework: the API and the
dashboard's page are guarded by the same rules.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
import secrets
from collections.abc import Collection, Mapping
from http.cookies import CookieError, SimpleCookie
from typing import NamedTuple
from urllib.parse import parse_qs, parse_qsl, quote, urlencode

LONG = 32
"""Bytes of a generated token."""


_HOST = re.compile(r"(?:\[(?P<address>[0-9A-Fa-f:.]+)\]|(?P<name>[\w.-]+))(?::[0-9]{1,5})?")


class Refusal(NamedTuple):
    """Why a request is not answered."""

    status: int
    type: str
    message: str
    hint: str


class Visit(NamedTuple):
    """A request as far as it matters here; names of headers are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]


FOREIGN_HOST = Refusal(
    403,
    "ForeignHostError",
    "this server does not go by that name",
    "Use its address, or add the name to server.names in the configuration.",
)
FOREIGN_PAGE = Refusal(
    403,
    "ForeignOriginError",
    "a page of another origin may not use this server",
    "Open this server's own page.",
)
NO_TOKEN = Refusal(
    401,
    "UnauthorizedError",
    "the token is missing or wrong",
    "Send it as: Authorization: Bearer TOKEN",
)


class Gate:
    """The rules of one server. Without a `token` everybody who reaches it is let in."""

    def __init__(self, token: str, names: Collection[str] = (), open_paths: Collection[str] = ()):
        self.token = token
        self.cookie = f"sandbox-tui-{secrets.token_hex(4)}"
        """Of this run only: servers on other ports of this host share the cookies."""
        self._names = {name.lower() for name in (*names, "localhost")}
        self._open = frozenset(open_paths)

    def refusal(self, visit: Visit) -> Refusal | None:
        """Why this request is not answered; `None` when it is."""
        if not self._is_here(visit.headers.get("host", "")):
            return FOREIGN_HOST
        if _is_foreign(visit):
            return FOREIGN_PAGE
        if not self.token or visit.path in self._open or self._has_token(visit):
            return None
        return NO_TOKEN

    def is_welcome(self, visit: Visit, refusal: Refusal | None) -> bool:
        """Whether a browser comes with the token in the address, where it is not to stay."""
        if refusal not in (None, NO_TOKEN) or not self.token or visit.method != "GET":
            return False
        return self._is_token(parse_qs(visit.query).get("token", [""])[0])

    def _is_here(self, host: str) -> bool:
        """Whether the host is an address, or a name known to be this machine's.

        An address cannot be pointed elsewhere, and a foreign page cannot have it as its own.
        """
        name = _host_name(host)
        return name in self._names or _is_address(name)

    def _has_token(self, visit: Visit) -> bool:
        scheme, _, given = visit.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self._is_token(given.strip()):
            return True
        return self._is_token(_cookie(visit.headers.get("cookie", ""), self.cookie))

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(_bytes(given), _bytes(self.token))


def token_cookie(gate: Gate) -> str:
    """The header that keeps the token in the browser, out of the reach of any script."""
    kept = SimpleCookie({gate.cookie: gate.token})[gate.cookie].OutputString()
    return f"{kept}; Path=/; HttpOnly; SameSite=Strict"


def without_token(visit: Visit) -> str:
    """The same address without the token, which is not to stay in the browser's history."""
    path = "/" + quote(visit.path.lstrip("/"))  # with two slashes it would be another host
    rest = urlencode([pair for pair in parse_qsl(visit.query) if pair[0] != "token"])
    return f"{path}?{rest}" if rest else path


def new_token() -> str:
    """One that nobody guesses."""
    return secrets.token_urlsafe(LONG)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens there."""
    if host == "localhost":
        return True
    return _is_address(host) and ipaddress.ip_address(host).is_loopback


def _is_foreign(visit: Visit) -> bool:
    """Whether a browser sends it for a page that is not this server's.

    To be opened by a link is fine: the page with the link learns nothing, and frames nothing.
    """
    origin = visit.headers.get("origin")
    if origin is not None:
        return origin.partition("://")[2].lower() != visit.headers.get("host", "").lower()
    opened = visit.method == "GET" and visit.headers.get("sec-fetch-dest") == "document"
    return visit.headers.get("sec-fetch-site", "none") not in ("none", "same-origin") and not opened


def _host_name(host: str) -> str:
    """The name in a `Host` header; empty for what is more than a name and a port."""
    found = _HOST.fullmatch(host)
    return (found["address"] or found["name"]).lower() if found else ""


def _bytes(text: str) -> bytes:
    """Also of a header that is no text."""
    return text.encode(errors="surrogateescape")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _cookie(header: str, name: str) -> str:
    try:
        found = SimpleCookie(header).get(name)
    except CookieError:
        return ""
    return found.value if found is not None else ""
