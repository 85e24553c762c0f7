"""Who may look: whoever has an address that works once, and then the cookie that it was given."""

from __future__ import annotations

import hmac
import secrets

MOST = 64
"""Addresses that nobody has used yet, and visitors, at a time; the oldest ones end."""


class Keys:
    """The secrets of one site. All comparisons take the same time."""

    def __init__(self) -> None:
        self._unused: list[str] = []
        self._visitors: list[str] = []

    def issue(self) -> str:
        """A token that opens the page once."""
        return _new(self._unused)

    def redeem(self, token: str) -> str | None:
        """The visitor's own secret for a token; `None` for one that is wrong or used."""
        if not _has(self._unused, token):
            return None
        self._unused.remove(token)
        return _new(self._visitors)

    def admits(self, secret: str) -> bool:
        """Whether a visitor has that secret."""
        return _has(self._visitors, secret)


def _new(secrets_: list[str]) -> str:
    secrets_.append(secrets.token_urlsafe(32))
    del secrets_[:-MOST]
    return secrets_[-1]


def _has(known: list[str], given: str) -> bool:
    offered = given.encode("utf-8", "replace")
    return sum(hmac.compare_digest(one.encode(), offered) for one in known) > 0
