"""A device of the host as people write it: `HOST[:CONTAINER[:rwm]]`."""

from __future__ import annotations

import re
from typing import NamedTuple

from sandbox_tui.model.errors import InvalidSpecError

_PATH = r"/[^:\x00-\x1f\x7f]+"
_DEVICE = re.compile(rf"(?P<host>{_PATH})(?::(?P<inside>{_PATH}))?(?::(?P<rights>[rwm]{{1,3}}))?")


class Device(NamedTuple):
    """One device, taken apart."""

    host: str
    inside: str
    rights: str
    """What may be done with it: read, write, make."""


def parse_device(text: str) -> Device:
    """Take a device apart. Raises `InvalidSpecError`."""
    found = _DEVICE.fullmatch(text) if len(text) <= 4096 else None
    if found is None:
        reason = f"{text[:80]!r} is not /HOST[:/CONTAINER[:rwm]]"
        raise InvalidSpecError("access.devices", reason)
    return Device(found["host"], found["inside"] or found["host"], found["rights"] or "rwm")
