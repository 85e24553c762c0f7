"""Sizes as people write them: `256m`, `1g`, `1.5GiB`. Always powers of 1024, as engines count."""

from __future__ import annotations

import re

from sandbox_tui.model.errors import InvalidSpecError

_SIZE = re.compile(
    r"(?P<number>[0-9]{1,15}(?:\.[0-9]{1,3})?) ?(?P<unit>[kmgt]?)(?:i?b)?", re.IGNORECASE
)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def parse_size(text: str, field: str = "memory") -> int:
    """Bytes. Raises `InvalidSpecError` for `field`.

    >>> parse_size("256m")
    268435456
    """
    found = _SIZE.fullmatch(text)
    if found is None:
        raise InvalidSpecError(field, f"{text[:80]!r} is no size like 256m or 1.5g")
    return int(float(found["number"]) * 1024 ** _POWERS[found["unit"].lower()])
